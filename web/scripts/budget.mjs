// Weighs the bundle: the first load must stay within 150 KiB of script and 30 KiB of style,
// gzipped, and so must each page that is fetched later, with what it alone needs.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMITS_KIB = { js: 150, css: 30 };
const dist = new URL('../dist/', import.meta.url);
const assets = new URL('assets/', dist);

const weigh = async (name) => gzipSync(await readFile(new URL(name, assets)), { level: 9 }).length / 1024;

/** The scripts that a script imports at once. */
async function withImports(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  const text = await readFile(new URL(name, assets), 'utf8');
  for (const [, other] of text.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([\w.-]+\.js)["'`]/g)) await withImports(other, seen);
  return seen;
}

const page = await readFile(new URL('index.html', dist), 'utf8');
const named = [...page.matchAll(/assets\/([\w.-]+\.(?:js|css))/g)].map(([, name]) => name);
const first = new Set(named.filter((name) => name.endsWith('.css')));
for (const name of named.filter((one) => one.endsWith('.js'))) for (const one of await withImports(name)) first.add(one);

const sums = { js: 0, css: 0 };
for (const name of first) sums[name.slice(name.lastIndexOf('.') + 1)] += await weigh(name);
let over = false;
for (const [kind, limit] of Object.entries(LIMITS_KIB)) {
  if (sums[kind] === 0) throw new Error(`no ${kind} in dist/index.html: was the build complete?`);
  console.log(`first load ${kind.padEnd(3)} ${sums[kind].toFixed(1).padStart(6)} KiB gzip, limit ${limit}`);
  over ||= sums[kind] > limit;
}
for (const name of (await readdir(assets)).sort()) {
  const kind = name.slice(name.lastIndexOf('.') + 1);
  if (!(kind in LIMITS_KIB) || first.has(name)) continue;
  const kib = await weigh(name);
  if (kib >= 1) console.log(`later      ${kind.padEnd(3)} ${kib.toFixed(1).padStart(6)} KiB gzip, ${name}`);
  over ||= kib > LIMITS_KIB[kind];
}
if (over) {
  console.error('The bundle is over its budget.');
  process.exit(1);
}

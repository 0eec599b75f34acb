// Weighs the bundle: the first load (the entry and what it imports at once) must stay within 150 KiB of
// script, and all style within 30 KiB, gzipped. Pages and graphs that are fetched later are told beside it.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMITS_KIB = { js: 150, css: 30 };
const dist = new URL('../dist/', import.meta.url);
const assets = new URL('assets/', dist);

const page = await readFile(new URL('index.html', dist), 'utf8');
const first = new Set();
async function follow(name) {
  if (first.has(name)) return;
  first.add(name);
  const text = await readFile(new URL(name, assets), 'utf8');
  // Static imports only: `import{a}from"./x.js"`, `import"./x.js"`, `export…from"./x.js"`.
  for (const [, next] of text.matchAll(/(?:^|[;}])\s*(?:import|export)\s*(?:[^"'();]*?from)?\s*["']\.\/([^"']+\.js)["']/g)) await follow(next);
}
const entry = /src="[^"]*assets\/([^"]+\.js)"/.exec(page)?.[1];
if (entry === undefined) throw new Error('index.html names no script');
await follow(entry);

const weights = { js: 0, css: 0 };
let later = 0;
for (const name of await readdir(assets)) {
  const kind = name.slice(name.lastIndexOf('.') + 1);
  if (!(kind in weights)) continue;
  const weight = gzipSync(await readFile(new URL(name, assets))).length;
  if (kind === 'js' && !first.has(name)) later += weight;
  else weights[kind] += weight;
}
let over = false;
for (const [kind, limit] of Object.entries(LIMITS_KIB)) {
  const kib = weights[kind] / 1024;
  if (weights[kind] === 0) throw new Error(`no ${kind} in dist/assets: was the build complete?`);
  console.log(`${kind.padEnd(3)} ${kib.toFixed(1).padStart(6)} KiB gzip, limit ${limit}`);
  over ||= kib > limit;
}
console.log(`later ${(later / 1024).toFixed(1)} KiB of script`);
if (over) {
  console.error('The bundle is over its budget.');
  process.exit(1);
}

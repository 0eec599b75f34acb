// Weighs the bundle: the first load must stay within 150 KiB of script and 30 KiB of style, gzipped.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMITS_KIB = { js: 150, css: 30 };
const assets = new URL('../dist/assets/', import.meta.url);

const weights = { js: 0, css: 0 };
for (const name of await readdir(assets)) {
  const kind = name.slice(name.lastIndexOf('.') + 1);
  if (kind in weights) weights[kind] += gzipSync(await readFile(new URL(name, assets))).length;
}
let over = false;
for (const [kind, limit] of Object.entries(LIMITS_KIB)) {
  const kib = weights[kind] / 1024;
  if (weights[kind] === 0) throw new Error(`no ${kind} in dist/assets: was the build complete?`);
  console.log(`${kind.padEnd(3)} ${kib.toFixed(1).padStart(6)} KiB gzip, limit ${limit}`);
  over ||= kib > limit;
}
if (over) {
  console.error('The bundle is over its budget.');
  process.exit(1);
}

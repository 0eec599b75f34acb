// Puts the compressed forms of each file beside it, for the service to send as they are, and the
// licences of what the bundle holds into one text.
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const modules = new URL('../node_modules/', import.meta.url);
/** Packages of which something is in the bundle. */
const BUNDLED = ['svelte', '@lucide/svelte', 'uplot'];
const PACKED = /\.(js|css|svg|txt|webmanifest)$/;
/** Below this a compressed file saves less than its headers cost. */
const LEAST_BYTES = 1024;

const texts = [`hfdepot\n\n${await readFile(new URL('../../LICENSE', import.meta.url), 'utf8')}`];
for (const name of BUNDLED) {
  const home = new URL(`${name}/`, modules);
  if (!existsSync(home)) continue;
  const { version, license } = JSON.parse(await readFile(new URL('package.json', home), 'utf8'));
  const file = (await readdir(home)).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  texts.push(`${name} ${version} (${license})\n\n${await readFile(new URL(file, home), 'utf8')}`);
}
texts.push(await readFile(new URL('../crates.txt', import.meta.url), 'utf8'));
await writeFile(new URL('licences.txt', dist), texts.map((text) => `${text.trim()}\n`).join(`\n${'-'.repeat(78)}\n\n`));

for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !PACKED.test(entry.name)) continue;
  const path = `${entry.parentPath}/${entry.name}`;
  const bytes = await readFile(path);
  if (bytes.length < LEAST_BYTES) continue;
  await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  await writeFile(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
}

// Lists the Rust crates inside the binary with their licences into crates.txt, which the build puts
// under licences.txt. Run by hand when a dependency comes or goes: the web build calls no cargo.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const metadata = JSON.parse(execFileSync('cargo', ['metadata', '--locked', '--format-version', '1', '--filter-platform', 'x86_64-unknown-linux-gnu'], {
  cwd: new URL('../..', import.meta.url), maxBuffer: 2 ** 28,
}));
const packages = new Map(metadata.packages.map((one) => [one.id, one]));
const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
const found = new Set();
const walk = (id) => {
  if (found.has(id)) return;
  found.add(id);
  for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) if (kinds.some(({ kind }) => kind === null)) walk(pkg);
};
walk(metadata.resolve.root ?? metadata.packages.find(({ name }) => name === 'hfdepot').id);
const lines = [...found].map((id) => packages.get(id)).filter(({ name }) => name !== 'hfdepot')
  .map(({ name, version, license, repository }) => `${name} ${version}  ${license ?? 'see its files'}  ${repository ?? ''}`.trimEnd()).sort();
writeFileSync(new URL('../crates.txt', import.meta.url), `Crates in the binary\n\n${lines.join('\n')}\n`);
console.log(`${lines.length} crates`);

// Writes src/api/schema.ts from the description of the API. `npm run types` takes the committed copy;
// `npm run types -- http://127.0.0.1:8080` first takes a new copy from a running service.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const COPY = new URL('../src/api/openapi.json', import.meta.url);
const SCHEMA = new URL('../src/api/schema.ts', import.meta.url);
const HEAD = '// Made by `npm run types` from openapi.json; not to be changed by hand.\n\n';

/** The text of schema.ts for the committed copy. */
export async function schemaText() {
  return HEAD + astToString(await openapiTS(JSON.parse(await readFile(COPY, 'utf8'))));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const url = process.argv[2];
  if (url !== undefined) {
    const response = await fetch(new URL('/api/openapi.json', url));
    if (!response.ok) throw new Error(`${url} gives no description: HTTP ${response.status}`);
    await writeFile(COPY, `${JSON.stringify(await response.json(), null, 1)}\n`);
  }
  await writeFile(SCHEMA, await schemaText());
}

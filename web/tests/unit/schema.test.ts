import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { components } from '../../src/api/schema';
import type { Job } from '../../src/api/types';
// @ts-expect-error plain JavaScript without types
import { schemaText } from '../../scripts/types.mjs';

describe('the generated types', () => {
  it('are those of the committed description; `npm run types` makes them anew', async () => {
    expect(await readFile(new URL('../../src/api/schema.ts', import.meta.url), 'utf8')).toBe(await schemaText());
  }, 30_000);

  it('have what the pages read of a job', () => {
    // Checked by the compiler: a key that the service no longer describes is an error here.
    const keys = ['id', 'repo', 'revision', 'isDataset', 'filters', 'status', 'phase', 'waitReason', 'progress', 'error', 'errorCode', 'files', 'filesTotal', 'createdAt', 'endedAt'] satisfies (keyof components['schemas']['Job'] & keyof Job)[];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

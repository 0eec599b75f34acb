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

describe('the codes of errors', () => {
  it('all have a name and a hint in both languages', async () => {
    const source = await readFile(new URL('../../../src/model/code.rs', import.meta.url), 'utf8');
    const codes = [...source.matchAll(/^ {8}\w+ = "(\w+)"/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(20);
    for (const language of ['en', 'de']) {
      const texts = JSON.parse(await readFile(new URL(`../../src/i18n/${language}.json`, import.meta.url), 'utf8')) as Record<string, unknown>;
      expect(codes.filter((code) => !(`code.${code}` in texts) || !(`hint.${code}` in texts))).toEqual([]);
    }
  });
});

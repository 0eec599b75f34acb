import { expect, test } from 'vitest';
import { parseLines } from '../../src/lib/lines';
import { linesOfFile } from '../../src/lib/lists';

const asked = (text: string) => parseLines(linesOfFile(text)).map((line) => line.asked);

test('a file of lines stands for itself, also one that only begins like JSON', () => {
  expect(linesOfFile(' a/b\nc/d:Q4 # why\n')).toBe('a/b\nc/d:Q4 # why');
  expect(linesOfFile('[a/b')).toBe('[a/b');
});

test('names and objects of a JSON list become the downloads that they ask for', () => {
  const list = ['a/b', { repo: 'c/d', revision: 'refs/pr/7', filters: ['Q4_K_M', 'sub/x.json'] }, { repo_id: 'e/f', repo_type: 'dataset' }, { id: 'g/h', allow_patterns: '*.json' }, 7, {}];
  expect(asked(JSON.stringify(list))).toEqual([
    { repo: 'a/b' },
    { repo: 'c/d', revision: 'refs/pr/7', filters: ['Q4_K_M', 'sub/x.json'] },
    { repo: 'e/f', dataset: true },
    { repo: 'g/h', filters: ['*.json'] },
  ]);
});

test('what this service gives out is read back: a list under a name, with datasets', () => {
  const jobs = { jobs: [{ repo: 'o/data', isDataset: true, revision: 'main', filters: ['en/*'] }], count: 1 };
  expect(asked(JSON.stringify(jobs))).toEqual([{ repo: 'o/data', dataset: true, filters: ['en/*'] }]);
  expect(asked('{"repo": "a/b", "dataset": true, "revision": "v1.0"}')).toEqual([{ repo: 'a/b', dataset: true, revision: 'v1.0' }]);
});

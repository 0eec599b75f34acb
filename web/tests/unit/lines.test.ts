import { describe, expect, it } from 'vitest';
import { curl, quoted } from '../../src/lib/curl';
import { looksLikeRepos, parseLines, parseRepo } from '../../src/lib/lines';

describe('a line names a repo', () => {
  it.each([
    ['Qwen/Qwen3-32B-GGUF', { repo: 'Qwen/Qwen3-32B-GGUF' }],
    [' owner/name:Q4_K_M, Q5_K_M ', { repo: 'owner/name', filters: ['Q4_K_M', 'Q5_K_M'] }],
    ['owner/name:sub/folder/*', { repo: 'owner/name', filters: ['sub/folder/*'] }],
    ['datasets/allenai/c4', { repo: 'allenai/c4', dataset: true }],
    ['hf.co/owner/name', { repo: 'owner/name' }],
    ['hf.co/owner/name:Q4_K_M', { repo: 'owner/name', filters: ['Q4_K_M'] }],
    ['https://huggingface.co/owner/name?library=x#top', { repo: 'owner/name' }],
    ['https://huggingface.co/datasets/allenai/c4/tree/main/en', { repo: 'allenai/c4', dataset: true, revision: 'main', filters: ['en/*'] }],
    ['https://huggingface.co/o/n/blob/refs%2Fpr%2F7/a%20b.gguf', { repo: 'o/n', revision: 'refs/pr/7', filters: ['=a b.gguf'] }],
    ['https://huggingface.co/o/n/tree/refs/pr/7/sub', { repo: 'o/n', revision: 'refs/pr/7', filters: ['sub/*'] }],
    ['https://huggingface.co/o/n/blob/main/a/m,x.Q8_0.gguf', { repo: 'o/n', revision: 'main', filters: ['=a/m,x.Q8_0.gguf'] }],
    ['https://mirror.example/o/n/resolve/abc/x/y.bin?download=true', { repo: 'o/n', revision: 'abc', filters: ['=x/y.bin'] }],
    ['hf://datasets/o/n@v1.0/data/x.parquet', { repo: 'o/n', dataset: true, revision: 'v1.0', filters: ['=data/x.parquet'] }],
    ['hf://o/n', { repo: 'o/n' }],
  ])('%s', (text, asked) => expect(parseRepo(text)).toEqual(asked));

  it.each(['gpt2', 'a/b/c', 'not a repo', '../x', 'owner/na me', 'https://huggingface.co/owner', 'https://huggingface.co/o/n/discussions/1', 'https://huggingface.co/o/n/tree/refs/pr', 'https://huggingface.co/spaces/o', 'hf.co/papers/2401.00001', '/', ''])(
    'or not: %s', (text) => expect(parseRepo(text)).toBeNull());
});

describe('a list', () => {
  it('has comments, empty lines, bad lines and repeats', () => {
    const lines = parseLines('# mine\r\n\no/n # the first\nbroken\nO/N\no/n:q4');
    expect(lines.map((line) => [line.number, line.text, line.asked !== null, line.repeats])).toEqual([
      [3, 'o/n', true, undefined], [4, 'broken', false, undefined], [5, 'O/N', true, 3], [6, 'o/n:q4', true, undefined],
    ]);
  });
  it('is told from other text by all of its lines', () => {
    expect(looksLikeRepos('o/n\nhf.co/a/b')).toBe(true);
    expect(looksLikeRepos('o/n\nsome words')).toBe(false);
    expect(looksLikeRepos('# only this')).toBe(false);
  });
});

it('a line for the shell cannot break out of its quotes', () => {
  expect(quoted("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  expect(curl('POST', 'http://x/api/download', { repo: "o/n'; rm -rf" })).toBe(`curl -sS -X POST --json '{"repo":"o/n'\\''; rm -rf"}' http://x/api/download`);
});

import { expect, test } from 'vitest';
import { endingOf, endingsOf, flatLines, treeLines, under } from '../../src/lib/filelist';
import { file } from './fixtures';

const paths = (files: { path: string }[]) => files.map(({ path }) => path);

test('the ending of a name is what stands behind its last dot', () => {
  expect(endingOf('a.b/model.safetensors.index.JSON')).toBe('.json');
  expect(endingOf('a.b/LICENSE')).toBe('');
  expect(endingOf('.gitattributes')).toBe('');
  expect(endingsOf([file('b.json'), file('a.bin'), file('c/a.json'), file('LICENSE')])).toEqual([['.json', 2], ['', 1], ['.bin', 1]]);
});

test('what is done is folded under one line and stays in reach', () => {
  const files = [file('a', { status: 'complete' }), file('b'), file('c', { status: 'skipped' }), file('d', { status: 'skipped', priority: 'skip' })];
  const folded = flatLines(files, false);
  expect(folded.map((line) => line.file?.path ?? paths(line.done ?? []))).toEqual(['b', 'd', ['a', 'c']]);
  expect(folded.at(-1)?.open).toBe(false);
  expect(flatLines(files, true).map((line) => line.file?.path ?? 'fold')).toEqual(['b', 'd', 'fold', 'a', 'c']);
});

test('a list of which all or nothing is done is not folded', () => {
  const done = [file('a', { status: 'complete' }), file('b', { status: 'skipped' })];
  expect(flatLines(done, false).map((line) => line.file?.path)).toEqual(['a', 'b']);
  expect(flatLines([file('a'), file('b')], false)).toHaveLength(2);
  expect(flatLines([], false)).toEqual([]);
});

test('a folder stands for all files below it, open or not', () => {
  const files = [file('x/y/a'), file('x/b'), file('c')];
  const closed = treeLines(files, new Set());
  expect(closed.map((line) => line.folder?.path ?? line.file?.path)).toEqual(['x/', 'c']);
  expect(closed[0]?.folder?.size).toBe(200);
  expect(paths(under(closed[0]!))).toEqual(['x/y/a', 'x/b']);
  expect(paths(under(closed[1]!))).toEqual(['c']);
  const open = treeLines(files, new Set(['x/']));
  expect(open.map((line) => [line.depth, line.folder?.path ?? line.file?.path, line.open])).toEqual([[0, 'x/', true], [1, 'x/y/', false], [1, 'x/b', undefined], [0, 'c', undefined]]);
});

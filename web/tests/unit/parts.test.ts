import { describe, expect, it } from 'vitest';
import type { SegmentedFile } from '../../src/api/control-types';
import { filterOf, looksLikeId, tagged } from '../../src/lib/hub';
import { limitOf, nextHour, parseSize } from '../../src/lib/limits';
import { placeOf } from '../../src/lib/lines';
import { applied, noOptions, tagsOf } from '../../src/lib/options';
import { parseOrder, sorted } from '../../src/lib/sort';
import { sparkPath } from '../../src/lib/spark';
import { places } from '../../src/lib/state';
import { cells, openRanges } from '../../src/lib/strip';
import { rowsOf, treeOf } from '../../src/lib/tree';
import { job } from './fixtures';

describe('limits', () => {
  it.each([['50MiB', 50 * 2 ** 20], ['1.5 GB', 1.5e9], ['7', 7], ['', 0], ['0', 0], ['5mib/s', 5 * 2 ** 20], ['fast', null], ['-1', null], ['3 pints', null]])('%s is a size of %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));
  it.each([['40', '40MiB'], ['7,5', '7.5MiB'], ['3 GiB', '3GiB'], ['0', ''], [' ', ''], ['quick', null]])('a typed %s is sent as %s', (text, sent) => expect(limitOf(text)).toBe(sent));
  it('the next eight o’clock is today or tomorrow', () => {
    const morning = new Date(2026, 10, 22, 7, 0).getTime();
    expect(nextHour(8, morning) - morning).toBe(3_600_000);
    expect(new Date(nextHour(8, morning + 7_200_000)).getDate()).toBe(23);
    expect(nextHour(8, new Date(2026, 10, 22, 8, 0).getTime())).toBe(new Date(2026, 10, 23, 8, 0).getTime());
  });
});

describe('a pasted text leads', () => {
  it.each([
    ['Qwen/Qwen3-32B', 'browse?repo=Qwen%2FQwen3-32B'],
    ['a/b:Q4_K_M', 'browse?repo=a%2Fb&pick=Q4_K_M'],
    ['hf.co/a/b', 'browse?repo=a%2Fb'],
    ['hf://datasets/a/b@v1/x.parquet', 'browse?repo=a%2Fb&type=dataset&rev=v1&pick=%3Dx.parquet'],
    ['https://huggingface.co/datasets/a/b/tree/main/en', 'browse?repo=a%2Fb&type=dataset&pick=en%2F*'],
    ['https://huggingface.co/a/b/resolve/main/x.gguf', 'browse?repo=a%2Fb&pick=%3Dx.gguf'],
    ['https://huggingface.co/a/b/blob/main/x,y.gguf', 'browse?repo=a%2Fb&pick=x%3Fy.gguf'],
  ])('%s to %s', (text, path) => expect(placeOf(text)).toEqual({ kind: 'browse', path }));
  it('several to the Add dialog, words to neither', () => {
    expect([placeOf('a/b\nc/d'), placeOf('qwen gguf'), placeOf('')]).toEqual([{ kind: 'add' }, null, null]);
  });
});

describe('a tree of files', () => {
  const file = (path: string, size: number) => ({ path, size, lfs: false });
  const tree = treeOf([file('a/b/c.bin', 5), file('a/d.bin', 3), file('e.bin', 1)], ({ size }) => size);
  it('sums what folders hold', () => {
    expect([tree.size, tree.count, tree.folders[0]?.size, tree.folders[0]?.folders[0]?.path]).toEqual([9, 3, 8, 'a/b/']);
  });
  it('shows what is unfolded', () => {
    const names = (open: string[]) => rowsOf(tree, new Set(open)).map((row) => row.folder?.path ?? row.file?.path);
    expect(names([])).toEqual(['a/', 'e.bin']);
    expect(names(['a/'])).toEqual(['a/', 'a/b/', 'a/d.bin', 'e.bin']);
  });
});

describe('a strip of segments', () => {
  const file = (more: Partial<SegmentedFile> = {}): SegmentedFile => ({
    path: 'x', totalBytes: 100, written: 55, synced: 40, hashed: 20,
    segments: [{ start: 0, length: 50, written: 45, synced: 40, open: true }, { start: 50, length: 25, written: 10, synced: 0, open: true }], ...more,
  });
  it('says of each span what all of it is', () => {
    expect(cells(file(), 10)).toEqual(['hashed', 'hashed', 'synced', 'synced', 'written', 'written', 'open', 'open', 'empty', 'empty']);
  });
  it('knows a file that came in one piece, and one of no bytes', () => {
    expect(cells(file({ segments: [], written: 100, synced: 100, hashed: 50 }), 4)).toEqual(['hashed', 'hashed', 'synced', 'synced']);
    expect(cells(file({ segments: [], totalBytes: 0, written: 0, synced: 0, hashed: 0 }), 2)).toHaveLength(2);
  });
  it('counts the ranges that are fetched', () => {
    expect([openRanges(file()), openRanges(file({ segments: [{ start: 0, length: 5, written: 5, synced: 5, open: true }] }))]).toEqual([2, 0]);
  });
});

describe('the queue', () => {
  const queued = (id: string, position: number | null, more = {}) => job(id, { status: 'queued', position, ...more });
  it('stands in the order that the service tells', () => {
    expect([...places([queued('a', 3), queued('b', 1), queued('c', 2)])]).toEqual([['b', 1], ['c', 2], ['a', 3]]);
  });
  it('falls back to priority and age where no place is told', () => {
    expect([...places([queued('a', null), queued('b', null, { priority: 5 })]).keys()]).toEqual(['b', 'a']);
  });
  it('is sorted by the columns that can be chosen', () => {
    const jobs = [job('a', { category: 'x' }), job('b', { category: '' }), job('c', { category: 'm' })];
    expect(sorted(jobs, parseOrder('category'), 0).map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(sorted(jobs, parseOrder('category-down'), 0).map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    expect(parseOrder('nonsense')).toBeNull();
  });
});

describe('options of a download', () => {
  it('send only what was chosen', () => {
    expect(applied({ repo: 'a/b' }, noOptions())).toEqual({ repo: 'a/b' });
    expect(applied({ repo: 'a/b' }, { ...noOptions(), category: ' llm ', tags: 'x, y,x', priority: 10, maxSpeed: '5MiB', connections: 4, startPaused: true, localDir: '/m' }))
      .toEqual({ repo: 'a/b', category: 'llm', tags: ['x', 'y'], priority: 10, maxSpeed: '5MiB', connections: 4, startPaused: true, localDir: '/m' });
  });
  it('take tags apart', () => expect(tagsOf(' a,, b ,a')).toEqual(['a', 'b']));
});

describe('words of the Hub', () => {
  it('become filters', () => {
    expect([filterOf(false, 'text-generation', 'gguf'), filterOf(true, 'translation', 'gguf'), filterOf(false, '', '')]).toEqual(['text-generation,gguf', 'task_categories:translation', '']);
    expect([tagged(['x', 'license:mit'], 'license:'), tagged([], 'license:')]).toEqual(['mit', '']);
    expect(['a/b', 'a/b/c', 'qwen 3'].map(looksLikeId)).toEqual([true, false, false]);
  });
});

describe('a small line of speeds', () => {
  it('ends at the right, and is nothing for one value', () => {
    expect([sparkPath([1], 50, 10, 60), sparkPath([0, 2], 59, 10, 60)]).toEqual(['', 'M58.0 9.0L59.0 1.0']);
  });
});

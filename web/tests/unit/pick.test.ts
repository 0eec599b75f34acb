import { describe, expect, it } from 'vitest';
import type { Item, Report } from '../../src/api/hub-types';
import { changedSince, fits, isEmpty, pathPattern, recommended, requestOf, toggled, twoFormats, usable, type Choice } from '../../src/lib/pick';

const item = (id: string, more: Partial<Item> = {}): Item => ({ id, label: id, recommended: false, category: 'quantization', filter_value: id, files: [`${id}.gguf`], ...more });
const report = (more: Partial<Report> = {}): Report => ({
  repo: 'a/b', is_dataset: false, branch: 'main', recommended_download: { repo: 'a/b', exactMatch: true },
  selectable_items: [item('q4_k_m', { recommended: true }), item('q8_0'), item('q6_k', { warning: 'part 2 is missing', recommended: true })],
  ...more,
}) as Report;
const choice = (more: Partial<Choice> = {}): Choice => ({ all: false, items: new Set(), patterns: '', paths: new Set(), ...more });

describe('what is picked of a repo', () => {
  it('begins with what is recommended and can be used', () => {
    expect(requestOf(report(), recommended(report()))).toEqual({ repo: 'a/b', filters: ['q4_k_m'], exactMatch: true });
    expect(recommended(report({ selectable_items: [] })).all).toBe(true);
  });

  it('is a request without filters when it is everything', () => {
    expect(requestOf(report({ is_dataset: true, branch: 'v1' }), choice({ all: true }))).toEqual({ repo: 'a/b', dataset: true, revision: 'v1' });
  });

  it('is no request when nothing is chosen', () => {
    expect([isEmpty(choice({ patterns: ' , ' })), requestOf(report(), choice())]).toEqual([true, null]);
  });

  it('adds patterns and ticked paths, each filter once', () => {
    const request = requestOf(report(), choice({ items: new Set(['q8_0']), patterns: 'q8_0, *.json', paths: new Set(['text encoder/', 'x.bin']) }));
    expect(request?.filters).toEqual(['q8_0', '*.json', 'text?encoder/*', '[x].bin']);
  });

  it('is exact for items only: typed words keep their own meaning', () => {
    expect(requestOf(report(), choice({ patterns: 'Q4' }))).toEqual({ repo: 'a/b', filters: ['Q4'] });
  });

  it('takes another branch alone', () => {
    const many = report({ selectable_items: [item('4bpw', { revision: '4.0bpw', filter_value: '' }), item('readme')] });
    const branch = toggled(many, choice({ items: new Set(['readme']) }), '4bpw');
    expect(requestOf(many, branch)).toEqual({ repo: 'a/b', revision: '4.0bpw' });
    expect([...toggled(many, branch, 'readme').items]).toEqual(['readme']);
  });

  it('leaves out what lies in another repo, whatever is recommended', () => {
    const encoder = item('mmproj-base', { category: 'vision_encoder', recommended: true, upstream_repo: 'base/model' });
    const lent = report({ selectable_items: [item('q8_0', { recommended: true }), encoder] });
    expect([usable(encoder), [...recommended(lent).items]]).toEqual([false, ['q8_0']]);
  });

  it('sees two formats of the same weights', () => {
    const formats = report({ selectable_items: [item('safetensors', { category: 'format' }), item('bin', { category: 'format' })] });
    expect([twoFormats(formats, choice({ items: new Set(['bin']) })), twoFormats(formats, choice({ items: new Set(['bin', 'safetensors']) }))]).toEqual([false, true]);
  });
});

describe('a pattern for a path', () => {
  it.each([
    ['a.bin', '[a].bin'], ['dir/', 'dir/*'], ['x y/z.bin', 'x?y/z.bin'], ['a[1].bin', 'a?1?.bin'], ['_.bin', '_.[b]in'],
  ])('of %s is %s', (path, pattern) => expect(pathPattern(path)).toBe(pattern));
});

describe('hardware', () => {
  const GIB = 2 ** 30;
  it.each([
    [20, 24, 64, 'gpu'], [30, 24, 64, 'both'], [70, 24, 64, 'both'], [90, 24, 64, 'none'], [20, 0, 32, 'ram'], [30, 0, 32, 'none'],
  ] as const)('%i GiB on %i GiB of GPU and %i of RAM: %s', (need, gpu, ram, fit) => expect(fits(need * GIB, { gpu, ram })).toBe(fit));
});

describe('what is new since a revision', () => {
  const file = (path: string, size: number, sha256?: string) => ({ path, size, lfs: sha256 !== undefined, ...(sha256 === undefined ? {} : { sha256 }) });
  it('is what was added, and what has another length or hash; what was removed is nothing to fetch', () => {
    const before = [file('same.gguf', 9, 'a'), file('swapped.gguf', 9, 'a'), file('README.md', 5), file('gone.bin', 1)];
    const now = [file('same.gguf', 9, 'a'), file('swapped.gguf', 9, 'b'), file('README.md', 6), file('new.gguf', 3, 'c')];
    expect(changedSince(now, before).map(({ path }) => path)).toEqual(['swapped.gguf', 'README.md', 'new.gguf']);
    expect(changedSince(now, now)).toEqual([]);
  });
});

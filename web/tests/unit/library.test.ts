import { describe, expect, it } from 'vitest';
import type { CachedRepo } from '../../src/api/cache';
import { homeOf, nextOrder, parseOrder, pathOf, savedOf, sorted, sumOf, unused, usage } from '../../src/lib/library';
import { squarify } from '../../src/lib/treemap';

const repo = (id: string, size: number, more: Partial<CachedRepo> = {}): CachedRepo => ({
  repo: id, type: 'model', path: `/srv/hf/hub/models--${id.replace('/', '--')}`, owner: id.split('/')[0] ?? '', name: id.split('/')[1] ?? '',
  source: 'HF cache', size, fileCount: 1, downloadStatus: 'complete', ...more,
});

describe('the library', () => {
  it('shows the largest first, and each column turns round when it is pressed twice', () => {
    const repos = [repo('b/two', 2), repo('a/one', 3), repo('c/three', 2)];
    expect(sorted(repos, parseOrder(null)).map((one) => one.repo)).toEqual(['a/one', 'b/two', 'c/three']);
    expect(parseOrder(nextOrder(parseOrder(null), 'size'))).toEqual({ column: 'size', down: false });
    expect(sorted(repos, parseOrder('repo-down')).map((one) => one.repo)).toEqual(['c/three', 'b/two', 'a/one']);
    expect(parseOrder('no-such')).toEqual({ column: 'size', down: true });
  });
  it('sums by kind', () => {
    const repos = [repo('a/one', 3), repo('b/two', 4, { type: 'dataset' })];
    expect([sumOf(repos), sumOf(repos, 'model'), sumOf(repos, 'dataset')]).toEqual([7, 3, 4]);
  });
  it('counts what repos share once', () => {
    const repos = [repo('a/one', 10, { sharedSize: 8, diskShare: 6 }), repo('b/two', 9, { sharedSize: 8, diskShare: 5 }), repo('c/old', 3)];
    expect([sumOf(repos), savedOf(repos)]).toEqual([14, 8]);
  });
  it('takes what was never seen in use for nothing', () => {
    const now = Date.parse('2026-11-22T12:00:00Z');
    expect([repo('a/b', 1), repo('a/b', 1, { lastUsed: '2026-10-01T00:00:00Z' }), repo('a/b', 1, { lastUsed: '2026-11-20T00:00:00Z' })].map((one) => unused(one, now)))
      .toEqual([false, true, false]);
  });
  it('gives lines that use exactly this cache, quoted for a shell', () => {
    expect(homeOf('/srv/hf/hub/models--a--b')).toEqual({ root: '/srv/hf', exact: false });
    expect(homeOf('/mnt/my cache/models--a--b')).toEqual({ root: '/mnt/my cache', exact: true });
    const gguf = usage({ ...repo('o/m-GGUF', 1, { commit: '9c1e2f7', path: '/mnt/my cache/models--o--m-GGUF' }), files: [{ name: 'mmproj-F16.gguf' }, { name: 'a b-Q4.gguf' }] });
    expect(gguf.map(({ line }) => line)).toEqual([
      "HF_HUB_CACHE='/mnt/my cache' HF_HUB_OFFLINE=1 hf download o/m-GGUF",
      "llama-server -m '/mnt/my cache/models--o--m-GGUF'/snapshots/9c1e2f7*/'a b-Q4.gguf'",
    ]);
    expect(usage(repo('o/d', 1, { type: 'dataset' }))[0]?.line).toContain('--repo-type dataset');
    expect(pathOf({ repo: 'o/d', type: 'dataset' })).toBe('library/datasets/o/d');
  });
});

describe('the treemap', () => {
  it('fills the room with areas as the sizes are, without overlap', () => {
    const sizes = [60, 30, 20, 10, 5, 1];
    const room = { x: 0, y: 0, width: 630, height: 400 };
    const boxes = squarify(sizes, room);
    const unit = (room.width * room.height) / 126;
    boxes.forEach((box, index) => {
      expect(box.width * box.height).toBeCloseTo((sizes[index] ?? 0) * unit, 3);
      expect(box.x).toBeGreaterThanOrEqual(-1e-6);
      expect(box.x + box.width).toBeLessThanOrEqual(room.width + 1e-6);
      expect(box.y + box.height).toBeLessThanOrEqual(room.height + 1e-6);
    });
    for (const [index, a] of boxes.entries()) for (const b of boxes.slice(index + 1)) {
      const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
      const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
      expect(Math.min(wide, high)).toBeLessThan(1e-6);
    }
  });
  it('keeps boxes near to squares', () => {
    const boxes = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 600, height: 400 });
    for (const box of boxes) expect(Math.max(box.width / box.height, box.height / box.width)).toBeLessThan(3);
  });
  it('gives nothing no room', () => {
    expect(squarify([0, 5, 0], { x: 1, y: 2, width: 10, height: 10 }).map((box) => box.width * box.height)).toEqual([0, 100, 0]);
    expect(squarify([], { x: 0, y: 0, width: 10, height: 10 })).toEqual([]);
    expect(squarify([1], { x: 0, y: 0, width: 0, height: 10 })[0]?.width).toBe(0);
  });
});

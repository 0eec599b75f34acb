import { expect, test } from 'vitest';
import type { CachedRepo, Deletion } from '../../src/api/cache';
import { Previews } from '../../src/lib/freed.svelte';

type Wanted = Pick<CachedRepo, 'repo' | 'type' | 'path' | 'size'>;
const repo = (name: string): Wanted => ({ repo: `o/${name}`, type: 'model', path: `/hub/${name}`, size: 100 });
const [a, b, c] = [repo('a'), repo('b'), repo('c')];

/** A service that answers when it is told to. */
function service() {
  const open = new Map<string, { take: (answer: Deletion) => void; refuse: () => void }>();
  const asked: string[] = [];
  const previews = new Previews((one) => {
    asked.push(one.repo);
    return new Promise((take, refuse) => open.set(one.repo, { take, refuse: () => refuse(new Error('busy')) }));
  });
  const settled = () => new Promise((done) => setTimeout(done));
  return {
    previews, asked,
    answer: async (one: Wanted, freesBytes: number, keepsBytes = 0) => {
      open.get(one.repo)?.take({ success: true, freesBytes, keepsBytes, revisions: 1, files: 1 });
      await settled();
    },
    refuse: async (one: Wanted) => {
      open.get(one.repo)?.refuse();
      await settled();
    },
  };
}

test('each chosen repo is asked for once, two at a time, and counts from its answer on', async () => {
  const { previews, asked, answer } = service();
  previews.want([a]);
  previews.want([a, b, c]);
  expect(asked).toEqual(['o/a', 'o/b']);
  expect(previews.sum([a, b, c])).toEqual({ bytes: 0, open: 3, unknown: 0, least: false });
  await answer(a, 60);
  expect(asked).toEqual(['o/a', 'o/b', 'o/c']);
  await answer(b, 30, 70);
  await answer(c, 5);
  expect(previews.sum([a, b, c])).toEqual({ bytes: 95, open: 0, unknown: 0, least: false });
  previews.want([a, b]);
  expect(asked).toHaveLength(3);
  expect(previews.sum([a])).toEqual({ bytes: 60, open: 0, unknown: 0, least: false });
});

test('what is no longer chosen is not asked for, and is when it is chosen again', async () => {
  const { previews, asked, answer } = service();
  previews.want([a, b, c]);
  previews.want([a, b]);
  await answer(a, 1);
  await answer(b, 1);
  expect(asked).toEqual(['o/a', 'o/b']);
  previews.want([a, b, c]);
  expect(asked).toEqual(['o/a', 'o/b', 'o/c']);
});

test('two that share may free more together than each alone, and one without an answer counts nothing', async () => {
  const { previews, answer, refuse } = service();
  previews.want([a, b, c]);
  await answer(a, 60, 40);
  await answer(b, 60, 40);
  await refuse(c);
  expect(previews.sum([a, b])).toEqual({ bytes: 120, open: 0, unknown: 0, least: true });
  expect(previews.sum([a, c])).toEqual({ bytes: 60, open: 0, unknown: 1, least: false });
});

test('after the disk has changed an answer from before counts no more', async () => {
  const { previews, asked, answer } = service();
  previews.want([a]);
  previews.forget();
  await answer(a, 60);
  expect(previews.sum([a]).open).toBe(1);
  previews.want([a]);
  expect(asked).toEqual(['o/a', 'o/a']);
  await answer(a, 50);
  expect(previews.sum([a]).bytes).toBe(50);
});

import { expect, test } from 'vitest';
import type { Diff, DiffAnswer, Run } from '../../src/api/mirror';
import { lagOf, runsOf } from '../../src/lib/mirror';
import { compared, forget, lag } from '../../src/stores/compared.svelte';

const diff = (repo: string, status: string, localSize = 0): Diff => ({ repo, type: 'model', status, localSize, remoteSize: 1 });
const answer = (diffs: Diff[]): DiffAnswer => ({ diffs, localPath: '', targetPath: '', summary: { missing: 0, extra: 0, outdated: 0, inSync: 0 } });
const run = (target: string, status: string, endedMs: number | null): Run => ({ target, status, endedAt: endedMs === null ? null : new Date(endedMs).toISOString() });

test('a target is behind by what a push would copy, at most where a part is there', () => {
  expect(lagOf([diff('a/a', 'missing', 7), diff('a/b', 'extra', 0)])).toEqual({ repos: 1, bytes: 7, most: false, unreadable: 0 });
  expect(lagOf([diff('a/a', 'missing', 7), diff('a/b', 'outdated', 5), diff('a/c', 'unreadable')])).toEqual({ repos: 2, bytes: 12, most: true, unreadable: 1 });
  expect(lagOf([])).toEqual({ repos: 0, bytes: 0, most: false, unreadable: 0 });
});

test('what was never compared is not known, and a later run makes it unknown again', () => {
  expect(lag('nas', [])).toBeNull();
  compared('nas', answer([diff('a/a', 'missing', 7)]));
  const found = lag('nas', [run('nas', 'completed', 1000), run('usb', 'running', null)]);
  expect(found).toMatchObject({ repos: 1, bytes: 7 });
  expect(lag('usb', [])).toBeNull();
  expect(lag('nas', [run('nas', 'completed', (found?.at ?? 0) + 1)])).toBeNull();
  expect(lag('nas', [run('nas', 'running', null)])).toBeNull();
  expect(lag('nas', [run('nas', 'queued', null)])).not.toBeNull();
  forget('nas');
  expect(lag('nas', [])).toBeNull();
});

test('the newest run of a target and its newest that was done are told apart', () => {
  const runs = [run('usb', 'completed', 4000), run('nas', 'failed', 3000), run('nas', 'completed', 2000)];
  expect(runsOf('nas', runs)).toEqual({ last: runs[1], good: runs[2] });
  expect(runsOf('old', runs)).toEqual({ last: null, good: null });
});

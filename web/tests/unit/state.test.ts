import { describe, expect, it } from 'vitest';
import { sorted } from '../../src/lib/sort';
import { allows, byQueue, doneSince, etaNow, hasSpeed, needOf, percentOf, places, shown, speedNow, stalledSince, STALLED_AFTER_MS } from '../../src/lib/state';
import { job } from './fixtures';

const at = (ms: number) => new Date(ms).toISOString();

describe('a running download', () => {
  it('stalls when no byte came for a while, and then has neither speed nor time left', () => {
    const one = job('one');
    expect(shown(one, STALLED_AFTER_MS - 1)).toBe('downloading');
    expect([speedNow(one, 0), etaNow(one, 0)]).toEqual([50, 15]);
    expect(shown(one, STALLED_AFTER_MS)).toBe('stalled');
    expect(stalledSince(one, STALLED_AFTER_MS)).toBe(0);
    expect([speedNow(one, STALLED_AFTER_MS), etaNow(one, STALLED_AFTER_MS)]).toEqual([0, 0]);
  });
  it('does not stall while it verifies or resolves, nor right after a restart', () => {
    expect(shown(job('a', { phase: 'verifying' }), 99_999)).toBe('verifying');
    expect(shown(job('a', { phase: 'planning' }), 99_999)).toBe('resolving');
    expect(shown(job('a', { startedAt: at(95_000) }), 99_999)).toBe('downloading');
  });
  it('has no speed to show while it resolves or verifies, unless bytes flow nevertheless', () => {
    const still = { ...job('a').progress, bytesPerSecond: 0 };
    expect([hasSpeed(job('a', { phase: 'resolving', progress: still }), 0), hasSpeed(job('a', { phase: 'verifying' }), 0)]).toEqual([false, true]);
    expect([hasSpeed(job('a', { progress: still }), 0), hasSpeed(job('a'), STALLED_AFTER_MS)]).toEqual([true, true]);
    expect(hasSpeed(job('a', { status: 'paused' }), 0)).toBe(false);
  });
  it('is never at 100 before it has completed', () => {
    const progress = { ...job('a').progress, downloadedBytes: 1000 };
    expect(percentOf(job('a', { progress }))).toBe(99);
    expect(percentOf(job('a', { progress, status: 'completed' }))).toBe(100);
  });
});

it('that a check came to its end says nothing of what it found', () => {
  const done = { status: 'completed', verify: 'sha256' } as const;
  expect([shown(job('a', done), 0), shown(job('a', { ...done, kind: 'verify' }), 0), shown(job('a', { ...done, kind: 'mirror' }), 0)]).toEqual(['done', 'finished', 'done']);
});

it('done of late is what was completed since then, not what failed or still runs', () => {
  const ended = (status: 'completed' | 'failed', ms: number) => job('a', { status, endedAt: at(ms) });
  expect([doneSince(ended('completed', 500), 500), doneSince(ended('completed', 499), 500), doneSince(ended('failed', 900), 500), doneSince(job('b'), 0)]).toEqual([true, false, false, false]);
});

it('a job that does not run has no speed, whatever was said last', () => {
  expect(speedNow(job('a', { status: 'paused' }), 0)).toBe(0);
});

it('only commands that the service takes are offered', () => {
  expect(allows(job('a', { status: 'queued' }), 'pause')).toBe(false);
  expect(allows(job('a', { status: 'queued' }), 'cancel')).toBe(true);
  expect(allows(job('a', { status: 'paused' }), 'dismiss')).toBe(true);
  expect(allows(job('a', { status: 'completed' }), 'retry')).toBe(false);
});

it('what needs a person is told apart by what helps', () => {
  expect(needOf(job('a', { status: 'queued', phase: null, waitReason: 'disk' }))).toBe('disk');
  expect(needOf(job('a', { status: 'queued', phase: null, waitReason: 'offline' }))).toBeNull();
  expect(needOf(job('a', { status: 'failed', errorCode: 'gated' }))).toBe('licence');
  expect(needOf(job('a', { status: 'failed', errorCode: 'a_code_of_tomorrow' }))).toBe('other');
});

describe('order', () => {
  const list = [
    job('done-old', { status: 'completed', endedAt: at(1) }), job('done-new', { status: 'completed', endedAt: at(2) }),
    job('late', { status: 'queued', createdAt: at(5) }), job('early', { status: 'queued', createdAt: at(4) }),
    job('urgent', { status: 'queued', createdAt: at(9), priority: 1 }), job('run'),
  ];
  it('has what runs first, then the line, then the ends, newest first', () => {
    expect([...list].sort(byQueue).map((one) => one.id)).toEqual(['run', 'urgent', 'early', 'late', 'done-new', 'done-old']);
    expect(Object.fromEntries(places(list))).toEqual({ urgent: 1, early: 2, late: 3 });
  });
  it('can be another one, in which equals keep their place', () => {
    expect(sorted(list, { column: 'speed', down: true }, 0).map((one) => one.id)).toEqual(['run', 'urgent', 'early', 'late', 'done-new', 'done-old']);
    expect(sorted(list, { column: 'name', down: false }, 0)[0]?.id).toBe('done-new');
  });
});

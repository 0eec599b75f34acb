import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BEAT_MS, onBeat } from '../../src/lib/beat';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('all move with one timer, which rests when nobody is left', () => {
  const heard: string[] = [];
  const first = onBeat(() => heard.push('clock'));
  vi.advanceTimersByTime(BEAT_MS / 2);
  const second = onBeat(() => heard.push('figures'));
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(BEAT_MS / 2);
  expect(heard).toEqual(['clock', 'figures']);
  first();
  vi.advanceTimersByTime(BEAT_MS);
  expect(heard).toEqual(['clock', 'figures', 'figures']);
  second();
  expect(vi.getTimerCount()).toBe(0);
});

test('beats are counted, so that what is slower moves with some of them', () => {
  const slow: number[] = [];
  const stop = onBeat((count) => {
    if (count % 10 === 0) slow.push(count);
  });
  vi.advanceTimersByTime(20 * BEAT_MS);
  stop();
  expect(slow).toHaveLength(2);
});

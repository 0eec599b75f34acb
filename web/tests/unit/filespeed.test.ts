import { expect, test } from 'vitest';
import type { Job } from '../../src/api/types';
import { FileSpeeds } from '../../src/lib/filespeed';

const START = Date.parse('2026-11-22T10:00:00Z');
const job = (ms: number, files: [string, string, number][], status = 'running') =>
  ({ status, updatedAt: new Date(START + ms).toISOString(), files: files.map(([path, state, downloaded]) => ({ path, status: state, downloaded })) }) as unknown as Job;

test('a speed is the mean over the last five seconds, by the time of the job', () => {
  const speeds = new FileSpeeds();
  speeds.take(job(0, [['a', 'downloading', 0], ['b', 'pending', 0]]));
  expect(speeds.now().size).toBe(0);
  for (const second of [1, 2, 3, 4, 5, 6, 7]) speeds.take(job(second * 1000, [['a', 'downloading', second <= 2 ? 0 : (second - 2) * 1000], ['b', 'pending', 0]]));
  expect([...speeds.now()]).toEqual([['a', 1000]]);
});

test('a message told twice changes nothing, and too short a time tells no speed', () => {
  const speeds = new FileSpeeds();
  speeds.take(job(0, [['a', 'downloading', 0]]));
  speeds.take(job(250, [['a', 'downloading', 5000]]));
  expect(speeds.now().size).toBe(0);
  speeds.take(job(1000, [['a', 'downloading', 2000]]));
  speeds.take(job(1000, [['a', 'downloading', 9000]]));
  expect(speeds.now().size).toBe(0);
});

test('a file that begins anew, ends or stops has no speed of before', () => {
  const speeds = new FileSpeeds();
  speeds.take(job(0, [['a', 'downloading', 4000], ['b', 'downloading', 0]]));
  speeds.take(job(1000, [['a', 'downloading', 100], ['b', 'complete', 9000]]));
  expect(speeds.now().size).toBe(0);
  speeds.take(job(2000, [['a', 'downloading', 1100]]));
  expect([...speeds.now()]).toEqual([['a', 1000]]);
  speeds.take(job(3000, [['a', 'downloading', 1100]], 'paused'));
  expect(speeds.now().size).toBe(0);
});

test('a stalled file is told as standing still', () => {
  const speeds = new FileSpeeds();
  for (const second of [0, 3, 6, 9]) speeds.take(job(second * 1000, [['a', 'downloading', 7000]]));
  expect([...speeds.now()]).toEqual([['a', 0]]);
});

import { describe, expect, it } from 'vitest';
import { fromOf, filled, parseRange, tallest } from '../../src/lib/days';
import { copiedBy, lostBy, sumOf } from '../../src/lib/mirror';
import { bandsOf, cellAt, painted, sound, spans } from '../../src/lib/week';

describe('the week', () => {
  it('has a sound shape whatever comes', () => {
    const grid = sound(['ssx', '', 'p'.repeat(30)]);
    expect([grid.length, ...new Set(grid.map((row) => row.length))]).toEqual([7, 24]);
    expect([grid[0]?.slice(0, 4), grid[2]]).toEqual(['ssnn', 'p'.repeat(24)]);
  });
  it('is painted between two corners in any direction, and nowhere else', () => {
    const grid = painted(sound([]), { day: 2, hour: 5 }, { day: 1, hour: 3 }, 'p');
    expect(grid.join('').split('').filter((one) => one === 'p').length).toBe(6);
    expect([grid[1]?.slice(3, 6), grid[2]?.slice(3, 6), grid[0]]).toEqual(['ppp', 'ppp', 'n'.repeat(24)]);
  });
  it('is told as ranges; normal hours go without saying', () => {
    expect(spans(`${'n'.repeat(8)}${'s'.repeat(11)}ppppp`)).toEqual([{ level: 's', start: 8, end: 19 }, { level: 'p', start: 19, end: 24 }]);
    expect(spans('n'.repeat(24))).toEqual([]);
  });
  it('knows the hour that is now in its zone', () => {
    expect(cellAt(Date.parse('2026-11-22T23:30:00Z'), 'Europe/Berlin')).toEqual({ day: 0, hour: 0 });
    expect(cellAt(Date.parse('2026-11-22T23:30:00Z'), 'UTC')).toEqual({ day: 6, hour: 23 });
    expect(cellAt(0, 'No/Where')).toBeNull();
  });
});

describe('the bands of a graph', () => {
  const at = (text: string) => Date.parse(`2026-11-23T${text}:00Z`);
  const monday = (row: string, timeZone = 'UTC') => ({ timeZone, grid: [row] });
  const row = `${'n'.repeat(8)}ssp${'n'.repeat(13)}`;
  it('are the slow and paused hours in it, cut at its ends', () => {
    expect(bandsOf(monday(row), at('08:55'), at('10:05'))).toEqual([{ level: 's', from: at('08:55'), to: at('10:00') }, { level: 'p', from: at('10:00'), to: at('10:05') }]);
    expect(bandsOf(monday(row), at('07:52'), at('08:02'))).toEqual([{ level: 's', from: at('08:00'), to: at('08:02') }]);
    expect(bandsOf(monday(row), at('12:00'), at('12:10'))).toEqual([]);
  });
  it('follow the zone of the week, also one whose hours begin at the half', () => {
    expect(bandsOf(monday(row, 'Europe/Berlin'), at('06:50'), at('07:10'))).toEqual([{ level: 's', from: at('07:00'), to: at('07:10') }]);
    expect(bandsOf(monday(row, 'Asia/Kolkata'), at('02:25'), at('02:35'))).toEqual([{ level: 's', from: at('02:30'), to: at('02:35') }]);
    expect(bandsOf(monday(row, 'No/Where'), at('08:00'), at('09:00'))).toEqual([]);
  });
});

describe('the days of the chart', () => {
  const now = Date.parse('2026-11-22T12:34:56Z');
  it('are all there, oldest first, empty ones too', () => {
    const days = filled([{ day: '2026-11-21', networkBytes: 5, reusedBytes: 2, completed: 1, failed: 0, cancelled: 0 }], 3, now);
    expect(days.map(({ day, networkBytes }) => [day, networkBytes])).toEqual([['2026-11-20', 0], ['2026-11-21', 5], ['2026-11-22', 0]]);
    expect([tallest(days), tallest([])]).toEqual([7, 1]);
  });
  it('begin where the range says', () => {
    expect([fromOf('24h', now), fromOf('all', now)]).toEqual(['2026-11-21T12:34:00.000Z', undefined]);
    expect([parseRange('7d'), parseRange('toString'), parseRange(null)]).toEqual(['7d', 'all', 'all']);
  });
});

describe('a run of the mirror', () => {
  const diffs = [
    { repo: 'a/here', type: 'model', status: 'missing', localSize: 3 },
    { repo: 'a/there', type: 'model', status: 'extra', remoteSize: 5 },
    { repo: 'a/both', type: 'model', status: 'outdated', localSize: 7, remoteSize: 6 },
  ] as const;
  it('loses what the side it reads from has not', () => {
    expect(lostBy('push', [...diffs]).map((diff) => diff.repo)).toEqual(['a/there']);
    expect(lostBy('pull', [...diffs]).map((diff) => diff.repo)).toEqual(['a/here']);
  });
  it('copies what is only on its side, and what differs', () => {
    expect(sumOf(copiedBy('push', [...diffs]))).toBe(10);
    expect(copiedBy('pull', [...diffs]).map((diff) => diff.repo)).toEqual(['a/there', 'a/both']);
  });
});

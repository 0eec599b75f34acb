import { describe, expect, it } from 'vitest';
import { ago, bytes, dayAndTime, eta, middle, part, percent, period, since, span, speed, until } from '../../src/lib/format';

describe('bytes', () => {
  it.each([
    [0, '0 B'], [1023, '1,023 B'], [1024, '1 KiB'], [1536, '1 KiB'], [2 ** 20, '1.0 MiB'], [3.95 * 2 ** 30, '3.9 GiB'], [2 ** 60, '1,024.0 PiB'], [-5, '0 B'],
  ])('%d is %s, rounded down', (value, text) => expect(bytes(value, 'en')).toBe(text));
  it('of a total name the unit once where it is the same, and nothing twice', () => {
    expect(part(13.3 * 2 ** 30, 18.4 * 2 ** 30, 'en')).toEqual(['13.3', '18.4 GiB']);
    expect(part(0, 18.4 * 2 ** 30, 'en')).toEqual(['0 B', '18.4 GiB']);
    expect(part(2 ** 30 - 1, 2 ** 30, 'de')).toEqual(['1.023,9 MiB', '1,0 GiB']);
    expect(part(2 ** 30, 2 ** 30, 'en')).toEqual(['', '1.0 GiB']);
  });
  it('have the comma of the language', () => expect(speed(22.5 * 2 ** 20, 'de')).toBe('22,5 MiB/s'));
});

describe('percent', () => {
  it('is 100 only when finished', () => {
    expect(percent(1000, 1000, false)).toBe(99);
    expect(percent(1000, 1000, true)).toBe(100);
    expect(percent(0, 0, true)).toBe(100);
  });
  it('is never more than what is there', () => {
    expect(percent(719, 1000, false)).toBe(71);
    expect(percent(5, 0, false)).toBe(0);
    expect(percent(-5, 10, false)).toBe(0);
  });
});

describe('times', () => {
  it.each([[0, '—'], [NaN, '—'], [Infinity, '> 1 day'], [30, '< 1 min'], [120, '2 min'], [4800, '1 h 20'], [90_000, '> 1 day']])(
    '%d seconds left read %s', (seconds, text) => expect(eta(seconds, 'day')).toBe(text));
  it.each([[34_999, '34 s'], [60_000, '1 min'], [3_900_000, '1 h 05'], [100 * 3_600_000, '4 d 4 h'], [-1, '0 s']])(
    '%d ms passed read %s', (ms, text) => expect(span(ms)).toBe(text));
  it.each([[86_400_000, '1 d'], [900_000, '15 min'], [3_600_000, '1 h'], [5000, '5 s'], [500, '500 ms'], [84_600_000, '1410 min'], [1500, '1 s']])(
    'a period of %d ms reads %s', (ms, text) => expect(period(ms)).toBe(text));
  it('tells how long ago in words, never in the future', () => {
    expect(ago(0, 3 * 60_000, 'en')).toBe('3 min. ago');
    expect(ago(5000, 0, 'en')).toBe('now');
    expect(ago(0, 86_400_000, 'de')).toBe('gestern');
  });
});

it('since when something is so stands as a time of today, a day of this week, or a date', () => {
  const now = new Date(2026, 10, 20, 14, 0).getTime();
  const hours = (count: number) => since(now - count * 3_600_000, now, 'en-GB');
  expect([hours(1), hours(20), hours(24 * 12)]).toEqual(['13:00', 'Thu 18:00', '8 Nov 2026']);
});

it('a long name keeps its end, where quant and shard number stand', () => {
  const short = middle('very-long-model-name-Q4_K_M-00001-of-00002.gguf', 34);
  expect(short).toHaveLength(34);
  expect(short.endsWith('00001-of-00002.gguf')).toBe(true);
  expect(middle('short', 30)).toBe('short');
});

describe('a time to come', () => {
  it.each([[0, 'now'], [-5000, 'now'], [7 * 60_000, 'in 7 min.'], [5 * 3_600_000, 'in 5 hr.'], [47 * 3_600_000, 'in 2 days']])(
    'in %d ms is %s', (left, text) => expect(until(1_000_000 + left, 1_000_000, 'en')).toBe(text));
  it('has its day', () => expect(dayAndTime(new Date(2026, 10, 23, 2, 0).getTime(), 'en-GB')).toMatch(/^Mon,? 02:00$/));
});

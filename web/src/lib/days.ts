/** The days of a chart: every one of them, with and without something in it. */
import type { Day } from '../api/history';

const DAY_MS = 86_400_000;

/** Ranges that the user can choose; days back from now, `null` = from the beginning. */
export const RANGES = { '24h': 1, '7d': 7, '30d': 30, '90d': 90, all: null } as const;
export type Range = keyof typeof RANGES;

export function parseRange(text: string | null): Range {
  return (Object.keys(RANGES) as Range[]).find((one) => one === text) ?? 'all';
}

/** Begin of the range as RFC 3339, on a whole minute so that the same view asks the same; `undefined` = no begin. */
export function fromOf(range: Range, now: number): string | undefined {
  const days = RANGES[range];
  return days === null ? undefined : new Date(Math.floor((now - days * DAY_MS) / 60_000) * 60_000).toISOString();
}

const empty = (day: string): Day => ({ day, networkBytes: 0, reusedBytes: 0, completed: 0, failed: 0, cancelled: 0 });
const name = (at: number) => new Date(at).toISOString().slice(0, 10);

/** The last `count` days up to the day of `now` (UTC), oldest first; days without anything are zero. */
export function filled(days: Day[], count: number, now: number): Day[] {
  const known = new Map(days.map((day) => [day.day.slice(0, 10), day]));
  const today = Date.parse(name(now));
  return Array.from({ length: count }, (_, index) => {
    const day = name(today - (count - 1 - index) * DAY_MS);
    return known.get(day) ?? empty(day);
  });
}

/** The tallest bar in bytes; at least 1, so that it can divide. */
export function tallest(days: Day[]): number {
  return Math.max(1, ...days.map((day) => day.networkBytes + day.reusedBytes));
}

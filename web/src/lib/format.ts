/** Numbers and times as people read them. All texts that are words come from the caller. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

const cache = new Map<string, Intl.NumberFormat>();

function decimal(locale: string, digits: number): Intl.NumberFormat {
  const key = `${locale}/${digits}`;
  let format = cache.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    cache.set(key, format);
  }
  return format;
}

/** A whole number with the separators of the language. */
export function whole(value: number, locale: string): string {
  return decimal(locale, 0).format(value);
}

/** Bytes in IEC units, one decimal from MiB up. Rounded down: a file is never shown fuller than it is. */
export function bytes(value: number, locale: string): string {
  let unit = 0;
  let size = Math.max(0, value);
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit >= 2 ? 1 : 0;
  const factor = 10 ** digits;
  return `${decimal(locale, digits).format(Math.floor(size * factor) / factor)} ${UNITS[unit]}`;
}

/** What is there of all there will be, as two texts: the unit stands once where both have the same. `''` = all is there. */
export function part(done: number, total: number, locale: string): [string, string] {
  const [some, all] = [bytes(done, locale), bytes(total, locale)];
  if (done >= total) return ['', all];
  const [number = '', unit] = some.split(' ');
  return [unit === all.split(' ')[1] ? number : some, all];
}

/** Bytes a second. */
export function speed(value: number, locale: string): string {
  return `${bytes(value, locale)}/s`;
}

/**
 * Whole percent, rounded down. 100 only when `finished`: before the last check the top is 99.
 * 0 when the total is not known.
 */
export function percent(done: number, total: number, finished: boolean): number {
  if (finished) return 100;
  if (total <= 0) return 0;
  return Math.min(99, Math.max(0, Math.floor((done / total) * 100)));
}

/** Time left, coarse: `< 1 min`, `2 min`, `1 h 20`, `> 1 day` (the word for day comes in). */
export function eta(seconds: number, day: string): string {
  if (!(seconds > 0)) return '—';
  if (seconds < 60) return '< 1 min';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes >= 24 * 60) return `> 1 ${day}`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`;
}

/** A span of time that has passed: `34 s`, `12 min`, `1 h 05`, `3 d 4 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A time that something is repeated after, in the largest unit that fits: `1 d`, `15 min`, `500 ms`. */
export function period(ms: number): string {
  const units = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]] as const;
  for (const [unit, length] of units) if (ms >= length && ms % length === 0) return `${ms / length} ${unit}`;
  return ms < 1000 ? `${ms} ms` : span(ms);
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** `3 min ago`, in words of the language. */
export function ago(at: number, now: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const passed = Math.max(0, now - at);
  for (const [unit, length] of STEPS) {
    if (passed >= length) return format.format(-Math.floor(passed / length), unit);
  }
  return format.format(0, 'second');
}

/** `in 3 hr.`, in words of the language; a time that is over is now. */
export function until(at: number, now: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const left = Math.max(0, at - now);
  for (const [unit, length] of STEPS) {
    if (left >= length) return format.format(Math.round(left / length), unit);
  }
  return format.format(0, 'second');
}

/** A time of the next days: `Mon 02:00`. */
export function dayAndTime(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(at);
}

/** Date, time and zone in full. */
export function absolute(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'long' }).format(at);
}

/** Since when something is so: the time of day, with its name where it is another one, or the date of long ago. */
export function since(at: number, now: number, locale: string): string {
  if (new Date(at).toDateString() === new Date(now).toDateString()) return clock(at, locale);
  return now - at < 6 * 86_400_000 ? dayAndTime(at, locale) : new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(at);
}

/** A day of the calendar, as UTC has it: `22 Nov 2026`. */
export function day(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(at);
}

/** The short name of a day of the week; 0 = Monday. */
export function weekday(index: number, locale: string): string {
  // 1 January 2024 was a Monday.
  return new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + index));
}

/** The time of day only: `14:02`. */
export function clock(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' }).format(at);
}

/** The time of day to the second: `14:02:31`. */
export function clockSeconds(at: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at);
}

/** A long name with its middle left out; the end (quant, shard number, ending) stays. */
export function middle(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const end = Math.ceil((longest - 1) * 0.6);
  const start = longest - 1 - end;
  return `${text.slice(0, start)}…${text.slice(text.length - end)}`;
}

/** A large number in short: `1.2M`, as the Hub writes it. */
export function compact(value: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

/** The week of the schedule: 7 texts of 24 letters, painted hour by hour, told as ranges. */

export const LEVELS = ['n', 's', 'p'] as const;
export type Level = (typeof LEVELS)[number];
export const DAYS = 7;
export const HOURS = 24;

export interface Cell {
  day: number;
  hour: number;
}

/** A grid of the right shape: what is missing or strange is normal. */
export function sound(grid: string[]): string[] {
  return Array.from({ length: DAYS }, (_, day) =>
    Array.from({ length: HOURS }, (_, hour) => LEVELS.find((level) => level === grid[day]?.[hour]) ?? 'n').join(''));
}

export function levelAt(grid: string[], cell: Cell): Level {
  return LEVELS.find((level) => level === grid[cell.day]?.[cell.hour]) ?? 'n';
}

/** The grid with every hour between two corners, both included, at `level`. */
export function painted(grid: string[], from: Cell, to: Cell, level: Level): string[] {
  const between = (value: number, a: number, b: number) => value >= Math.min(a, b) && value <= Math.max(a, b);
  return grid.map((row, day) =>
    between(day, from.day, to.day)
      ? [...row].map((old, hour) => (between(hour, from.hour, to.hour) ? level : old)).join('')
      : row);
}

export interface Span {
  level: Level;
  /** Hours of the day; `end` is not included and may be 24. */
  start: number;
  end: number;
}

/** The hours of one day that are not normal. */
export function spans(row: string): Span[] {
  const found: Span[] = [];
  [...row].forEach((letter, hour) => {
    const level = LEVELS.find((one) => one === letter) ?? 'n';
    const last = found.at(-1);
    if (last !== undefined && last.level === level && last.end === hour) last.end = hour + 1;
    else found.push({ level, start: hour, end: hour + 1 });
  });
  return found.filter((span) => span.level !== 'n');
}

/** Day (Monday = 0) and hour in a time zone; `null` when the zone is unknown here. */
export function cellAt(at: number, timeZone: string): Cell | null {
  try {
    const parts = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', hourCycle: 'h23' }).formatToParts(at);
    const text = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
    const day = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(text('weekday'));
    const hour = Number(text('hour'));
    return day < 0 || Number.isNaN(hour) ? null : { day, hour };
  } catch {
    return null;
  }
}

export interface Band {
  level: 's' | 'p';
  /** UTC ms; what reaches beyond the asked time is cut off there. */
  from: number;
  to: number;
}

/** Zones change their hour at a quarter of an hour of UTC at the finest. */
const QUARTER_MS = 900_000;

/** The parts of a time whose hours are slow or paused by a week; none when its zone is unknown here. */
export function bandsOf(week: { timeZone: string; grid: string[] }, from: number, to: number): Band[] {
  const bands: Band[] = [];
  for (let at = Math.floor(from / QUARTER_MS) * QUARTER_MS; at < to; at += QUARTER_MS) {
    const cell = cellAt(at, week.timeZone);
    const level = cell === null ? 'n' : levelAt(week.grid, cell);
    if (level === 'n') continue;
    const [start, end] = [Math.max(at, from), Math.min(at + QUARTER_MS, to)];
    const last = bands.at(-1);
    if (last !== undefined && last.level === level && last.to === start) last.to = end;
    else bands.push({ level, from: start, to: end });
  }
  return bands;
}

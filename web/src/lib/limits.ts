/** Sizes as people type them, and moments to pause until. */

const FACTORS: Record<string, number> = {
  '': 1, b: 1, k: 2 ** 10, kib: 2 ** 10, kb: 1000, m: 2 ** 20, mib: 2 ** 20, mb: 1e6, g: 2 ** 30, gib: 2 ** 30, gb: 1e9, t: 2 ** 40, tib: 2 ** 40, tb: 1e12,
};

/** Bytes of `50MiB`, `1.5 GB`, `7`; 0 for an empty text, `null` when it is no size. */
export function parseSize(text: string): number | null {
  const bare = text.trim().toLowerCase().replace(/\/s$/, '').replace(',', '.');
  if (bare === '' || bare === '0') return 0;
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(bare) ?? [];
  const factor = FACTORS[unit];
  return number === '' || factor === undefined ? null : Math.round(Number(number) * factor);
}

/** What goes to the service for a typed limit: a bare number means MiB; `null` when it is no size. */
export function limitOf(text: string): string | null {
  const bare = text.trim().replace(/\/s$/i, '').replace(',', '.').replace(/\s+/g, '');
  if (bare === '' || Number(bare) === 0) return '';
  const full = /^\d+(\.\d+)?$/.test(bare) ? `${bare}MiB` : bare;
  return parseSize(full) === null ? null : full;
}

/** Connections that a job may be limited to. */
export const CONNECTIONS = { min: 1, max: 64 };

/** A typed number of connections; empty = `null`, no limit of its own; `undefined` when it is none. */
export function connectionsOf(text: string): number | null | undefined {
  const bare = text.trim();
  if (bare === '') return null;
  const number = Number(bare);
  return /^\d+$/.test(bare) && number >= CONNECTIONS.min && number <= CONNECTIONS.max ? number : undefined;
}

/** The next time that a clock shows this hour, in UTC ms. */
export function nextHour(hour: number, now: number): number {
  const at = new Date(now);
  at.setHours(hour, 0, 0, 0);
  if (at.getTime() <= now) at.setDate(at.getDate() + 1);
  return at.getTime();
}

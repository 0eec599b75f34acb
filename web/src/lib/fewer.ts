/** Fewer connections for a job that failed by too many of them: which limits go down, and to what. */
import type { Limits } from '../api/control-types';
import type { Job, Settings } from '../api/types';

/** What a source that is asked too much at once does: it throttles, fails, cuts off, or says nothing any more. */
const BY_TOO_MANY = new Set(['rate_limited', 'server_error', 'stalled']);

/** Whether fewer connections may help a failed job. */
export function helpedByFewer(job: Pick<Job, 'status' | 'errorCode' | 'kind'>): boolean {
  return job.status === 'failed' && (job.kind ?? 'download') === 'download' && BY_TOO_MANY.has(job.errorCode ?? '');
}

/** `connections` = for one large file, `maxConnections` = for all downloads together. */
export type Key = 'connections' | 'maxConnections';

export interface Step {
  key: Key;
  from: number;
  to: number;
  /** Flag or variable that holds it where it is; empty = it can be changed. */
  held: string;
}

export interface Fewer {
  steps: Step[];
  /** Whether the limit over all is that of the slow hours now. */
  slow: boolean;
}

const half = (count: number) => Math.max(1, Math.floor(count / 2));

/** Half as many for a file and for all together, as far as nothing holds them. */
export function fewer(settings: Settings, limits: Limits | null): Fewer {
  const slow = limits?.active === 'slow';
  const each = Number(settings['connections']);
  const all = slow ? (limits?.slow.maxConnections ?? 1) : Number(settings['maxConnections']);
  const holder = (key: Key) => (settings.locked.includes(key) ? (settings.sourceNames[key] ?? key) : '');
  const held = { connections: holder('connections'), maxConnections: slow ? '' : holder('maxConnections') };
  const eachTo = held.connections === '' ? half(each) : each;
  // A file whose own number is held gets fewer only when all together have fewer than that.
  const most = held.connections === '' ? all : Math.min(each, all);
  const allTo = held.maxConnections === '' ? half(most) : all;
  return {
    slow,
    steps: [
      { key: 'connections', from: each, to: eachTo, held: held.connections },
      { key: 'maxConnections', from: all, to: allTo, held: held.maxConnections },
    ],
  };
}

/** What is saved where, so that the limits are at `pick` of each step. */
export function patchesOf(change: Fewer, pick: 'from' | 'to'): { settings: Partial<Record<Key, number>>; slow: number | null } {
  const settings: Partial<Record<Key, number>> = {};
  let slow: number | null = null;
  for (const step of change.steps) {
    if (step.from === step.to) continue;
    if (step.key === 'maxConnections' && change.slow) slow = step[pick];
    else settings[step.key] = step[pick];
  }
  return { settings, slow };
}

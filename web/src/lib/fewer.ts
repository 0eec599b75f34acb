/** Fewer connections for a job that failed by too many of them. */
import type { Limits } from '../api/control-types';
import type { Job, Settings } from '../api/types';

/** What a source that is asked too much at once does: it throttles, fails, cuts off, or says nothing any more. */
const BY_TOO_MANY = new Set(['rate_limited', 'server_error', 'stalled']);

/** Whether fewer connections may help a failed job. */
export function helpedByFewer(job: Pick<Job, 'status' | 'errorCode' | 'kind'>): boolean {
  return job.status === 'failed' && (job.kind ?? 'download') === 'download' && BY_TOO_MANY.has(job.errorCode ?? '');
}

/**
 * How many a job could use for one large file, by its own limit and those of all, and half of it. Several files
 * may have used more; then half for one of them is fewer all the same.
 */
export function fewer(job: Pick<Job, 'connections'>, settings: Settings, limits: Limits | null): { from: number; to: number } {
  const all = limits?.active === 'slow' ? limits.slow.maxConnections : Number(settings['maxConnections']);
  const from = Math.min(job.connections ?? Infinity, Number(settings['connections']), all);
  return { from, to: Math.max(1, Math.floor(from / 2)) };
}

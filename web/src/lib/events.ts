/** How much an event of a job matters. */
import type { JobEvent } from '../api/types';

const ERRORS = new Set(['failed', 'hash_mismatch']);
const WARNINGS = new Set(['requeued', 'waiting', 'stalled', 'retry', 'retried', 'held', 'cancelled', 'restarted']);

export function levelOf(event: JobEvent): 'info' | 'warn' | 'error' {
  if (ERRORS.has(event.event)) return 'error';
  return WARNINGS.has(event.event) ? 'warn' : 'info';
}

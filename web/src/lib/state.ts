/** From the fields of a job to the one word that a page shows for it. */
import type { Job } from '../api/types';
import { percent } from './format';

export type Shown =
  | 'queued' | 'waiting' | 'resolving' | 'downloading' | 'stalled' | 'verifying' | 'publishing'
  | 'paused' | 'done' | 'doneSize' | 'finished' | 'failed' | 'cancelled';

/**
 * A download without a byte for so long is called stalled. Longer than the pauses between two
 * checkpoints and than a slow redirect, far shorter than the service's own patience (60 s).
 */
export const STALLED_AFTER_MS = 10_000;

/** When the last byte came, or the run began, for a job that is fetching; else `null`. */
function lastSign(job: Job): number | null {
  if (job.status === 'running' && job.stalledSince != null) return Date.parse(job.stalledSince);
  if (job.status !== 'running' || (job.phase !== null && job.phase !== 'downloading')) return null;
  const at = [job.lastByteAt, job.startedAt]
    .filter((time): time is string => time !== null)
    .map((time) => Date.parse(time));
  return at.length === 0 ? null : Math.max(...at);
}

/** Since when no byte came, in UTC ms; `null` while data flows. */
export function stalledSince(job: Job, now: number): number | null {
  const at = lastSign(job);
  return at !== null && now - at >= STALLED_AFTER_MS ? at : null;
}

export function shown(job: Job, now: number): Shown {
  switch (job.status) {
    case 'queued':
      return job.waitReason === null ? 'queued' : 'waiting';
    case 'running':
      if (job.phase === 'resolving' || job.phase === 'planning') return 'resolving';
      if (job.phase === 'verifying') return 'verifying';
      if (job.phase === 'publishing') return 'publishing';
      return stalledSince(job, now) === null ? 'downloading' : 'stalled';
    case 'completed':
      // Its report says what it found; that it came to its end says nothing of that.
      if (job.kind === 'verify' || job.kind === 'export') return 'finished';
      return job.verify === 'none' ? 'doneSize' : 'done';
    default:
      return job.status;
  }
}

export type Tone = 'idle' | 'busy' | 'warn' | 'bad' | 'good';

const TONES: Record<Shown, Tone> = {
  queued: 'idle', waiting: 'warn', resolving: 'busy', downloading: 'busy', stalled: 'warn',
  verifying: 'busy', publishing: 'busy', paused: 'idle', done: 'good', doneSize: 'good', finished: 'good',
  failed: 'bad', cancelled: 'idle',
};

export function tone(kind: Shown): Tone {
  return TONES[kind];
}

/** Bytes a second that flow now: nothing flows in a job that stalls or does not run. */
export function speedNow(job: Job, now: number): number {
  return job.status === 'running' && stalledSince(job, now) === null ? job.progress.bytesPerSecond : 0;
}

/** At work, but not on bytes of the network: without a speed it lacks nothing. */
const WITHOUT_BYTES: ReadonlySet<Shown> = new Set(['resolving', 'verifying', 'publishing']);

/** Whether its speed says something now, be it zero. */
export function hasSpeed(job: Job, now: number): boolean {
  return job.status === 'running' && (speedNow(job, now) > 0 || !WITHOUT_BYTES.has(shown(job, now)));
}

/** Seconds left; 0 = unknown. */
export function etaNow(job: Job, now: number): number {
  return speedNow(job, now) > 0 ? job.progress.etaSeconds : 0;
}

export function percentOf(job: Job): number {
  const { downloadedBytes, totalBytes } = job.progress;
  return percent(downloadedBytes, totalBytes, job.status === 'completed');
}

export type Command = 'pause' | 'resume' | 'retry' | 'cancel' | 'dismiss' | 'hold' | 'start';

const ALLOWED: Record<Command, Job['status'][]> = {
  pause: ['running'],
  resume: ['paused'],
  hold: ['queued'],
  start: ['queued'],
  retry: ['failed', 'cancelled'],
  cancel: ['queued', 'running', 'paused'],
  dismiss: ['completed', 'failed', 'cancelled', 'paused'],
};

/** Whether the service would take the command in this state. */
export function allows(job: Job, command: Command): boolean {
  return ALLOWED[command].includes(job.status);
}

/** What only a person can mend; `null` when the job needs nobody. */
export type Need = 'licence' | 'token' | 'disk' | 'other';

export function needOf(job: Job): Need | null {
  if (job.status === 'queued' && job.waitReason === 'disk') return 'disk';
  if (job.status !== 'failed') return null;
  switch (job.errorCode) {
    case 'gated':
      return 'licence';
    case 'bad_token':
    case 'access_denied':
      return 'token';
    case 'disk_full':
    case 'disk_read_only':
    case 'disk_error':
      return 'disk';
    default:
      return 'other';
  }
}

/** Whether it was completed at `at` (UTC ms) or later. */
export function doneSince(job: Job, at: number): boolean {
  return job.status === 'completed' && job.endedAt !== null && Date.parse(job.endedAt) >= at;
}

const RANK: Record<Job['status'], number> = {
  running: 0, queued: 1, paused: 2, failed: 3, completed: 4, cancelled: 5,
};

const time = (text: string | null) => (text === null ? 0 : Date.parse(text));

/** Running first, then the queue in its order, then what has ended, newest first. */
export function byQueue(a: Job, b: Job): number {
  if (a.status !== b.status) return RANK[a.status] - RANK[b.status];
  if (a.endedAt !== null && b.endedAt !== null) return time(b.endedAt) - time(a.endedAt);
  // The place as last told; behind it the rule by which a service orders that tells none.
  if (a.status === 'queued' && a.position != null && b.position != null && a.position !== b.position) return a.position - b.position;
  return b.priority - a.priority || time(a.createdAt) - time(b.createdAt) || (a.id < b.id ? -1 : 1);
}

/** Place of each queued job in the line, from 1. */
export function places(jobs: Job[]): Map<string, number> {
  const line = jobs.filter((job) => job.status === 'queued').sort(byQueue);
  return new Map(line.map((job, index) => [job.id, index + 1]));
}

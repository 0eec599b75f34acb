/** Targets that keep a second copy of the cache, what differs, and the runs to and from them. */
import type { RepoType } from './cache';
import { json, query } from './client';
import type { Job } from './types';

export interface Target {
  name: string;
  path: string;
  description?: string;
  exists: boolean;
  /** Whether the folder is there and carries the mark that it got when it was added. */
  mounted?: boolean;
  markerOk?: boolean;
  /** When it was last found mounted. */
  lastSeenAt?: string | null;
  free?: number | null;
  total?: number | null;
  lastRunAt?: string | null;
  lastRun?: Run | string | null;
  /** When runs begin by themselves; `undefined` = a service that knows no such thing. */
  schedule?: Schedule | null;
  /** Whether none begins although there is a schedule. */
  paused?: boolean;
  /** In the past: it begins as soon as the target is mounted. */
  nextRunAt?: string | null;
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** How a copy is compared; see the words of `mirror.verify`. */
export const VERIFY = ['none', 'size', 'sha256'] as const;
export type Verify = (typeof VERIFY)[number];

export interface Schedule {
  /** Time of day, `02:30`. */
  at: string;
  /** Words of [`WEEKDAYS`]. */
  days: string[];
  timeZone: string;
  verify: string;
}

/** Whether anything may be written there or deleted by it: a folder without its mark is never an empty target. */
export function usable(target: Target): boolean {
  return (target.mounted ?? target.exists) && (target.markerOk ?? true);
}

export type Difference = 'missing' | 'extra' | 'outdated' | 'unreadable' | 'same';

export interface Diff {
  repo: string;
  type: RepoType;
  /** `missing` = only here, `extra` = only there, `outdated` = both, other commit. */
  status: string;
  localSize?: number;
  remoteSize?: number;
  /** Why it cannot be read. */
  error?: string;
}

export interface DiffAnswer {
  diffs: Diff[];
  localPath: string;
  targetPath: string;
  summary: { missing: number; extra: number; outdated: number; inSync: number; unreadable?: number };
}

export type Direction = 'push' | 'pull';

export interface SyncRequest {
  target: string;
  repoFilter?: string;
  dryRun?: boolean;
  verify?: Verify;
  deleteExtra?: boolean;
  async?: boolean;
}

export interface SyncAnswer {
  success: boolean;
  dryRun: boolean;
  copied: number;
  copiedSize: number;
  deleted: number;
  deletedSize: number;
  repos?: string[] | null;
  errors?: string[] | null;
  /** What is left alone, and why. */
  skipped?: string[] | null;
  message: string;
}

export interface Run {
  id?: string;
  jobId?: string;
  target?: string;
  direction?: string;
  status?: string;
  copied?: number;
  copiedSize?: number;
  deleted?: number;
  deletedSize?: number;
  error?: string;
  report?: SyncAnswer | null;
  createdAt?: string | null;
  startedAt?: string | null;
  endedAt?: string | null;
}

export const mirrorApi = {
  targets: () => json<{ targets: Target[] | null; count: number }>('GET', 'api/mirror/targets'),
  add: (target: { name: string; path: string; description: string }) =>
    json<{ success: boolean; message: string }>('POST', 'api/mirror/targets', target),
  change: (name: string, change: { schedule?: Schedule | null; paused?: boolean }) =>
    json<Target>('PATCH', `api/mirror/targets/${encodeURIComponent(name)}`, change),
  remove: (name: string) => json<{ success: boolean; message: string }>('DELETE', `api/mirror/targets/${encodeURIComponent(name)}`),
  diff: (target: string, repoFilter?: string) => json<DiffAnswer>('POST', 'api/mirror/diff', { target, ...(repoFilter === undefined ? {} : { repoFilter }) }),
  preview: (direction: Direction, asked: SyncRequest) => json<SyncAnswer>('POST', `api/mirror/${direction}`, { ...asked, dryRun: true }),
  start: (direction: Direction, asked: SyncRequest) => json<{ jobId: string } | Job>('POST', `api/mirror/${direction}`, { ...asked, async: true }),
  runs: (target?: string) => json<{ runs: Run[] }>('GET', query('api/mirror/runs', { target })),
};

/** The health of the service, its disks, its budget at the Hub; its log, its tasks, the copies of its database. */
import { json, query } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];
/** A line of the service's own log. */
export type LogEntry = Schemas['LogEntry'];
export type LogPage = Schemas['LogPage'];
export type SystemTask = Schemas['SystemTask'];
export type Backup = Schemas['Backup'];
export type Backups = Schemas['Backups'];
export type About = Schemas['About'];

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const satisfies LogEntry['level'][];
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Which lines of the log are wanted. */
export interface LogWish {
  level: LogLevel;
  q: string;
}

export interface SystemCheck {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  message?: string;
  hint?: string;
  since?: string | null;
}

export interface DiskVolume {
  path: string;
  mount?: string;
  fsType?: string;
  total: number;
  free: number;
  used: number;
  reserved: number;
  floor: number;
  roles?: string[];
  waitingJobs?: number;
  waitingBytes?: number;
}

/** One of the Hub's windows, as last heard; what was never heard is `null`. */
export interface Bucket {
  bucket: string;
  quota: number | null;
  remaining: number | null;
  resetSeconds: number | null;
  /** After a refusal nothing is sent before this moment. */
  waitingUntil: string | null;
}

/** Memory and errors of the last day, or since the start of the service. */
export interface SystemTrends {
  startedAt: string;
  stepMs: number;
  memory: { at: string; bytes: number }[];
  errorsSince: string;
  errors: { code: string; failures: number; retries: number }[];
}

export const systemApi = {
  checks: () => json<{ checks: SystemCheck[] }>('GET', 'api/system/checks'),
  volumes: () => json<{ volumes: DiskVolume[] }>('GET', 'api/disk'),
  log: (wish: LogWish, after?: number) => json<LogPage>('GET', query('api/system/log', { ...wish, after })),
  /** Where the lines come as they are written, those behind `after` first. */
  logStream: (wish: LogWish, after: number) => query('api/system/log/stream', { ...wish, after }),
  logFile: (wish: LogWish) => query('api/system/log', { ...wish, format: 'text' }),
  tasks: () => json<{ tasks: SystemTask[] }>('GET', 'api/system/tasks'),
  runTask: (name: SystemTask['name']) => json<SystemTask>('POST', `api/system/tasks/${name}/run`),
  backups: () => json<Backups>('GET', 'api/system/backups'),
  makeBackup: () => json<Backup>('POST', 'api/system/backups'),
  backupFile: (name: string) => `api/system/backups/${encodeURIComponent(name)}`,
  about: () => json<About>('GET', 'api/system/about'),
  trends: () => json<SystemTrends>('GET', 'api/system/trends'),
  rateLimit: () => json<{ endpoint: string; buckets: Bucket[] }>('GET', 'api/ratelimit'),
};

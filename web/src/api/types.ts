/**
 * The shapes of the API, written by hand from `src/http/views.rs` and its neighbours, because the
 * service publishes no OpenAPI document yet. Keys are as on the wire. What the pages do not use
 * is left out; unknown words (a new wait reason, say) must be expected, so they are plain strings
 * where the page can show them as they are.
 */

export type JobStatus = 'queued' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';
export type FileStatus = 'pending' | 'downloading' | 'verifying' | 'complete' | 'skipped' | 'error';
export type Phase = 'resolving' | 'planning' | 'downloading' | 'verifying' | 'publishing';
export type WaitReason = 'disk' | 'rate_limit' | 'offline' | 'schedule' | 'not_before' | 'retry';
export type JobKind = 'download' | 'mirror' | 'verify' | 'export';
export type Verify = 'none' | 'size' | 'sha256';

export interface Progress {
  totalFiles: number;
  completedFiles: number;
  /** 0 until the job has a plan. */
  totalBytes: number;
  downloadedBytes: number;
  bytesPerSecond: number;
  /** 0 = unknown. */
  etaSeconds: number;
  activity: string;
}

/** What the user wants of one file of a job. */
export type FilePriority = 'high' | 'normal' | 'skip';

export interface JobFile {
  path: string;
  totalBytes: number;
  downloaded: number;
  /** `skipped`: was here before, or with the priority `skip` is left out. */
  status: FileStatus;
  /** An older service has none. */
  priority?: FilePriority;
  /** `sha256`, `git-sha1`, `size`, or empty while nothing was compared. */
  verification: string;
  /** `network`, `reused`; empty until it is in place. */
  source?: string;
  error: string;
  errorCode: string | null;
  /** SHA-256 or git's SHA-1 of its content; only in the list of all files. */
  blobId?: string;
}

export interface Job {
  id: string;
  repo: string;
  revision: string;
  isDataset: boolean;
  filters: string[];
  excludes: string[];
  exactMatch: boolean;
  outputDir: string;
  status: JobStatus;
  phase: Phase | null;
  waitReason: WaitReason | null;
  progress: Progress;
  error: string;
  errorCode: string | null;
  hint: string;
  commit: string | null;
  verify: Verify;
  priority: number;
  attempt: number;
  retries: number;
  networkBytes: number;
  reusedBytes: number;
  refetchedBytes: number;
  lastByteAt: string | null;
  nextAttemptAt: string | null;
  notBefore: string | null;
  actor: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  updatedAt: string;
  /** At most 64 in lists and live updates: active, failed, newest. */
  files: JobFile[];
  filesTotal: number;
  filesTruncated: boolean;
  /** Files that are left out; the totals are without them. */
  skippedFiles?: number;
  filtersTruncated: boolean;
  // What follows an older service leaves out.
  kind?: JobKind;
  category?: string;
  tags?: string[];
  /** Place in the queue, from 1. */
  position?: number | null;
  /** Limit of this job, such as `5MiB`; empty = none. */
  maxSpeed?: string;
  /** Connections of all its files together at most; `null` = no limit of its own. */
  connections?: number | null;
  stalledSince?: string | null;
  pauseReason?: string | null;
  /** Why it uses as many connections as it does. */
  connectionsReason?: string;
  localDir?: string;
  routeKey?: string;
  /** The report of a job that is no download. */
  result?: Record<string, unknown> | null;
}

export interface JobsAnswer {
  jobs: Job[];
  count: number;
}

export interface FilesAnswer {
  files: JobFile[];
  total: number;
  limit: number;
  offset: number;
}

/** One file, or all that match. */
export type FileWish = ({ path: string } | { glob: string }) & { priority: FilePriority };

export interface FilesChosen {
  files: JobFile[];
  matched: number;
}

export interface JobEvent {
  seq: number;
  event: string;
  fromStatus: string | null;
  toStatus: string | null;
  actor: string;
  detail: string;
  at: string;
}

export interface EventsAnswer {
  events: JobEvent[];
  count: number;
}

export interface DownloadRequest {
  repo: string;
  revision?: string;
  dataset?: boolean;
  filters?: string[];
  excludes?: string[];
  exactMatch?: boolean;
  verify?: Verify;
  priority?: number;
  category?: string;
  tags?: string[];
  notBefore?: string;
  maxSpeed?: string;
  connections?: number;
  startPaused?: boolean;
  localDir?: string;
  routeKey?: string;
}

/** A new job comes as itself (202), a download that is live already in an envelope (200). */
export type DownloadAnswer = Job | { job: Job; message: string };

export interface PlanFile {
  path: string;
  size: number;
  lfs: boolean;
  present: boolean;
  partBytes: number;
}

export interface Plan {
  repo: string;
  revision: string;
  isDataset: boolean;
  commit: string | null;
  outputDir: string;
  totalFiles: number;
  files: PlanFile[];
  totalSize: number;
  skippedTotal: number;
  alreadyPresentBytes: number;
  fetchBytes: number;
  /** `null` when the disk was not asked. */
  freeBytes: number | null;
  reservedBytes: number;
  freeAfterBytes?: number | null;
  fits: boolean;
  warning: string;
  skippedFiles?: { path: string; size: number; reason: string }[];
  unsafeFiles?: { path: string; status: string; detail: string }[];
  /** Requests to the Hub that it takes, and how many the budget still has. */
  requests?: number;
  requestsRemaining?: number | null;
}

export interface HistoryEntry {
  id: string;
  kind: string;
  repo: string;
  revision: string;
  commit: string | null;
  isDataset: boolean;
  filters: string[];
  excludes: string[];
  verify: string;
  status: JobStatus;
  error: string;
  errorCode: string | null;
  totalFiles: number;
  completedFiles: number;
  totalBytes: number;
  networkBytes: number;
  reusedBytes: number;
  refetchedBytes: number;
  retries: number;
  activeMs: number;
  averageBytesPerSecond: number;
  actor: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string;
}

export interface HistoryAnswer {
  entries: HistoryEntry[];
  total: number;
  limit: number;
  offset: number;
}

export interface ProxySettings {
  url: string;
  username: string;
  hasPassword: boolean;
  noProxy: string;
  noEnvProxy: boolean;
}

/** Values under their names, and beside them where each comes from. */
export interface Settings {
  [key: string]: unknown;
  token: string;
  tokenHeldBack: boolean;
  endpoint: string;
  proxy: ProxySettings;
  configFile: string;
  effectiveHubDir: string;
  sources: Record<string, string>;
  sourceNames: Record<string, string>;
  shadowed: string[];
  locked: string[];
}

export interface SettingsSaved {
  success: boolean;
  message: string;
  shadowed: string[];
  warnings: string[];
}

export interface Health {
  status: string;
  version: string;
  time: string;
  uptimeSeconds: number;
}

export interface DiskFree {
  path: string;
  free: number;
  total: number;
  cacheDir: string;
  effectiveHubDir: string;
  hubDirSource: string;
}

/** The one shape of errors. */
export interface ErrorBody {
  error: string;
  details?: string;
  error_detail?: {
    code: string;
    message: string;
    details?: string;
    reason?: string;
    hint?: string;
    request_id?: string;
  };
}

export interface StatusData {
  active: number;
  queued: number;
  paused: number;
  bytesPerSecond: number;
  /** `null` until the disk answers. */
  diskFree: number | null;
  limits?: { active: string; maxSpeed: string };
}

export type LiveMessage =
  | { type: 'init'; data: { jobs: Job[]; jobsTotal: number; version: string } }
  | { type: 'job_update'; data: Job }
  | { type: 'event'; data: { event: string; jobId?: string } }
  | { type: 'status'; data: StatusData };

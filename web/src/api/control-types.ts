/** Shapes of what steers and measures the whole service. */

export interface LimitPair {
  /** Such as `50MiB`; empty = no limit. */
  maxSpeed: string;
  maxConnections: number;
}

export type LimitMode = 'normal' | 'slow' | 'schedule';

export interface Limits {
  normal: LimitPair;
  slow: LimitPair;
  mode: LimitMode;
  active: 'normal' | 'slow' | 'paused';
  activeReason: 'mode' | 'schedule' | 'paused_until';
  /** When the active pair changes by itself. */
  until: string | null;
  pausedUntil: string | null;
  /** The week, whether it is in use or not; an older service tells none. */
  schedule?: { timeZone: string; grid: string[] };
}

export interface LimitsPatch {
  normal?: Partial<LimitPair>;
  slow?: Partial<LimitPair>;
  mode?: LimitMode;
  pausedUntil?: string | null;
}

export interface Volume {
  path: string;
  mount: string;
  fsType: string;
  total: number;
  free: number;
  used: number;
  reserved: number;
  floor: number;
  roles: string[];
  waitingJobs: number;
  waitingBytes: number;
}

export interface SpeedPoint {
  at: string;
  bytesPerSecond: number;
}

export interface SpeedLine {
  stepMs: number;
  points: SpeedPoint[];
  now: number;
  mean: number;
  marks?: { at: string; kind: string }[];
}

export interface Segment {
  start: number;
  length: number;
  written: number;
  synced: number;
  open: boolean;
}

export interface SegmentedFile {
  path: string;
  totalBytes: number;
  written: number;
  synced: number;
  hashed: number;
  segments: Segment[];
}

export type BulkAction = 'pause' | 'resume' | 'hold' | 'start' | 'cancel' | 'retry' | 'dismiss' | 'set';

/** What can be changed of a job that waits or runs. */
export interface JobPatch {
  priority?: number;
  category?: string;
  tags?: string[];
  notBefore?: string | null;
  maxSpeed?: string;
  connections?: number | null;
}

export interface BulkAnswer {
  results: { id: string; ok: boolean; status?: string; error?: string; reason?: string }[];
  done: number;
  refused: number;
}

export type Place = 'top' | 'up' | 'down' | 'bottom';

/** How fast the service may be, and when: two pairs of limits and a week of hours. */
import { json } from './client';

export interface Pair {
  /** Such as `50MiB`; empty = no limit. */
  maxSpeed: string;
  maxConnections: number;
}

export interface Schedule {
  timeZone: string;
  /** Seven texts of 24 letters, Monday first: `n` normal, `s` slow, `p` paused. */
  grid: string[];
}

export interface WeekLimits {
  normal: Pair;
  slow: Pair;
  mode: 'normal' | 'slow' | 'schedule';
  active: 'normal' | 'slow' | 'paused';
  activeReason: string;
  until?: string | null;
  schedule: Schedule;
  pausedUntil?: string | null;
}

export const limitsApi = {
  show: () => json<WeekLimits>('GET', 'api/limits'),
  save: (patch: Partial<Pick<WeekLimits, 'normal' | 'slow' | 'mode' | 'schedule'>>) => json<unknown>('PUT', 'api/limits', patch),
};

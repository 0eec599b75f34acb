/** The health of the service, its disks, and its budget at the Hub. */
import { json } from './client';

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

export const systemApi = {
  checks: () => json<{ checks: SystemCheck[] }>('GET', 'api/system/checks'),
  volumes: () => json<{ volumes: DiskVolume[] }>('GET', 'api/disk'),
  rateLimit: () => json<{ endpoint: string; buckets: Bucket[] }>('GET', 'api/ratelimit'),
};

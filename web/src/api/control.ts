/** Limits, disks, speeds, and commands on many jobs. */
import { json, query } from './client';
import type { BulkAction, BulkAnswer, JobPatch, Limits, LimitsPatch, Place, SegmentedFile, SpeedLine, Volume } from './control-types';
import type { Job } from './types';

export const controlApi = {
  limits: () => json<Limits>('GET', 'api/limits'),
  setLimits: (patch: LimitsPatch) => json<Limits>('PUT', 'api/limits', patch),
  disk: () => json<{ volumes: Volume[] }>('GET', 'api/disk'),
  speed: (range: string, signal?: AbortSignal) => json<SpeedLine>('GET', query('api/speed', { range }), undefined, signal),
  jobSpeed: (id: string, range: string, signal?: AbortSignal) =>
    json<SpeedLine>('GET', query(`api/jobs/${id}/speed`, { range }), undefined, signal),
  segments: (id: string, signal?: AbortSignal) =>
    json<{ files: SegmentedFile[] }>('GET', `api/jobs/${id}/segments`, undefined, signal),
  bulk: (action: BulkAction, ids: string[], patch: JobPatch = {}) =>
    json<BulkAnswer>('POST', 'api/jobs/bulk', { action, ids, ...patch }),
  change: (id: string, patch: JobPatch) => json<Job>('PATCH', `api/jobs/${id}`, patch),
  order: (ids: string[], to: Place) => json<{ moved: number }>('POST', 'api/jobs/order', { ids, to }),
  orderBefore: (ids: string[], before: string) => json<{ moved: number }>('POST', 'api/jobs/order', { ids, before }),
};

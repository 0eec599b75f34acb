/** Jobs that are no downloads: checks, copies to and from targets, exports. */
import { json, query } from './client';
import type { Job, JobsAnswer } from './types';

export type WorkKind = 'mirror' | 'verify' | 'export';

/** The id of a job that was just made: the answer is the job itself, or names it. */
export function idOf(answer: { id: string } | { jobId: string }): string {
  return 'jobId' in answer ? answer.jobId : answer.id;
}

/** What the job found or did, once it has ended. */
export function resultOf<T>(job: Job | null): T | null {
  return (job as { result?: T | null } | null)?.result ?? null;
}

/** Whether a job lets repos share contents: it compares them like a check, and is none. */
export const isSharing = (job: Job): boolean => (job as { spec?: { shareFromBytes?: number } | null }).spec?.shareFromBytes !== undefined;

/** Jobs of one kind, newest first. */
export async function workJobs(kind: WorkKind): Promise<Job[]> {
  const { jobs } = await json<JobsAnswer>('GET', query('api/jobs', { kind }));
  // A service that does not know the word answers with its downloads.
  return jobs
    .filter((job) => (job as { kind?: string }).kind === kind)
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

import type { Job, JobFile } from '../../src/api/types';

export function file(path: string, more: Partial<JobFile> = {}): JobFile {
  return { path, totalBytes: 100, downloaded: 0, status: 'pending', verification: '', error: '', errorCode: null, ...more };
}

/** A running download; times count from 0. */
export function job(id: string, more: Partial<Job> = {}): Job {
  return {
    id, repo: `owner/${id}`, revision: 'main', isDataset: false, filters: [], excludes: [], exactMatch: false, outputDir: '/c',
    status: 'running', phase: 'downloading', waitReason: null,
    progress: { totalFiles: 2, completedFiles: 0, totalBytes: 1000, downloadedBytes: 250, bytesPerSecond: 50, etaSeconds: 15, activity: '' },
    error: '', errorCode: null, hint: '', commit: null, verify: 'size', priority: 0, attempt: 1, retries: 0,
    networkBytes: 250, reusedBytes: 0, refetchedBytes: 0, lastByteAt: new Date(0).toISOString(), nextAttemptAt: null, notBefore: null,
    actor: 'a', createdAt: new Date(0).toISOString(), startedAt: new Date(0).toISOString(), endedAt: null, updatedAt: new Date(0).toISOString(),
    files: [file('a'), file('b')], filesTotal: 2, filesTruncated: false, filtersTruncated: false, ...more,
  };
}

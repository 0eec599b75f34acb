/** The one door to the service: every request of the pages goes through here. */
import { at } from '../lib/base';
import type {
  DiskFree, DownloadAnswer, DownloadRequest, ErrorBody, EventsAnswer, FilesAnswer, FilesChosen, FileWish, Health,
  HistoryAnswer, Job, JobsAnswer, Plan, Settings, SettingsSaved,
} from './types';

/** Longest wait for an answer; the service itself gives a plan 60 s. */
const PATIENCE_MS = 70_000;

/** An answer that is an error, or no answer at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    message: string,
    readonly details = '',
    /** One of the codes of the service, such as `gated`. */
    readonly reason = '',
    readonly hint = '',
    readonly requestId = '',
  ) {
    super(message);
  }

  /** The sentence with what is known beyond it. */
  get sentence(): string {
    return this.details === '' ? this.message : `${this.message}: ${this.details}`;
  }
}

export type Query = Record<string, string | number | boolean | undefined>;

async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const init: RequestInit = {
    method,
    cache: 'no-store',
    signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
  };
  if (body !== undefined) {
    init.headers = { 'Content-Type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  try {
    return await fetch(at(path), init);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ApiError(0, 'unreachable');
  }
}

/** Asks and reads the answer; every error is an [`ApiError`]. The files beside this one ask through it. */
export async function json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await request(method, path, body, signal);
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A reverse proxy's own page, for instance.
    throw new ApiError(response.status, `HTTP ${response.status}`, response.statusText);
  }
  if (response.ok) return parsed as T;
  const { error, details, error_detail: more } = parsed as Partial<ErrorBody>;
  throw new ApiError(
    response.status, error ?? `HTTP ${response.status}`, details, more?.reason, more?.hint, more?.request_id,
  );
}

/** `path` with those fields that are set. */
export function query(path: string, fields: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Whether the service has no such route: an older one, and the part of the page is left out. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 405 || error.status === 501);
}

export type JobCommand = 'pause' | 'resume' | 'retry' | 'dismiss' | 'cancel';

export const api = {
  health: () => json<Health>('GET', 'api/health'),
  /** Whether database and cache take writes; an answer of 503 is an answer. */
  ready: async () => (await request('GET', 'readyz')).ok,
  diskFree: () => json<DiskFree>('GET', 'api/diskfree'),
  jobs: () => json<JobsAnswer>('GET', 'api/jobs?kind=all'),
  job: (id: string, signal?: AbortSignal) => json<Job>('GET', `api/jobs/${id}`, undefined, signal),
  files: (id: string, limit: number, offset: number, signal?: AbortSignal) =>
    json<FilesAnswer>('GET', query(`api/jobs/${id}/files`, { limit, offset }), undefined, signal),
  chooseFiles: (id: string, files: FileWish[]) => json<FilesChosen>('PATCH', `api/jobs/${id}/files`, { files }),
  events: (id: string, after = 0, signal?: AbortSignal) =>
    json<EventsAnswer>('GET', query(`api/jobs/${id}/events`, { after }), undefined, signal),
  command: (id: string, command: JobCommand) =>
    command === 'cancel'
      ? json<{ message: string }>('DELETE', `api/jobs/${id}`)
      : json<{ message: string }>('POST', `api/jobs/${id}/${command}`),
  /** Once more, with so many connections at most from now on. */
  retryOver: (id: string, connections: number) => json<{ message: string }>('POST', `api/jobs/${id}/retry`, { connections }),
  plan: (asked: DownloadRequest, signal?: AbortSignal) => json<Plan>('POST', 'api/plan', asked, signal),
  download: (asked: DownloadRequest) => json<DownloadAnswer>('POST', 'api/download', asked),
  history: (fields: { limit: number; offset: number; status?: string; repo?: string }, signal?: AbortSignal) =>
    json<HistoryAnswer>('GET', query('api/history', fields), undefined, signal),
  settings: () => json<Settings>('GET', 'api/settings'),
  saveSettings: (patch: Record<string, unknown>) => json<SettingsSaved>('POST', 'api/settings', patch),
};

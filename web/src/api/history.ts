/** The history: what ended, day by day, file by file, and whether the record is whole. */
import { json, query } from './client';
import type { HistoryEntry } from './types';

/** What a newer service adds to an entry. */
export interface PastJob extends HistoryEntry {
  seq?: number;
  exactMatch?: boolean;
  /** Mean over the time of work. */
  bytesPerSecond?: number;
  verification?: string;
  chainHash?: string;
  category?: string;
}

export interface HistoryFilter {
  status?: string;
  kind?: string;
  repo?: string;
  actor?: string;
  category?: string;
  q?: string;
  /** RFC 3339. */
  from?: string;
  to?: string;
}

export interface HistoryPage {
  entries: PastJob[];
  total: number;
  nextCursor?: string | number | null;
}

export interface Day {
  /** `2026-11-22`. */
  day: string;
  networkBytes: number;
  reusedBytes: number;
  completed: number;
  failed: number;
  cancelled: number;
}

export interface PastFile {
  path: string;
  size: number;
  sha256?: string | null;
  blobId?: string | null;
  verification?: string;
  source?: string;
  /** `skipped` without a source: left out by the user. */
  status?: string;
}

export interface ChainCheck {
  ok: boolean;
  checked: number;
  head?: string | null;
  anchor?: string | null;
  firstBad?: { seq: number; reason: string } | null;
}

export const FORMATS = ['csv', 'json', 'jsonl'] as const;

const PATH = 'api/history';

export const historyApi = {
  list: (filter: HistoryFilter, page: { limit: number; cursor?: string; offset?: number }) =>
    json<HistoryPage>('GET', query(PATH, { ...filter, ...page })),
  files: (seq: number) => json<{ files: PastFile[] }>('GET', `${PATH}/${seq}/files`),
  stats: (from: string | undefined, to: string | undefined) => json<{ days: Day[] }>('GET', query(`${PATH}/stats`, { from, to })),
  verify: () => json<ChainCheck>('GET', `${PATH}/verify`),
};

/** Where the browser fetches exactly the filtered entries as a file. */
export function exportPath(filter: HistoryFilter, format: (typeof FORMATS)[number]): string {
  return query(PATH, { ...filter, format });
}

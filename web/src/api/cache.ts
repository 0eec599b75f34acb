/** The cache: what is there, what can go, and the work on it. Shapes as on the wire. */
import { json, query } from './client';
import type { Job } from './types';

export type RepoType = 'model' | 'dataset';

/** How a file or repo was last compared with its hashes; empty = never. */
export type Checked = string;

export interface CachedRepo {
  repo: string;
  type: RepoType;
  path: string;
  owner: string;
  name: string;
  source: string;
  size: number;
  /** What of it other repos have too, in one file of the disk. */
  sharedSize?: number;
  /** What it has alone, and an equal part of what it shares. */
  diskShare?: number;
  fileCount: number;
  branch?: string;
  commit?: string;
  downloaded?: string;
  downloadStatus: string;
  quantizations?: string[];
  friendlyPath?: string;
  lastUsed?: string | null;
  verifiedAt?: string | null;
  verification?: Checked;
  revisionCount?: number;
  /** Files of the shown snapshot whose content is not there. */
  missingFiles?: number;
  problems?: string[];
}

export interface CacheList {
  repos: CachedRepo[];
  count: number;
  cacheDir: string;
  scannedAt?: string | null;
}

export interface Revision {
  commit: string;
  refs: string[];
  size: number;
  /** Bytes that only this revision holds: what its deletion frees. */
  uniqueSize: number;
  fileCount: number;
  lastModified?: string | null;
}

export interface CachedFile {
  name: string;
  size: number;
  isLfs: boolean;
  blobId?: string;
  commit?: string;
  verification?: Checked;
  /** `linked` and `real` are well; `dangling` lacks its content, `foreign` leads out of the cache. */
  held?: string;
  /** Other repos with the same content, as `type:owner/name`. */
  sharedWith?: string[];
}

export interface CachedRepoDetails extends CachedRepo {
  revisions?: Revision[];
  files?: CachedFile[];
}

export interface Deletion {
  success: boolean;
  dryRun?: boolean;
  freesBytes: number;
  keepsBytes: number;
  /** Commits or their number; likewise the files. */
  revisions: string[] | number;
  files: string[] | number;
  /** The first of the names that go. */
  fileNames?: string[];
}

export interface Member {
  path: string;
  size: number;
  versions?: unknown;
  linkOnly?: boolean;
  message?: string;
}

export interface Group {
  id: string;
  label: string;
  members: Member[];
  warning?: string;
  canDelete: boolean;
}

export interface Selection {
  repo: string;
  type: RepoType;
  locations: { id: string; path: string; groups: Group[]; canDelete: boolean; deleteReason?: string }[];
}

export const WASTE = ['incomplete', 'orphans', 'parts', 'old_revisions'] as const;
export type Waste = (typeof WASTE)[number];

export interface PruneItem {
  kind: string;
  repo: string;
  type: RepoType | null;
  path: string;
  bytes: number;
  reason: string;
}

export interface PruneAnswer {
  dryRun: boolean;
  items: PruneItem[];
  freesBytes: number;
  removed: number;
  freedBytes: number;
  /** Repos that were left out because a job works on them. */
  skipped?: string[];
  errors: string[];
}

/** A content that several repos keep each for itself. */
export interface Duplicate {
  blobId: string;
  bytes: number;
  /** Files that hold it: so often it takes its room. */
  copies: number;
  freesBytes: number;
  repos: { repo: string; type: RepoType; replaced: boolean; stays: string }[];
}

export interface Duplicates {
  /** The largest saving first, a thousand at most; `count` has them all. */
  items: Duplicate[];
  count: number;
  freesBytes: number;
  copies: number;
  minBytes: number;
}

export interface ShareReport {
  shared: number;
  freedBytes: number;
  leftOut: string[];
  errors: string[];
}

export interface BadFile {
  repo: string;
  type?: RepoType;
  /** The snapshot that shows it; empty for a content that none shows. */
  commit?: string;
  path: string;
  blobId?: string;
  problem?: string;
}

export interface VerifyReport {
  checked: number;
  bytes: number;
  ok: number;
  /** The first thousand; `badCount` has them all. */
  bad: BadFile[];
  badCount?: number;
  missing: BadFile[];
  missingCount?: number;
  unknown: number;
  /** What was left out, and why. */
  skipped?: string[];
}

export interface ImportFile {
  path: string;
  bytes: number;
  repo: string;
  type: RepoType;
  /** Its path in the repo. */
  name: string;
}

export interface ImportReport {
  dryRun: boolean;
  dir: string;
  /** Files that say what they are: the first thousand; `matchedCount` has them all. */
  matched: ImportFile[];
  matchedCount: number;
  bytes: number;
  unmatched: { path: string; reason: string }[];
  unmatchedCount: number;
  adopted: number;
  adoptedBytes: number;
  /** Files whose content was in the cache already. */
  present: number;
  errors: string[];
}

export interface ImportWish {
  dir: string;
  mode: string;
  /** Whose files they are, for a folder that does not say it. */
  repo?: string;
  type?: RepoType;
}

export const LINK_MODES = ['auto', 'hardlink', 'reflink', 'copy'] as const;

const repoPath = (repo: string) => `api/cache/${repo}`;

export const cacheApi = {
  list: (signal?: AbortSignal) => json<CacheList>('GET', 'api/cache', undefined, signal),
  show: (repo: string, type: RepoType) => json<CachedRepoDetails>('GET', query(repoPath(repo), { type })),
  /** What a deletion would free and keep. */
  preview: (repo: string, type: RepoType, revision?: string) =>
    json<Deletion>('DELETE', query(repoPath(repo), { type, revision, dryRun: true })),
  remove: (repo: string, type: RepoType, revision?: string) =>
    json<{ success: boolean; message?: string; errors?: string[] }>('DELETE', query(repoPath(repo), { type, revision })),
  groups: (repo: string, type: RepoType) => json<Selection>('GET', query('api/cache-selection', { repo, type })),
  removeGroup: (repo: string, type: RepoType, locationId: string, group: Group) =>
    json<{ ok: boolean; message: string }>('DELETE', 'api/cache-selection', {
      repo, type, locationId, groupId: group.id, members: group.members,
    }),
  prune: (what: Waste[], dryRun: boolean, olderThanDays?: number) =>
    json<PruneAnswer>('POST', 'api/cache/prune', { dryRun, what, ...(olderThanDays === undefined ? {} : { olderThanDays }) }),
  duplicates: (minBytes: number) => json<Duplicates>('GET', query('api/cache/duplicates', { minBytes })),
  /** Lets the repos share what they keep twice. */
  share: (minBytes: number) => json<Job>('POST', 'api/cache/duplicates', { minBytes }),
  verify: (asked: { repo?: string; type?: RepoType; mode: 'size' | 'sha256'; speed: 'idle' | 'normal' }) =>
    json<Job>('POST', 'api/cache/verify', asked),
  repair: (jobId: string) => json<{ jobs?: Job[]; queued?: number; files?: number; skipped?: string[] }>('POST', 'api/cache/repair', { jobId }),
  exportTo: (asked: { repo: string; type: RepoType; revision?: string; filters?: string[]; dest: string; mode: string }) =>
    json<Job>('POST', 'api/cache/export', asked),
  importLook: (wish: ImportWish) => json<ImportReport>('POST', 'api/cache/import', { ...wish, dryRun: true }),
  importStart: (wish: ImportWish) => json<{ jobId: string }>('POST', 'api/cache/import', { ...wish, dryRun: false, async: true }),
};

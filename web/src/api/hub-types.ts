/** What the service says of the Hub: search results, reports, descriptions, budget. */
import type { DownloadRequest } from './types';

/** `false` = open; a word or `true` = terms must be accepted. */
export type Gate = boolean | string;

export interface Found {
  id: string;
  author: string;
  downloads: number;
  likes: number;
  private: boolean;
  gated: Gate;
  pipelineTag: string;
  libraryName: string;
  tags: string[];
  lastModified: string;
  cached: boolean;
}

export interface SearchAnswer {
  results: Found[];
  nextCursor?: string | null;
  /** From when the results are, where the Hub gives none now. */
  staleSince?: string | null;
}

export interface RepoFile {
  path: string;
  size: number;
  lfs: boolean;
  sha256?: string;
}

/** One part of a repo that can be chosen. */
export interface Item {
  id: string;
  label: string;
  description?: string;
  /** Absent for another branch. */
  size?: number;
  quality?: number;
  quality_stars?: string;
  recommended: boolean;
  category: string;
  /** Filters with commas between; empty = the whole revision. */
  filter_value: string;
  files: string[];
  /** Memory to run it, in bytes. */
  ram?: number;
  /** Another branch that holds it. */
  revision?: string;
  /** Why it cannot be used as it is. */
  warning?: string;
  /** Another repo that holds it. */
  upstream_repo?: string;
}

export interface Finding {
  path: string;
  level: string;
}

export interface Related {
  type: string;
  repo: string;
  label: string;
  description: string;
  required: boolean;
  size?: number;
}

export interface Report {
  repo: string;
  is_dataset: boolean;
  /** `gguf`, `transformers`, `dataset`, … */
  type: string;
  type_description: string;
  files: RepoFile[];
  file_count: number;
  total_size: number;
  branch: string;
  commit?: string;
  refs: { name: string; type: string; commit: string }[];
  analyzed_at: string;
  gguf?: {
    parameter_count?: string;
    parameter_count_exact?: number;
    architecture?: string;
    context_length?: number;
    model_chain?: { repo: string; relation?: string; is_current: boolean }[];
  };
  transformers?: { architecture?: string; estimated_parameters?: string; precision?: string; context_length?: number };
  lora?: { base_model?: string; rank?: number };
  quantized?: { method?: string; bits?: number; base_model?: string };
  dataset?: { primary_format?: string; formats?: string[]; configs?: string[] };
  selectable_items: Item[];
  recommended_filters: string[];
  recommended_download: DownloadRequest;
  related_downloads?: Related[];
  warnings?: string[];
  gated: Gate;
  private: boolean;
  disabled: boolean;
  /** Why files cannot be opened with the token that is set; empty when they can. */
  locked: string;
  tags: string[];
  pipeline_tag: string;
  library_name: string;
  downloads: number;
  likes: number;
  last_modified: string;
  security?: { scans_done: boolean | null; files_with_issues: Finding[] };
  cached: boolean;
}

export interface CollectionHead {
  /** `owner/slug`. */
  id: string;
  title: string;
  description: string;
  private: boolean;
  lastUpdated: string | null;
}

export interface Collection extends CollectionHead {
  items: { repo: string; dataset: boolean; gated: Gate; private: boolean; cached: boolean }[];
  /** Spaces, papers and what else is nothing to download. */
  leftOut: { type: string; name: string }[];
}

export interface Commits {
  commits: { commit: string; title: string; date: string; cached: boolean }[];
  more: boolean;
  /** Commits that are newer than the newest one here; `null` = nothing of this revision is here. */
  behind: number | null;
  /** Whether `behind` is only where the list ends. */
  behindMore: boolean;
  held: { commit: string; refs: string[] } | null;
}

export interface Suggestion {
  id: string;
  dataset: boolean;
  /** `library`, `history` or `hub`. */
  source: string;
}

/** A model and a dataset have the same name. */
export interface NeedsSelection {
  needsSelection: true;
  repo: string;
  options: string[];
}

export interface Readme {
  html: string;
  truncated: boolean;
}

export interface Bucket {
  bucket: string;
  quota: number | null;
  remaining: number | null;
  resetSeconds: number | null;
  waitingUntil: string | null;
}

export interface RateLimit {
  endpoint: string;
  buckets: Bucket[];
}

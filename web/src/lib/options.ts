/** What can be said of a download beside which files it fetches. */
import type { DownloadRequest } from '../api/types';

export interface QueueChoice {
  category: string;
  tags: string;
  priority: number;
  maxSpeed: string;
  /** `null` = no limit of its own. */
  connections: number | null;
  startPaused: boolean;
  localDir: string;
}

export const noOptions = (): QueueChoice => ({ category: '', tags: '', priority: 0, maxSpeed: '', connections: null, startPaused: false, localDir: '' });

/** Words with commas between, each once. */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(',').map((tag) => tag.trim()).filter((tag) => tag !== ''))];
}

/** The request with what was chosen; what was left alone is not sent, for services that do not know it. */
export function applied(request: DownloadRequest, options: QueueChoice): DownloadRequest {
  const full: DownloadRequest = { ...request };
  const tags = tagsOf(options.tags);
  if (options.category.trim() !== '') full.category = options.category.trim();
  if (tags.length > 0) full.tags = tags;
  if (options.priority !== 0) full.priority = options.priority;
  if (options.maxSpeed.trim() !== '') full.maxSpeed = options.maxSpeed.trim();
  // A field that was emptied again may hold nothing at all.
  if (typeof options.connections === 'number') full.connections = options.connections;
  if (options.startPaused) full.startPaused = true;
  if (options.localDir.trim() !== '') full.localDir = options.localDir.trim();
  return full;
}

/** Priorities by name; between them others are possible. */
export const PRIORITIES = [100, 10, 0, -10] as const;

/** The library in sums and orders, and the lines that use a repo. */
import type { CachedRepo, RepoType } from '../api/cache';
import { quoted } from './curl';

/** A repo that was not used for so long is drawn with a pattern. */
export const UNUSED_AFTER_DAYS = 30;
/** Whole repos from this size on want their name typed before they go: 100 GiB. */
export const TYPE_NAME_FROM = 100 * 2 ** 30;

export const COLUMNS = ['repo', 'type', 'size', 'revisions', 'files', 'complete', 'verified', 'used'] as const;
export type Column = (typeof COLUMNS)[number];
export interface Order {
  column: Column;
  down: boolean;
}

/** `size-down` as an order; the largest first when nothing is asked for. */
export function parseOrder(text: string | null): Order {
  const [name, direction] = (text ?? '').split('-');
  const column = COLUMNS.find((one) => one === name);
  return column === undefined ? { column: 'size', down: true } : { column, down: direction === 'down' };
}

export function nextOrder(order: Order, column: Column): string {
  if (order.column !== column) return ['size', 'files', 'revisions', 'used', 'verified'].includes(column) ? `${column}-down` : column;
  return order.down ? column : `${column}-down`;
}

const time = (at: string | null | undefined) => (at === null || at === undefined || at === '' ? 0 : Date.parse(at));

function value(repo: CachedRepo, column: Column): number | string {
  switch (column) {
    case 'repo':
      return repo.repo.toLowerCase();
    case 'type':
      return repo.type;
    case 'complete':
      return repo.downloadStatus;
    case 'size':
      return repo.size;
    case 'revisions':
      return repo.revisionCount ?? 0;
    case 'files':
      return repo.fileCount;
    case 'verified':
      return time(repo.verifiedAt);
    case 'used':
      return time(repo.lastUsed);
  }
}

/** A sorted copy; equal ones by name. */
export function sorted(repos: CachedRepo[], order: Order): CachedRepo[] {
  const sign = order.down ? -1 : 1;
  return [...repos].sort((a, b) => {
    const [left, right] = [value(a, order.column), value(b, order.column)];
    if (left === right) return a.repo.localeCompare(b.repo);
    return sign * (left < right ? -1 : 1);
  });
}

/** Whether nothing has read a repo for so many days; unknown is not idle. */
export function unusedFor(repo: CachedRepo, days: number, now: number): boolean {
  const at = time(repo.lastUsed);
  return at > 0 && now - at >= days * 86_400_000;
}

/** Whether a repo lies idle. */
export const unused = (repo: CachedRepo, now: number): boolean => unusedFor(repo, UNUSED_AFTER_DAYS, now);

/** Its part of the disk: a file that several repos share is divided among them, so that the parts add up to what is there. */
export const shareOf = (repo: CachedRepo): number => repo.diskShare ?? repo.size;

export function sumOf(repos: CachedRepo[], type?: RepoType): number {
  return repos.reduce((sum, repo) => sum + (type === undefined || repo.type === type ? shareOf(repo) : 0), 0);
}

/** What the repos would take beyond their sum if each kept its own copy of what it shares. */
export function savedOf(repos: CachedRepo[]): number {
  return repos.reduce((sum, repo) => sum + repo.size - shareOf(repo), 0);
}

/** Where the page of a repo is. */
export function pathOf(repo: { repo: string; type: RepoType }): string {
  return `library/${repo.type === 'dataset' ? 'datasets' : 'models'}/${repo.repo}`;
}

/** The cache root that tools want: the folder above `hub`. */
export function homeOf(repoPath: string): { root: string; exact: boolean } {
  const hub = repoPath.replace(/\/[^/]+\/?$/, '');
  return hub.endsWith('/hub') ? { root: hub.slice(0, -4), exact: false } : { root: hub, exact: true };
}

/** Lines for the shell that use what is there, without the network. */
export function usage(repo: CachedRepo & { files?: { name: string }[] }): { name: string; line: string }[] {
  const { root, exact } = homeOf(repo.path);
  const where = `${exact ? 'HF_HUB_CACHE' : 'HF_HOME'}=${quoted(root)}`;
  const env = `${where} HF_HUB_OFFLINE=1`;
  const lines = [{ name: 'hf', line: `${env} hf download ${quoted(repo.repo)}${repo.type === 'dataset' ? ' --repo-type dataset' : ''}` }];
  if (repo.type === 'dataset') {
    lines.push({ name: 'datasets', line: `${env} python3 -c ${quoted(`from datasets import load_dataset; print(load_dataset("${repo.repo}"))`)}` });
    return lines;
  }
  const files = repo.files?.map((file) => file.name) ?? [];
  const gguf = files.find((name) => name.endsWith('.gguf') && !/mmproj|-0000[2-9]-of-|-000[1-9]\d-of-/i.test(name));
  if (gguf !== undefined) {
    const base = repo.commit === undefined || repo.commit === '' ? '*' : `${repo.commit}*`;
    lines.push({ name: 'llama.cpp', line: `llama-server -m ${quoted(repo.path)}/snapshots/${base}/${quoted(gguf)}` });
  } else {
    lines.push({ name: 'vLLM', line: `${env} vllm serve ${quoted(repo.repo)}` });
    lines.push({ name: 'transformers', line: `${env} python3 -c ${quoted(`from transformers import AutoModel; AutoModel.from_pretrained("${repo.repo}")`)}` });
  }
  return lines;
}

/** What tells an entry from the others: the same repo may lie in the cache and plain in a folder beside it. */
export const keyOf = (repo: Pick<CachedRepo, 'type' | 'repo' | 'path'>) => `${repo.type}:${repo.repo}:${repo.path}`;

/** Whether it lies plain in a folder of the settings: that is only read, so nothing can be done with it here. */
export const isPlain = (repo: Pick<CachedRepo, 'source'>) => repo.source === 'Local';

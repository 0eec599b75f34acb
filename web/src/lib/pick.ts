/** From what a user ticks in a report to the download that fetches it, and whether it fits his machine. */
import type { DownloadRequest } from '../api/types';
import type { Item, RepoFile, Report } from '../api/hub-types';

/** What is chosen: everything, parts of the report, or patterns and files of the user's own. */
export interface Choice {
  all: boolean;
  items: ReadonlySet<string>;
  /** Patterns as typed, commas between. */
  patterns: string;
  /** Paths that are ticked in the list of files; a folder ends in `/`. */
  paths: ReadonlySet<string>;
}

const list = (text: string) => text.split(/[,\n]/).map((part) => part.trim()).filter((part) => part !== '');

/** `text` with everything that a glob or a comma list would read otherwise as `?`. */
function glob(text: string): string {
  return text.replace(/[*?[\]{},!^\s]/g, '?');
}

/** A pattern for exactly one path, or for all that lies below a folder. A plain path would match as a part of others. */
export function pathPattern(path: string): string {
  if (path.endsWith('/')) return `${glob(path)}*`;
  const text = glob(path);
  if (text.includes('?')) return text;
  return text.replace(/[A-Za-z0-9]/, (first) => `[${first}]`);
}

/** Whether the item can be taken: a set with missing parts cannot, nor what lies in another repo. */
export function usable(item: Item): boolean {
  return item.warning === undefined && item.upstream_repo === undefined;
}

/** The recommended parts; everything when the report recommends none. */
export function recommended(report: Report): Choice {
  const items = report.selectable_items.filter((item) => item.recommended && usable(item)).map((item) => item.id);
  return { all: items.length === 0, items: new Set(items), patterns: '', paths: new Set() };
}

/** The files that were added or changed since `before`. Small files of git have no hash in a report: their length decides. */
export function changedSince(now: RepoFile[], before: RepoFile[]): RepoFile[] {
  const known = new Map(before.map((file) => [file.path, file]));
  return now.filter((file) => {
    const old = known.get(file.path);
    return old === undefined || old.size !== file.size || (old.sha256 ?? '') !== (file.sha256 ?? '');
  });
}

/** Whether nothing is chosen. */
export function isEmpty(choice: Choice): boolean {
  return !choice.all && choice.items.size === 0 && list(choice.patterns).length === 0 && choice.paths.size === 0;
}

/** The body that fetches the choice; `null` when nothing is chosen. */
export function requestOf(report: Report, choice: Choice): DownloadRequest | null {
  if (isEmpty(choice)) return null;
  const chosen = report.selectable_items.filter((item) => choice.items.has(item.id));
  const branch = chosen.find((item) => item.revision !== undefined)?.revision;
  const request: DownloadRequest = { repo: report.repo };
  if (report.is_dataset) request.dataset = true;
  const revision = branch ?? (report.branch === 'main' ? undefined : report.branch);
  if (revision !== undefined) request.revision = revision;
  if (choice.all || branch !== undefined) return request;
  const filters = [
    ...chosen.flatMap((item) => list(item.filter_value)),
    ...list(choice.patterns),
    ...[...choice.paths].map(pathPattern),
  ];
  request.filters = [...new Set(filters)];
  if (chosen.length > 0 && report.recommended_download.exactMatch === true) request.exactMatch = true;
  return request;
}

/** Ticks or unticks an item. Another branch is a choice of its own: it excludes all others. */
export function toggled(report: Report, choice: Choice, id: string): Choice {
  const items = new Set(choice.items);
  const branches = new Set(report.selectable_items.filter((item) => item.revision !== undefined).map((item) => item.id));
  if (items.has(id)) {
    items.delete(id);
  } else if (branches.has(id)) {
    return { all: false, items: new Set([id]), patterns: '', paths: new Set() };
  } else {
    for (const branch of branches) items.delete(branch);
    items.add(id);
  }
  return { ...choice, all: false, items };
}

/** Whether two formats of the same weights are chosen. */
export function twoFormats(report: Report, choice: Choice): boolean {
  return report.selectable_items.filter((item) => item.category === 'format' && choice.items.has(item.id)).length > 1;
}

export interface Hardware {
  /** GiB of memory of the graphics card; 0 = none. */
  gpu: number;
  /** GiB of main memory. */
  ram: number;
}

export type Fit = 'gpu' | 'both' | 'ram' | 'none';

/** What the system itself needs of the main memory. */
const SYSTEM_SHARE = 0.15;

/** Where a model that needs `bytes` would run. */
export function fits(bytes: number, hardware: Hardware): Fit {
  const gib = bytes / 2 ** 30;
  const ram = hardware.ram * (1 - SYSTEM_SHARE);
  if (hardware.gpu > 0 && gib <= hardware.gpu) return 'gpu';
  if (gib <= ram) return hardware.gpu > 0 ? 'both' : 'ram';
  return hardware.gpu > 0 && gib <= hardware.gpu + ram ? 'both' : 'none';
}

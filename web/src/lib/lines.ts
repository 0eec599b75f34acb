/** What people paste: one repo a line, as a name or as any of the addresses that the Hub has. */
import type { DownloadRequest } from '../api/types';
import { pathPattern } from './pick';

export interface Line {
  /** Number of the line in the text, from 1. */
  number: number;
  text: string;
  /** `null` when the line names no repo. */
  asked: DownloadRequest | null;
  /** `owner/slug` of the collection that the line names in place of a repo. */
  collection?: string;
  /** Asks for the same as the line with this number. */
  repeats?: number;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** What the Hub has in place of an owner. */
const NO_OWNERS = new Set(['spaces', 'collections', 'papers', 'api', 'docs']);
/** Parts of an address between the repo and the revision. */
const VIEWS = new Set(['tree', 'blob', 'resolve', 'raw', 'commit']);

function filtersOf(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The repo that one line names, or `null`. */
export function parseRepo(raw: string): DownloadRequest | null {
  let text = raw.trim().replace(/^["'<]|["'>]$/g, '');
  const address = /^(?:https?:\/\/[^/]+|hf:\/|(?:www\.)?(?:hf\.co|huggingface\.co))\/(.+)$/i.exec(text);
  const isScheme = /^hf:\/\//i.test(text);
  if (address !== null) text = (address[1] ?? '').replace(/^\//, '').replace(/[?#].*$/, '');
  let parts = text.split('/').filter((part) => part !== '');
  let dataset = false;
  if (parts[0] === 'datasets' || parts[0] === 'models') {
    dataset = parts[0] === 'datasets';
    parts = parts.slice(1);
  }
  const [owner, second, view, ...rest] = parts;
  if (address !== null && owner !== undefined && NO_OWNERS.has(owner)) return null;
  if (owner === undefined || second === undefined || !NAME.test(owner)) return null;
  const colon = second.indexOf(':');
  let name = colon < 0 ? second : second.slice(0, colon);
  let filters: string[] = [];
  if (colon >= 0) {
    // Filters may hold slashes: everything behind the colon belongs to them.
    if (address === null || isScheme || view !== undefined) {
      filters = filtersOf([second.slice(colon + 1), view, ...rest].filter((part) => part !== undefined).join('/'));
    } else {
      filters = filtersOf(second.slice(colon + 1));
    }
  }
  const asked: DownloadRequest = { repo: '' };
  if (isScheme) {
    const mark = name.indexOf('@');
    if (mark >= 0) {
      asked.revision = decoded(name.slice(mark + 1));
      name = name.slice(0, mark);
    }
    const inside = colon >= 0 ? [] : [view, ...rest].filter((part) => part !== undefined);
    if (inside.length > 0) filters = [`=${inside.map(decoded).join('/')}`];
  } else if (view !== undefined && colon < 0) {
    // `refs/pr/1` is one name.
    const length = rest[0] === 'refs' ? 3 : 1;
    const [revision, path] = [rest.slice(0, length), rest.slice(length)];
    if (address === null || !VIEWS.has(view) || revision.length < length) return null;
    asked.revision = revision.map(decoded).join('/');
    const inside = path.map(decoded).join('/');
    // `=` is that one path and nothing beside it: the address of a file is no wish for others.
    if (inside !== '') filters = [view === 'tree' ? `${inside}/*` : `=${inside}`];
  }
  if (!NAME.test(name)) return null;
  asked.repo = `${owner}/${name}`;
  if (dataset) asked.dataset = true;
  if (filters.length > 0) asked.filters = filters;
  return asked;
}

const SLUG = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** The collection that a text leads to, as `owner/slug`, or `null`. */
export function collectionOf(raw: string): string | null {
  const text = raw.trim().replace(/^["'<]|["'>]$/g, '').replace(/[?#].*$/, '');
  const found = /^(?:https?:\/\/[^/]+\/|hf:\/\/|(?:www\.)?(?:hf\.co|huggingface\.co)\/)?collections\/([^/]+)\/([^/]+)\/?$/i.exec(text);
  const [owner, slug] = [found?.[1] ?? '', found?.[2] ?? ''];
  return SLUG.test(owner) && SLUG.test(slug) && !slug.includes('..') ? `${owner}/${slug}` : null;
}

/** Every line that is neither empty nor a comment. */
export function parseLines(text: string): Line[] {
  const seen = new Map<string, number>();
  const lines: Line[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const bare = raw.replace(/(^|\s)#.*$/, '').trim();
    if (bare === '') return;
    const collection = collectionOf(bare);
    const line: Line = { number: index + 1, text: bare, asked: collection === null ? parseRepo(bare) : null };
    if (collection !== null) line.collection = collection;
    if (line.asked !== null) {
      const key = JSON.stringify(line.asked).toLowerCase();
      const first = seen.get(key);
      if (first === undefined) seen.set(key, line.number);
      else line.repeats = first;
    }
    lines.push(line);
  });
  return lines;
}

/** Whether a pasted text is a list of repos and collections, and nothing else. */
export function looksLikeRepos(text: string): boolean {
  const lines = parseLines(text);
  return lines.length > 0 && lines.every((line) => line.asked !== null || line.collection !== undefined);
}

/**
 * Where a text that names repos leads: one repo opens in Browse, several open in the Add dialog.
 * `null` when it is no list of repos.
 */
export function placeOf(text: string): { kind: 'add' } | { kind: 'browse'; path: string } | null {
  if (!looksLikeRepos(text)) return null;
  const lines = parseLines(text);
  const asked = lines[0]?.asked;
  if (lines.length !== 1 || asked === null || asked === undefined) return { kind: 'add' };
  const query = new URLSearchParams({ repo: asked.repo });
  // A bare name may be a dataset as well; an address says what it is.
  if (asked.dataset === true) query.set('type', 'dataset');
  if (asked.revision !== undefined && asked.revision !== 'main') query.set('rev', asked.revision);
  // There commas stand between patterns, so a path that has one needs a pattern without.
  const picks = (asked.filters ?? []).map((filter) => (filter.startsWith('=') && filter.includes(',') ? pathPattern(filter.slice(1)) : filter));
  if (picks.length > 0) query.set('pick', picks.join(','));
  return { kind: 'browse', path: `browse?${query}` };
}

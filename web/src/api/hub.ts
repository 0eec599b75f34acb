/** Questions about the Hub. */
import { json, query } from './client';
import type { Collection, CollectionHead, Commits, NeedsSelection, RateLimit, Readme, Report, SearchAnswer, Suggestion } from './hub-types';
import type { DownloadRequest, Plan } from './types';

export interface Search {
  q: string;
  sort: string;
  /** Tags of the Hub, all of which must fit, commas between. */
  filter: string;
  datasets: boolean;
  /** At most so many parameters, such as `8B`. */
  maxParameters?: string;
  /** Whether results of before will do when the Hub gives none. */
  stale?: boolean;
  /** Only what this owner has. */
  author?: string;
  cursor?: string;
}

export type ManyPlans = {
  plans: ({ ok: true; repo: string; plan: Plan } | { ok: false; repo: string; error: string; details?: string; reason?: string; hint?: string })[];
};

const path = (repo: string) => repo.split('/').map(encodeURIComponent).join('/');

export const hubApi = {
  search: (asked: Search, limit: number, signal?: AbortSignal) =>
    json<SearchAnswer>('GET', query('api/search', { ...asked, limit, datasets: asked.datasets || undefined }), undefined, signal),
  /** `dataset` undefined = whichever it is; asks back when it is both. */
  analyze: (repo: string, fields: { dataset: boolean | undefined; revision: string; fresh: boolean }, signal?: AbortSignal) =>
    json<Report | NeedsSelection>('GET', query(`api/analyze/${path(repo)}`, { ...fields, fresh: fields.fresh || undefined }), undefined, signal),
  readme: (repo: string, fields: { dataset: boolean; revision: string }, signal?: AbortSignal) =>
    json<Readme>('GET', query(`api/readme/${path(repo)}`, { ...fields, dataset: fields.dataset || undefined }), undefined, signal),
  collection: (id: string, signal?: AbortSignal) => json<Collection>('GET', `api/collections/${path(id)}`, undefined, signal),
  collections: (owner: string, limit: number, signal?: AbortSignal) =>
    json<{ collections: CollectionHead[] }>('GET', query('api/collections', { owner, limit }), undefined, signal),
  /** The newest commits of a revision, and how far what is in the library is behind. */
  commits: (repo: string, fields: { dataset: boolean; revision: string }, signal?: AbortSignal) =>
    json<Commits>('GET', query(`api/commits/${path(repo)}`, { ...fields, dataset: fields.dataset || undefined }), undefined, signal),
  /** Repos whose names are near to what was searched for in vain. */
  suggest: (q: string, datasets: boolean, signal?: AbortSignal) =>
    json<{ suggestions: Suggestion[] }>('GET', query('api/suggest', { q, datasets: datasets || undefined }), undefined, signal),
  planMany: (repos: DownloadRequest[], signal?: AbortSignal) => json<ManyPlans>('POST', 'api/plan', { repos }, signal),
  rateLimit: (signal?: AbortSignal) => json<RateLimit>('GET', 'api/ratelimit', undefined, signal),
};

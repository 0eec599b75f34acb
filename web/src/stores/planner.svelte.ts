/**
 * The plans behind the lines of the Add dialog. Each different request is asked once; a line
 * that cannot be planned says why and never holds up the others.
 */
import { api, ApiError } from '../api/client';
import type { DownloadRequest, Plan, Verify } from '../api/types';
import { parseLines, type Line } from '../lib/lines';

/** Wait after the last key before the Hub is asked. */
const PAUSE_MS = 400;
/** Plans that are asked for at once: each may list a whole repo. */
const AT_ONCE = 3;

export interface Options {
  revision: string;
  filters: string;
  excludes: string;
  exactMatch: boolean;
  dataset: boolean;
  /** Empty = as the settings say. */
  verify: Verify | '';
}

export type Planned =
  | { kind: 'asking' }
  | { kind: 'plan'; plan: Plan }
  | { kind: 'error'; error: ApiError };

export interface Row extends Line {
  /** What would be queued: the line with the options for all. */
  request: DownloadRequest | null;
  planned: Planned | null;
}

const patterns = (text: string) => text.split(/[,\n]/).map((part) => part.trim()).filter((part) => part !== '');

/** The request of a line; what the line says itself wins over the options. */
export function combine(asked: DownloadRequest, options: Options): DownloadRequest {
  const request: DownloadRequest = { ...asked };
  const filters = asked.filters ?? patterns(options.filters);
  if (filters.length > 0) request.filters = filters;
  const excludes = patterns(options.excludes);
  if (excludes.length > 0) request.excludes = excludes;
  const revision = asked.revision ?? options.revision.trim();
  if (revision !== '') request.revision = revision;
  if (options.dataset) request.dataset = true;
  if (options.exactMatch) request.exactMatch = true;
  if (options.verify !== '') request.verify = options.verify;
  return request;
}

export class Planner {
  rows: Row[] = $state.raw([]);
  #plans = new Map<string, Planned>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = 0;
  #ended = new AbortController();

  /** Lines that can be queued. A plan that is not there yet does not hold a line back. */
  readonly good = $derived(
    this.rows.filter((row) => row.request !== null && row.repeats === undefined && row.planned?.kind !== 'error'
      && !(row.planned?.kind === 'plan' && row.planned.plan.totalFiles === 0)),
  );
  readonly plans = $derived(this.good.flatMap((row) => (row.planned?.kind === 'plan' ? [row.planned.plan] : [])));
  readonly asking = $derived(this.rows.some((row) => row.planned?.kind === 'asking'));

  /** Takes the text and the options as they are now. */
  set(text: string, options: Options): void {
    this.rows = parseLines(text).map((line) => {
      const request = line.asked === null ? null : combine(line.asked, options);
      return { ...line, request, planned: request === null ? null : (this.#plans.get(JSON.stringify(request)) ?? { kind: 'asking' }) };
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), PAUSE_MS);
  }

  /** Asks again for a plan that failed. */
  retry(row: Row): void {
    this.#plans.delete(JSON.stringify(row.request));
    this.#show();
    this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
  }

  #next(): void {
    for (const row of this.rows) {
      if (this.#running >= AT_ONCE) return;
      const key = JSON.stringify(row.request);
      if (row.request === null || row.repeats !== undefined || this.#plans.has(key)) continue;
      void this.#ask(key, row.request);
    }
  }

  async #ask(key: string, request: DownloadRequest): Promise<void> {
    this.#running += 1;
    this.#plans.set(key, { kind: 'asking' });
    try {
      this.#plans.set(key, { kind: 'plan', plan: await api.plan(request, this.#ended.signal) });
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#plans.set(key, { kind: 'error', error: error instanceof ApiError ? error : new ApiError(0, String(error)) });
    }
    this.#running -= 1;
    this.#show();
    this.#next();
  }

  #show(): void {
    this.rows = this.rows.map((row) =>
      row.request === null ? row : { ...row, planned: this.#plans.get(JSON.stringify(row.request)) ?? { kind: 'asking' } },
    );
  }
}

export interface Total {
  fetch: number;
  reused: number;
  /** Free bytes when all is done; `null` while unknown. */
  freeAfter: number | null;
  free: number;
  /** How many would have to wait for room, in the order of the lines. */
  waiting: number;
}

/** Sums the plans: each on its own may fit and all together not. */
export function total(plans: Plan[]): Total {
  const sum: Total = { fetch: 0, reused: 0, freeAfter: null, free: 0, waiting: 0 };
  for (const plan of plans) {
    sum.reused += plan.alreadyPresentBytes;
    if (plan.freeBytes !== null) {
      sum.free = plan.freeBytes;
      const before = sum.freeAfter ?? plan.freeBytes - plan.reservedBytes;
      if (!plan.fits || before - plan.fetchBytes < 0) sum.waiting += 1;
      sum.freeAfter = before - plan.fetchBytes;
    }
    sum.fetch += plan.fetchBytes;
  }
  return sum;
}

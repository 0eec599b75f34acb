/**
 * The plans behind the lines of the Add dialog. Each different request is asked once; a line
 * that cannot be planned says why and never holds up the others.
 */
import { api, ApiError, isMissing } from '../api/client';
import { hubApi } from '../api/hub';
import type { DownloadRequest, Plan, Verify } from '../api/types';
import { parseLines, type Line } from '../lib/lines';

/** Wait after the last key before the Hub is asked. */
const PAUSE_MS = 400;
/** Questions that are out at once: each may list whole repos. */
const AT_ONCE = 3;
/** Repos of one question: the first lines show their plans before the last are known. */
const TOGETHER = 12;

/** Whether the service plans many repos in one answer; learned from its first refusal. */
let hasMany = true;

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
  // Without filters there is nothing to be exact about.
  if (options.exactMatch && filters.length > 0) request.exactMatch = true;
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
    while (this.#running < AT_ONCE) {
      const open = new Map<string, DownloadRequest>();
      for (const row of this.rows) {
        const key = JSON.stringify(row.request);
        if (row.request === null || row.repeats !== undefined || this.#plans.has(key)) continue;
        open.set(key, row.request);
        if (!hasMany || open.size === TOGETHER) break;
      }
      if (open.size === 0) return;
      void this.#ask(open);
    }
  }

  async #ask(open: Map<string, DownloadRequest>): Promise<void> {
    this.#running += 1;
    for (const key of open.keys()) this.#plans.set(key, { kind: 'asking' });
    let again = false;
    try {
      if (open.size === 1) for (const [key, request] of open) this.#plans.set(key, { kind: 'plan', plan: await api.plan(request, this.#ended.signal) });
      else await this.#askMany(open);
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      // A service that knows only single plans misses the repo.
      again = open.size > 1 && (isMissing(error) || (error instanceof ApiError && error.status === 400));
      if (again) hasMany = false;
      for (const key of open.keys()) {
        if (again) this.#plans.delete(key);
        else this.#plans.set(key, { kind: 'error', error: error instanceof ApiError ? error : new ApiError(0, String(error)) });
      }
    }
    this.#running -= 1;
    if (!again) this.#show();
    this.#next();
  }

  async #askMany(open: Map<string, DownloadRequest>): Promise<void> {
    const { plans } = await hubApi.planMany([...open.values()], this.#ended.signal);
    [...open.keys()].forEach((key, index) => {
      const one = plans[index];
      if (one?.ok === true) this.#plans.set(key, { kind: 'plan', plan: one.plan });
      else this.#plans.set(key, { kind: 'error', error: new ApiError(422, one?.error ?? '', one?.details ?? '', one?.reason ?? '', one?.hint ?? '') });
    });
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
  /** Bytes that live jobs will take. */
  reserved: number;
  /** How many would have to wait for room, in the order of the lines. */
  waiting: number;
}

/** Sums the plans: each on its own may fit and all together not. */
export function total(plans: Plan[]): Total {
  const sum: Total = { fetch: 0, reused: 0, freeAfter: null, free: 0, reserved: 0, waiting: 0 };
  for (const plan of plans) {
    sum.reused += plan.alreadyPresentBytes;
    if (plan.freeBytes !== null) {
      sum.free = plan.freeBytes;
      sum.reserved = plan.reservedBytes;
      const before = sum.freeAfter ?? plan.freeBytes - plan.reservedBytes;
      if (!plan.fits || before - plan.fetchBytes < 0) sum.waiting += 1;
      sum.freeAfter = before - plan.fetchBytes;
    }
    sum.fetch += plan.fetchBytes;
  }
  return sum;
}

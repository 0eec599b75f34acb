/** One repo of the Hub: its report, what is chosen of it, and the plan of that choice. */
import { api } from '../api/client';
import { hubApi } from '../api/hub';
import type { Report } from '../api/hub-types';
import type { DownloadRequest, Plan } from '../api/types';
import { Loaded } from '../lib/load.svelte';
import { recommended, requestOf, type Choice } from '../lib/pick';

/** Wait after the last tick before the plan is asked for. */
const PAUSE_MS = 350;
/** Reports that are kept, to go back and forth between repos. */
const KEPT = 20;

export interface Asked {
  repo: string;
  /** `undefined` = whichever it is. */
  dataset: boolean | undefined;
  revision: string;
}

const reports = new Map<string, Report>();

function remember(key: string, report: Report): void {
  reports.delete(key);
  reports.set(key, report);
  const oldest = reports.keys().next();
  if (reports.size > KEPT && oldest.done !== true) reports.delete(oldest.value);
}

export class RepoView {
  report: Report | null = $state.raw(null);
  /** It is a model and a dataset: the user has to say which. */
  both = $state(false);
  failure: unknown = $state.raw(null);
  busy = $state(false);
  choice: Choice = $state.raw({ all: false, items: new Set(), patterns: '', paths: new Set() });
  plan = new Loaded<Plan>();
  readonly request: DownloadRequest | null = $derived(this.report === null ? null : requestOf(this.report, this.choice));
  #asked: Asked | null = null;
  #call: AbortController | null = null;
  #planCall: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Analyzes a repo; `patterns` = what the user asked of it before. */
  async open(asked: Asked, patterns = '', fresh = false): Promise<void> {
    this.#call?.abort();
    const mine = (this.#call = new AbortController());
    this.#asked = asked;
    this.both = false;
    this.failure = null;
    const key = JSON.stringify(asked);
    const known = reports.get(key);
    if (known !== undefined && !fresh) {
      this.#take(known, patterns);
      return;
    }
    if (!fresh) this.report = null;
    this.busy = true;
    try {
      const answer = await hubApi.analyze(asked.repo, { dataset: asked.dataset, revision: asked.revision, fresh }, mine.signal);
      if (mine.signal.aborted) return;
      if ('needsSelection' in answer) {
        this.both = true;
      } else {
        remember(key, answer);
        this.#take(answer, patterns);
      }
    } catch (error) {
      if (mine.signal.aborted) return;
      this.failure = error;
      this.report = null;
    }
    this.busy = false;
  }

  /** Asks the Hub anew. */
  again(): void {
    if (this.#asked !== null) void this.open(this.#asked, this.choice.patterns, true);
  }

  choose(choice: Choice): void {
    this.choice = choice;
    this.#replan();
  }

  close(): void {
    this.#call?.abort();
    this.#planCall?.abort();
    clearTimeout(this.#timer);
  }

  /** Asks for the plan at once. */
  planNow(): void {
    clearTimeout(this.#timer);
    const request = this.request;
    this.#planCall?.abort();
    if (request === null) return;
    const mine = (this.#planCall = new AbortController());
    void this.plan.load(() => api.plan(request, mine.signal));
  }

  #take(report: Report, patterns: string): void {
    this.busy = false;
    this.report = report;
    this.choice = patterns === '' ? recommended(report) : { all: false, items: new Set(), patterns, paths: new Set() };
    this.#replan();
  }

  #replan(): void {
    clearTimeout(this.#timer);
    this.#planCall?.abort();
    // The plan on the screen is that of another choice.
    this.plan.value = null;
    this.plan.failure = null;
    if (this.request === null) return;
    this.plan.busy = true;
    this.#timer = setTimeout(() => this.planNow(), PAUSE_MS);
  }
}

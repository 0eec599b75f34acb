/** The jobs, the live connection that keeps them true, and the commands on them. */
import { api, ApiError } from '../api/client';
import type { Job, LiveMessage, StatusData } from '../api/types';
import { t, word } from '../i18n/index.svelte';
import { at, socketUrl } from '../lib/base';
import { onBeat } from '../lib/beat';
import { JobTable } from '../lib/table';
import { EventStream } from '../live/events';
import { Feed, type Connection, type Socket } from '../live/feed';
import { clockOffset, now, setClock } from './clock.svelte';
import { announce } from './messages.svelte';

/**
 * Figures that only grow are drawn with the beat of the page, all jobs at once: eight jobs that each tell
 * of themselves four times a second would keep it busy for what no eye reads. Another state is drawn at
 * once. A page nobody looks at is drawn once in so many beats.
 */
const HIDDEN_EVERY_BEATS = 10;
/** Jobs that join the queue shift the places of others; the list is asked for again after this. */
const REORDER_AFTER_MS = 1500;

const table = new JobTable();
let list = $state.raw<Job[]>([]);
let loaded = $state(false);
let failure = $state.raw<ApiError | null>(null);
let connection = $state.raw<Connection>({ kind: 'connecting' });
let version = $state('');
/** The version that these pages came with. */
let own = $state('');
let status = $state.raw<StatusData | null>(null);
/** How often the live connection has begun. */
let begun = $state(0);

const ends = $derived(list.filter((job) => job.endedAt !== null).map((job) => `${job.id}${job.endedAt}`).join());

export const store = {
  get list() {
    return list;
  },
  /** Whether a list was ever received. */
  get loaded() {
    return loaded;
  },
  /** Why the first list did not come. */
  get failure() {
    return failure;
  },
  get connection() {
    return connection;
  },
  get version() {
    return version;
  },
  /** Whether another version of the service runs by now than the one that sent these pages. */
  get updated() {
    return own !== '' && version !== own;
  },
  get status() {
    return status;
  },
  /**
   * Changes when jobs end, and when the connection is back and anything may have happened
   * meanwhile: what was asked for beside the jobs is asked for again then.
   */
  get mark() {
    return `${begun} ${ends}`;
  },
  /** Whether what is shown may be wrong by now. */
  get old() {
    return connection.kind === 'offline';
  },
};

/**
 * The time that the shown jobs belong to. It stands still while nothing answers: that we hear
 * nothing does not mean that a job stalls.
 */
export function jobTime(): number {
  return connection.kind === 'offline' ? connection.since + clockOffset() : now();
}

let incoming = new Map<string, Job | null>();
/** When the next picture is due; `null` = nothing waits. */
let due: 'soon' | 'later' | null = null;

let reorder: ReturnType<typeof setTimeout> | undefined;
function reorderSoon(): void {
  reorder ??= setTimeout(() => {
    reorder = undefined;
    reload().catch(() => {});
  }, REORDER_AFTER_MS);
}

/** Shows a job as it was just told by an answer, or takes it off. */
export function take(id: string, job: Job | null): void {
  incoming.set(id, job);
  schedule(true);
}

/** Takes what came since the last picture in one go. */
function paint(): void {
  due = null;
  const changes = incoming;
  incoming = new Map();
  let changed = false;
  for (const [id, job] of changes) {
    if (job === null) {
      changed = table.remove(id) || changed;
      continue;
    }
    const before = table.get(id);
    tell(before, job);
    if (job.status === 'queued' && before?.status !== 'queued') reorderSoon();
    changed = table.update(job) || changed;
  }
  if (changed) list = table.all();
}

/** Sees to it that what came is drawn: with the next frame, or with a beat. */
function schedule(soon: boolean): void {
  if (due === 'soon' || (due === 'later' && (!soon || document.hidden))) return;
  due = soon && !document.hidden ? 'soon' : 'later';
  if (due === 'soon') requestAnimationFrame(paint);
}

function drawWithBeat(count: number): void {
  if (due !== null && (!document.hidden || count % HIDDEN_EVERY_BEATS === 0)) paint();
}

/** Whether the state of a job is another than the one that is drawn. */
function differs(job: Job): boolean {
  const before = table.get(job.id);
  return before === undefined || before.status !== job.status || before.phase !== job.phase || before.stalledSince !== job.stalledSince;
}

/** Changes of state are the only thing that a screen reader is told of unasked. */
function tell(before: Job | undefined, job: Job): void {
  if (before === undefined || before.status === job.status) return;
  announce(t('live.changed', { repo: job.repo, state: word('status', job.status) }));
}

function load(jobs: Job[], mark: number): void {
  if (table.load(jobs, mark) || !loaded) list = table.all();
  loaded = true;
  failure = null;
}

/** Asks for the whole list. */
export async function reload(): Promise<void> {
  // What waits to be drawn is older than the answer will be.
  paint();
  const mark = table.mark();
  const answer = await api.jobs();
  paint();
  load(answer.jobs, mark);
}

function receive(message: LiveMessage): void {
  switch (message.type) {
    case 'init':
      heardVersion(message.data.version);
      begun += 1;
      paint();
      if (message.data.jobsTotal === message.data.jobs.length) load(message.data.jobs, table.mark());
      else reload().catch(() => {});
      setClockFromService();
      return;
    case 'job_update':
      incoming.set(message.data.id, message.data);
      schedule(differs(message.data));
      return;
    case 'event':
      if (message.data.event === 'job_removed' && message.data.jobId !== undefined) {
        incoming.set(message.data.jobId, null);
        schedule(true);
      }
      return;
    case 'status':
      status = message.data;
      return;
    default:
    // A newer service says more than this page knows.
  }
}

function heardVersion(heard: string): void {
  if (own === '') own = heard;
  version = heard;
}

function setClockFromService(): void {
  api.health().then(
    (health) => {
      heardVersion(health.version);
      setClock(health.time);
    },
    () => {},
  );
}

let feed: Feed | null = null;

/** Opens the live connection; the first list is asked for beside it. */
export function startJobs(): () => void {
  feed = new Feed(
    {
      open: (way) => (way === 'socket' ? (new WebSocket(socketUrl('api/ws?kind=all')) as Socket) : new EventStream(at('api/events?kind=all'))),
      now: () => Date.now(),
      after: (ms, run) => setTimeout(run, ms),
      cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    },
    {
      message: receive,
      connection: (state) => {
        connection = state;
      },
      poll: reload,
    },
  );
  feed.start();
  setClockFromService();
  reload().catch((error: unknown) => {
    if (!loaded && error instanceof ApiError) failure = error;
  });
  const again = () => feed?.retryNow();
  const seen = () => {
    if (document.hidden) return;
    again();
    if (due !== null) paint();
  };
  addEventListener('online', again);
  document.addEventListener('visibilitychange', seen);
  const stopDrawing = onBeat(drawWithBeat);
  return () => {
    feed?.stop();
    stopDrawing();
    removeEventListener('online', again);
    document.removeEventListener('visibilitychange', seen);
  };
}

/** Tries to connect now. */
export function reconnect(): void {
  feed?.retryNow();
}

/** While there is no live connection, the effect of a command is fetched. */
export async function refresh(): Promise<void> {
  if (connection.kind !== 'live') await reload().catch(() => {});
}

/** What an error says, for people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  return error.status === 0 ? t('error.unreachable') : error.sentence;
}


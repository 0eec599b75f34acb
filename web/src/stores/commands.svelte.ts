/** Commands on jobs, one or many, and how they went: per job, with the reason of each refusal. */
import { api, isMissing } from '../api/client';
import { controlApi } from '../api/control';
import type { BulkAction, JobPatch, Place } from '../api/control-types';
import type { Job } from '../api/types';
import { t } from '../i18n/index.svelte';
import { allows, type Command } from '../lib/state';
import { reasonOf, refresh, reload, store, take } from './jobs.svelte';
import { announce, say } from './messages.svelte';

/** Single commands that are under way at once, for a service that takes no list. */
const AT_ONCE = 4;
let hasBulk = true;

let last = $state.raw({ ids: new Set<string>(), number: 0 });
/** Which jobs were taken off the list by the last such command here. */
export const dismissed = {
  /** Number of the last command when it took this job off; else 0. */
  of: (id: string): number => (last.ids.has(id) ? last.number : 0),
};

interface Outcome {
  done: number;
  refused: string[];
}

async function singly(command: Command, jobs: Job[]): Promise<Outcome> {
  const outcome: Outcome = { done: 0, refused: [] };
  const queue = [...jobs];
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      try {
        if (command === 'hold' || command === 'start') await controlApi.bulk(command, [job.id]);
        else await api.command(job.id, command);
        outcome.done += 1;
      } catch (error) {
        outcome.refused.push(`${job.repo}: ${reasonOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

async function together(action: BulkAction, jobs: Job[], patch: JobPatch = {}): Promise<Outcome> {
  const { results } = await controlApi.bulk(action, jobs.map((job) => job.id), patch);
  const names = new Map(jobs.map((job) => [job.id, job.repo]));
  const refused = results.filter((one) => !one.ok).map((one) => `${names.get(one.id) ?? one.id}: ${one.error ?? one.reason ?? ''}`);
  return { done: results.length - refused.length, refused };
}

function tell(outcome: Outcome, done: string, undo: (() => void) | null = null): void {
  const { refused } = outcome;
  if (refused.length === 0) say('success', done, [], undo);
  else if (outcome.done === 0 && refused.length === 1) say('error', refused[0] ?? '');
  else say('error', t('did.some', { done: outcome.done, refused: refused.length }), refused);
}

/** One command on some jobs; those it does not fit are left alone. */
export async function run(command: Command, jobs: Job[]): Promise<void> {
  const fitting = jobs.filter((job) => allows(job, command));
  if (fitting.length === 0) return;
  let outcome: Outcome | null = null;
  if (hasBulk && (fitting.length > 1 || command === 'hold' || command === 'start')) {
    try {
      outcome = await together(command, fitting);
    } catch (error) {
      if (isMissing(error)) hasBulk = false;
      else return say('error', reasonOf(error));
    }
  }
  outcome ??= await singly(command, fitting);
  if (command === 'dismiss' && outcome.refused.length === 0) {
    last = { ids: new Set(fitting.map((job) => job.id)), number: last.number + 1 };
    for (const job of fitting) take(job.id, null);
  }
  tell(outcome, t(`did.${command}`, { count: outcome.done, repo: fitting[0]?.repo ?? '' }), undoOf(command, fitting));
  await refresh();
}

/** A failed job once more, with so many connections at most. Whether it was queued. */
export async function retryOver(job: Job, connections: number): Promise<boolean> {
  try {
    await api.retryOver(job.id, connections);
  } catch (error) {
    say('error', `${job.repo}: ${reasonOf(error)}`);
    return false;
  }
  say('success', t('did.retry', { count: 1, repo: job.repo }));
  await refresh();
  return true;
}

/** What takes a command back, where that loses nothing: the jobs as they are by then decide how. */
function undoOf(command: Command, jobs: Job[]): (() => void) | null {
  if (command !== 'pause' && command !== 'hold' && command !== 'resume') return null;
  const ids = new Set(jobs.map((job) => job.id));
  return () => {
    const now = store.list.filter((job) => ids.has(job.id));
    for (const back of command === 'resume' ? (['pause', 'hold'] as const) : (['resume'] as const)) void run(back, now);
  };
}

/** Changes fields of jobs; `done` says what was changed. Whether all took it. */
export async function change(jobs: Job[], patch: JobPatch, done: string): Promise<boolean> {
  try {
    const [only] = jobs;
    if (jobs.length === 1 && only !== undefined) {
      const before = Object.fromEntries(Object.keys(patch).map((name) => [name, only[name as keyof Job]])) as JobPatch;
      take(only.id, await controlApi.change(only.id, patch));
      say('success', done, [], () => void controlApi.change(only.id, before).then((job) => take(only.id, job), (error: unknown) => say('error', reasonOf(error))));
      return true;
    }
    const outcome = await together('set', jobs, patch);
    tell(outcome, done);
    await refresh();
    return outcome.refused.length === 0;
  } catch (error) {
    say('error', reasonOf(error));
    return false;
  }
}

/** The place in the line is spoken, for those who do not see the row move. */
async function moved(question: () => Promise<unknown>, job: Job | undefined, place: () => number | undefined, line: () => number): Promise<void> {
  try {
    await question();
    await reload();
    const now = place();
    if (job !== undefined && now !== undefined) announce(t('did.moved', { repo: job.repo, place: now, count: line() }));
  } catch (error) {
    say('error', `${t('did.notMoved')}: ${reasonOf(error)}`);
  }
}

type Places = () => Map<string, number>;

export function moveTo(jobs: Job[], to: Place, places: Places): Promise<void> {
  const queued = jobs.filter((job) => job.status === 'queued');
  if (queued.length === 0) return Promise.resolve();
  return moved(() => controlApi.order(queued.map((job) => job.id), to), queued[0], () => places().get(queued[0]?.id ?? ''), () => places().size);
}

/** Before another queued job; `null` = to the end. */
export function moveBefore(job: Job, before: string | null, places: Places): Promise<void> {
  return moved(
    () => (before === null ? controlApi.order([job.id], 'bottom') : controlApi.orderBefore([job.id], before)),
    store.list.find((one) => one.id === job.id), () => places().get(job.id), () => places().size,
  );
}

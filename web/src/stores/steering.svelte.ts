/** What holds for the whole service: limits, disks, the Hub's budget, health. Each part may be missing in an older service. */
import { hasRoute } from '../api/routes';
import { isMissing, json } from '../api/client';
import { controlApi } from '../api/control';
import type { Limits, LimitsPatch, Volume } from '../api/control-types';
import { hubApi } from '../api/hub';
import type { Bucket } from '../api/hub-types';
import { t } from '../i18n/index.svelte';
import { reasonOf, store } from './jobs.svelte';
import { say } from './messages.svelte';

const EVERY_MS = 15_000;
/** Health costs a look at every disk and at the Hub. */
const HEALTH_EVERY_MS = 60_000;

let limits = $state.raw<Limits | null>(null);
let volumes = $state.raw<Volume[]>([]);
let buckets = $state.raw<Bucket[]>([]);
/** When the buckets were asked for, on the clock of this machine. */
let bucketsAt = $state(0);
let health = $state<'ok' | 'warn' | 'fail' | null>(null);
let ailing = $state(0);
const gone = new Set<string>();

export const steering = {
  get limits() {
    return limits;
  },
  get volumes() {
    return volumes;
  },
  get buckets() {
    return buckets;
  },
  get bucketsAt() {
    return bucketsAt;
  },
  /** The worst of all health checks; `null` while unknown. */
  get health() {
    return health;
  },
  /** How many checks are as bad as the worst of them; 0 while all is well. */
  get ailing() {
    return ailing;
  },
};

/** Asks unless the service has no such route; what is asked for again stays on the screen when it fails. */
async function ask<T>(name: string, question: () => Promise<T>, take: (answer: T) => void): Promise<void> {
  if (gone.has(name)) return;
  try {
    take(await question());
  } catch (error) {
    if (isMissing(error)) gone.add(name);
  }
}

const askLimits = () => ask('limits', controlApi.limits, (answer) => (limits = answer));

function askAll(): void {
  void askLimits();
  void ask('disk', controlApi.disk, (answer) => (volumes = answer.volumes));
  void ask('budget', hubApi.rateLimit, (answer) => {
    buckets = answer.buckets;
    bucketsAt = Date.now();
  });
}

type Checks = { checks: { status: 'ok' | 'warn' | 'fail' }[] };
const askHealth = async () => {
  if (!(await hasRoute('/api/system/checks'))) return;
  await ask('health', () => json<Checks>('GET', 'api/system/checks'), ({ checks }) => {
    health = checks.some((one) => one.status === 'fail') ? 'fail' : checks.some((one) => one.status === 'warn') ? 'warn' : 'ok';
    ailing = health === 'ok' ? 0 : checks.filter((one) => one.status === health).length;
  });
};

/** Keeps the parts true: at once, now and then, and when the connection is back. */
export function startSteering(): () => void {
  const quick = setInterval(() => { if (!document.hidden) askAll(); }, EVERY_MS);
  const slow = setInterval(() => { if (!document.hidden) void askHealth(); }, HEALTH_EVERY_MS);
  return () => [quick, slow].forEach(clearInterval);
}

/** The service was heard of again, perhaps another version of it. */
export function reconnected(): void {
  gone.clear();
  askAll();
  void askHealth();
}

/** What the live feed says of the limits differs from what is shown. */
export function heardLimits(active: string | undefined): void {
  if (active !== undefined && limits !== null && active !== limits.active) void askLimits();
}

/** Changes limits; says why when it is refused. */
export async function setLimits(patch: LimitsPatch, done: string, undo: (() => void) | null = null): Promise<boolean> {
  try {
    limits = await controlApi.setLimits(patch);
    if (store.connection.kind !== 'live') void askLimits();
    say('success', done, [], undo);
    return true;
  } catch (error) {
    say('error', `${t('limits.refused')}: ${reasonOf(error)}`);
    return false;
  }
}

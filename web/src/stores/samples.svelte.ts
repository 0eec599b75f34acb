/** The last speeds of each running job and of all together, one every two seconds while somebody looks. */
import { onBeat } from '../lib/beat';
import { speedNow } from '../lib/state';
import { jobTime, store } from './jobs.svelte';

const EVERY_BEATS = 2;
/** Points of a sparkline: two minutes. */
const POINTS = 60;

let total = $state.raw<number[]>([]);
let jobs = $state.raw<ReadonlyMap<string, number[]>>(new Map());

export const samples = {
  get total() {
    return total;
  },
  of: (id: string): number[] => jobs.get(id) ?? [],
};

function take(): void {
  // What is old is no sample.
  if (document.hidden || store.old || !store.loaded) return;
  let sum = 0;
  const next = new Map<string, number[]>();
  for (const job of store.list) {
    if (job.status !== 'running') continue;
    const speed = speedNow(job, jobTime());
    sum += speed;
    next.set(job.id, [...(jobs.get(job.id) ?? []), speed].slice(-POINTS));
  }
  if (next.size > 0 || jobs.size > 0) jobs = next;
  if (sum > 0 || total.some((one) => one > 0)) total = [...total, sum].slice(-POINTS);
}

export function startSamples(): () => void {
  return onBeat((count) => {
    if (count % EVERY_BEATS === 0) take();
  });
}

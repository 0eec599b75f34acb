/** What the last comparison with each target found. The service keeps none, so what this page does not know is not known. */
import { SvelteMap } from 'svelte/reactivity';
import type { DiffAnswer, Run } from '../api/mirror';
import { lagOf, type Lag } from '../lib/mirror';
import { now } from './clock.svelte';

const known = new SvelteMap<string, Lag & { at: number }>();

export function compared(target: string, answer: DiffAnswer): void {
  known.set(target, { ...lagOf(answer.diffs), at: now() });
}

/** A target that was changed may be another one. */
export function forget(target: string): void {
  known.delete(target);
}

/** How far a target is behind, as far as it is known: a run that went on since then has changed it. */
export function lag(target: string, runs: Run[]): (Lag & { at: number }) | null {
  const found = known.get(target);
  if (found === undefined) return null;
  const changed = runs.some((run) => run.target === target && (run.status === 'running' || Date.parse(run.endedAt ?? run.startedAt ?? '') > found.at));
  return changed ? null : found;
}

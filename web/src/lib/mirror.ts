/** What a comparison with a target comes to. */
import type { Diff, DiffAnswer, Difference, Direction, Run } from '../api/mirror';

export const DIFFERENCES = ['same', 'missing', 'extra', 'outdated', 'unreadable'] as const satisfies Difference[];

export function kindOf(diff: Diff): Difference {
  if (diff.status === 'missing' || diff.status === 'extra' || diff.status === 'outdated' || diff.status === 'unreadable') return diff.status;
  return 'same';
}

/** What tells a row from the others: a model and a dataset may have the same name. */
export const keyOf = (diff: Diff) => `${diff.type}:${diff.repo}`;

/** Bytes that the row stands for: of the side that has it. */
export function bytesOf(diff: Diff): number {
  return diff.status === 'extra' ? (diff.remoteSize ?? 0) : (diff.localSize ?? diff.remoteSize ?? 0);
}

export function countsOf(answer: DiffAnswer): Record<Difference, number> {
  const { missing, extra, outdated, inSync, unreadable = 0 } = answer.summary;
  return { same: inSync, missing, extra, outdated, unreadable };
}

/** The rows that a run in this direction would delete when it deletes what the other side has not. */
export function lostBy(direction: Direction, diffs: Diff[]): Diff[] {
  return diffs.filter((diff) => diff.status === (direction === 'push' ? 'extra' : 'missing'));
}

/** The rows that a run in this direction copies. */
export function copiedBy(direction: Direction, diffs: Diff[]): Diff[] {
  return diffs.filter((diff) => diff.status === 'outdated' || diff.status === (direction === 'push' ? 'missing' : 'extra'));
}

export function sumOf(diffs: Diff[]): number {
  return diffs.reduce((sum, diff) => sum + bytesOf(diff), 0);
}

export interface Lag {
  /** Repos that a push would copy or complete. */
  repos: number;
  /** Their bytes; of a repo that is there in part the whole size, so that `most` is set. */
  bytes: number;
  most: boolean;
  /** Repos of which nothing can be said. */
  unreadable: number;
}

/** How far a target is behind the cache. */
export function lagOf(diffs: Diff[]): Lag {
  const behind = copiedBy('push', diffs);
  return {
    repos: behind.length, bytes: sumOf(behind), most: behind.some((diff) => diff.status === 'outdated'),
    unreadable: diffs.filter((diff) => diff.status === 'unreadable').length,
  };
}

/** The runs of one target, newest first, and with them the newest that came to its end. */
export function runsOf(target: string, runs: Run[]): { last: Run | null; good: Run | null } {
  const own = runs.filter((run) => run.target === target);
  return { last: own[0] ?? null, good: own.find((run) => run.status === 'completed') ?? null };
}

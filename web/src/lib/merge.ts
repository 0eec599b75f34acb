/**
 * Takes a new state in and keeps what did not change: equal parts keep their identity, so that
 * a view that compares by reference draws only what is different.
 */
import type { Job, JobFile } from '../api/types';

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), b as Record<string, unknown>];
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (left.length !== Object.keys(b).length) return false;
  return left.every(([key, value]) => key in right && same(value, right[key]));
}

/** `next` with every equal part of `old` in place; `old` itself when nothing changed. */
export function keep<T extends object>(old: T, next: T): T {
  let changed = Object.keys(old).length !== Object.keys(next).length;
  const merged = { ...next };
  for (const key of Object.keys(next) as (keyof T)[]) {
    if (same(old[key], next[key])) merged[key] = old[key];
    else changed = true;
  }
  return changed ? merged : old;
}

/** Files by path: those that stay as they are keep their identity. */
export function keepFiles(old: JobFile[], next: JobFile[]): JobFile[] {
  const known = new Map(old.map((file) => [file.path, file]));
  const merged = next.map((file) => {
    const before = known.get(file.path);
    return before === undefined ? file : keep(before, file);
  });
  const unchanged = merged.length === old.length && merged.every((file, index) => file === old[index]);
  return unchanged ? old : merged;
}

/** The job `next`, with the parts of `old` that are equal. */
export function keepJob(old: Job, next: Job): Job {
  return keep(old, { ...next, files: keepFiles(old.files, next.files) });
}

/**
 * The jobs as the service last told of them. Two sources feed it: the live feed, which is always
 * right, and answers to `GET /api/jobs`, which may be older than what the feed said meanwhile.
 */
import type { Job } from '../api/types';
import { keepJob } from './merge';

export class JobTable {
  #jobs = new Map<string, Job>();
  /** When the feed last told of a job, or of its removal, on the table's own clock. */
  #touched = new Map<string, number>();
  #removed = new Map<string, number>();
  #clock = 0;

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  all(): Job[] {
    return [...this.#jobs.values()];
  }

  /** The moment a request is sent; goes into [`load`] with its answer. */
  mark(): number {
    return this.#clock;
  }

  /** Takes one job from the feed; whether anything changed. */
  update(job: Job): boolean {
    this.#clock += 1;
    this.#touched.set(job.id, this.#clock);
    this.#removed.delete(job.id);
    return this.#put(job);
  }

  /** Takes a job off, as the feed says. */
  remove(id: string): boolean {
    this.#clock += 1;
    this.#removed.set(id, this.#clock);
    this.#touched.delete(id);
    return this.#jobs.delete(id);
  }

  /** Takes the whole list that was asked for at `mark`. What the feed said since then stays. */
  load(jobs: Job[], mark: number): boolean {
    const since = (times: Map<string, number>, id: string) => (times.get(id) ?? 0) > mark;
    const before = this.all();
    const known = this.#jobs;
    this.#jobs = new Map();
    for (const job of jobs) {
      if (since(this.#removed, job.id)) continue;
      const old = known.get(job.id);
      const newer = old !== undefined && since(this.#touched, job.id);
      this.#jobs.set(job.id, newer ? old : old === undefined ? job : keepJob(old, job));
    }
    for (const [id, job] of known) {
      if (!this.#jobs.has(id) && since(this.#touched, id)) this.#jobs.set(id, job);
    }
    for (const [id, at] of this.#removed) if (at <= mark) this.#removed.delete(id);
    for (const id of this.#touched.keys()) if (!this.#jobs.has(id)) this.#touched.delete(id);
    const after = this.all();
    return after.length !== before.length || after.some((job, index) => job !== before[index]);
  }

  #put(job: Job): boolean {
    const old = this.#jobs.get(job.id);
    const merged = old === undefined ? job : keepJob(old, job);
    if (merged === old) return false;
    this.#jobs.set(job.id, merged);
    return true;
  }
}

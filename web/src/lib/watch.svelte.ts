/**
 * A job of another kind than download (verify, mirror, export), asked for until it has ended: the
 * live feed of the pages tells of downloads only.
 */
import { api, ApiError } from '../api/client';
import type { Job } from '../api/types';

/** Short enough for a bar that moves, long enough for a small board. */
const EVERY_MS = 1000;

const ended = (job: Job) => ['completed', 'failed', 'cancelled'].includes(job.status);

export class Watched {
  job: Job | null = $state.raw(null);
  failure: unknown = $state.raw(null);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #id = '';

  constructor(private readonly done: (job: Job) => void = () => {}) {}

  /** Follows the job from now on; the one before is forgotten. */
  follow(id: string, known: Job | null = null): void {
    this.stop();
    this.#id = id;
    this.job = known;
    this.failure = null;
    void this.ask();
  }

  async ask(): Promise<void> {
    const id = this.#id;
    clearTimeout(this.#timer);
    try {
      const before = this.job;
      const job = await api.job(id);
      if (id !== this.#id) return;
      this.job = job;
      this.failure = null;
      if (ended(job)) {
        if (before === null || !ended(before)) this.done(job);
        return;
      }
    } catch (error) {
      if (id !== this.#id) return;
      this.failure = error;
      // Removed from the list: there is nothing left to ask.
      if (error instanceof ApiError && error.status === 404) return;
    }
    this.#timer = setTimeout(() => void this.ask(), EVERY_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#id = '';
  }
}

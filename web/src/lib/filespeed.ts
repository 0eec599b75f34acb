/** How fast single files come, from what the job tells of them: the mean over its last seconds. */
import type { Job } from '../api/types';

/** Speeds are the mean over so long, as those of jobs are. */
export const WINDOW_MS = 5000;
/** Over less than this a speed would be a guess. */
const SHORTEST_MS = 900;

interface Sample {
  at: number;
  bytes: number;
}

export class FileSpeeds {
  #files = new Map<string, Sample[]>();
  #at = -1;

  /** Takes in what the job tells; its own time counts, so that a late message makes no file slow. */
  take(job: Job): void {
    const at = Date.parse(job.updatedAt);
    if (at <= this.#at) return;
    this.#at = at;
    const next = new Map<string, Sample[]>();
    if (job.status === 'running') {
      for (const { path, status, downloaded } of job.files) {
        if (status !== 'downloading') continue;
        const known = this.#files.get(path) ?? [];
        // It began anew: what came before is no measure.
        const kept = (known.at(-1)?.bytes ?? 0) > downloaded ? [] : known.filter((sample) => at - sample.at <= WINDOW_MS);
        next.set(path, [...kept, { at, bytes: downloaded }]);
      }
    }
    this.#files = next;
  }

  /** Bytes a second of each file that is being fetched, as far as it can be told. */
  now(): Map<string, number> {
    const speeds = new Map<string, number>();
    for (const [path, samples] of this.#files) {
      const [first, last] = [samples[0], samples.at(-1)];
      if (first === undefined || last === undefined || last.at - first.at < SHORTEST_MS) continue;
      speeds.set(path, Math.round(((last.bytes - first.bytes) * 1000) / (last.at - first.at)));
    }
    return speeds;
  }
}

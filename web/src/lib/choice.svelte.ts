/** Which files of a job are wanted, shown as the user wishes it before the service has answered. */
import { SvelteMap } from 'svelte/reactivity';
import { api } from '../api/client';
import type { FilePriority, Job, JobFile } from '../api/types';

/** Whether a choice among its files has an effect. */
export function choosable(job: Job): boolean {
  return (job.kind ?? 'download') === 'download' && job.status !== 'completed' && job.status !== 'cancelled';
}

/** Left out by the user, and not because it was here before. */
export const leftOut = (file: JobFile): boolean => file.priority === 'skip' && file.status === 'skipped';

/** Where it belongs: nothing is to be chosen any more. */
export const inPlace = (file: JobFile): boolean => file.status === 'complete' || (file.status === 'skipped' && !leftOut(file));

/** A file as it will be once the wish is granted. */
export function wished(file: JobFile, priority: FilePriority): JobFile {
  if (inPlace(file) || file.priority === priority) return file;
  if (priority === 'skip') return { ...file, priority, status: 'skipped' };
  return { ...file, priority, status: file.status === 'skipped' ? 'pending' : file.status };
}

export class FileChoice {
  /** By path: what was asked and is not yet to be seen in what the service tells. */
  readonly #wishes = new SvelteMap<string, FilePriority>();

  constructor(private readonly id: string) {}

  /** What is told, with the wishes over it. */
  over(files: JobFile[]): JobFile[] {
    if (this.#wishes.size === 0) return files;
    return files.map((file) => {
      const wish = this.#wishes.get(file.path);
      return wish === undefined ? file : wished(file, wish);
    });
  }

  /** Sends a wish for some files; what does not come true is taken back. The files as they are now. */
  async set(files: JobFile[], priority: FilePriority): Promise<JobFile[]> {
    const open = files.filter((file) => !inPlace(file));
    if (open.length === 0) return [];
    for (const { path } of open) this.#wishes.set(path, priority);
    try {
      const answer = await api.chooseFiles(this.id, open.map(({ path }) => ({ path, priority })));
      // It was in place before the wish arrived.
      for (const file of answer.files) if (file.priority !== priority) this.#forget(file.path, priority);
      return answer.files;
    } catch (error) {
      for (const { path } of open) this.#forget(path, priority);
      throw error;
    }
  }

  /** Forgets the wishes that have become what the service tells. */
  settle(files: JobFile[]): void {
    for (const file of files) if (file.priority !== undefined) this.#forget(file.path, file.priority);
  }

  /** A newer wish for the same file stays. */
  #forget(path: string, priority: FilePriority): void {
    if (this.#wishes.get(path) === priority) this.#wishes.delete(path);
  }
}

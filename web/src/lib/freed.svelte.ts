/** What the deletion of chosen repos would free, as the service says it of each: asked once, when it is chosen. */
import { SvelteMap } from 'svelte/reactivity';
import { cacheApi, type CachedRepo } from '../api/cache';
import { keyOf } from './library';

/** Questions under way at once: each looks through a folder of the disk. */
const AT_ONCE = 2;

type Wanted = Pick<CachedRepo, 'repo' | 'type' | 'path' | 'size'>;
type Preview = Awaited<ReturnType<typeof cacheApi.preview>>;

export interface Freed {
  bytes: number;
  /** Repos that the service has not answered for yet. */
  open: number;
  /** Repos that it cannot answer for: nothing of them is in `bytes`. */
  unknown: number;
  /** Whether it can be more: what several of them share with each other goes with the last of them. */
  least: boolean;
}

export class Previews {
  /** `null` = no answer to be had. */
  #known = new SvelteMap<string, Preview | null>();
  #asked = new Set<string>();
  #queue: Wanted[] = [];
  #busy = 0;
  #age = 0;

  constructor(private ask: (repo: Wanted) => Promise<Preview> = (repo) => cacheApi.preview(repo.repo, repo.type)) {}

  /** Asks for those that nothing is known of; those that are no longer chosen are not asked for any more. */
  want(repos: Wanted[]): void {
    for (const repo of this.#queue) this.#asked.delete(keyOf(repo));
    this.#queue = repos.filter((repo) => !this.#asked.has(keyOf(repo)));
    for (const repo of this.#queue) this.#asked.add(keyOf(repo));
    while (this.#busy < AT_ONCE && this.#queue.length > 0) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy += 1;
    for (let repo = this.#queue.shift(); repo !== undefined; repo = this.#queue.shift()) {
      const [key, age] = [keyOf(repo), this.#age];
      const answer = await this.ask(repo).catch(() => null);
      if (age === this.#age) this.#known.set(key, answer);
    }
    this.#busy -= 1;
  }

  /** The disk has changed: nothing that was said still holds. */
  forget(): void {
    this.#age += 1;
    this.#queue = [];
    this.#asked.clear();
    this.#known.clear();
  }

  sum(repos: Wanted[]): Freed {
    const answers = repos.map((repo) => this.#known.get(keyOf(repo)));
    const told = answers.filter((one): one is Preview => one !== undefined && one !== null);
    return {
      bytes: told.reduce((sum, one) => sum + one.freesBytes, 0),
      open: answers.filter((one) => one === undefined).length,
      unknown: answers.filter((one) => one === null).length,
      least: told.filter((one) => one.keepsBytes > 0).length > 1,
    };
  }
}

/**
 * Collections in the text of the Add dialog. Each is asked for once, and its line gives way to a
 * line for each of its repos; one that cannot be loaded keeps its line and says why.
 */
import { hubApi } from '../api/hub';
import type { Collection } from '../api/hub-types';
import { collectionOf, parseLines } from '../lib/lines';

/** Wait after the last key: an address is typed letter by letter. */
const PAUSE_MS = 600;

/** The text with the line of a collection replaced by `head` as a comment and a line for each repo. */
export function expanded(text: string, id: string, head: string, found: Collection): string {
  const lines = found.items.map((item) => (item.dataset ? `datasets/${item.repo}` : item.repo));
  return text
    .split(/\r?\n/)
    .flatMap((line) => (collectionOf(line.replace(/(^|\s)#.*$/, '')) === id ? [`# ${head}`, ...lines] : [line]))
    .join('\n');
}

export class Gatherer {
  /** Why a collection is not there, by its name; those that are asked for are in neither. */
  failures: ReadonlyMap<string, unknown> = $state.raw(new Map());
  #asked = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended = new AbortController();
  #take: (id: string, found: Collection) => void;

  constructor(take: (id: string, found: Collection) => void) {
    this.#take = take;
  }

  /** Takes the text as it is now. */
  set(text: string): void {
    clearTimeout(this.#timer);
    const wanted = parseLines(text).flatMap((line) => (line.collection === undefined ? [] : [line.collection]));
    if (wanted.every((id) => this.#asked.has(id))) return;
    this.#timer = setTimeout(() => {
      for (const id of wanted) if (!this.#asked.has(id)) void this.#ask(id);
    }, PAUSE_MS);
  }

  retry(id: string): void {
    this.#forget(id);
    void this.#ask(id);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
  }

  #forget(id: string): void {
    this.failures = new Map([...this.failures].filter(([one]) => one !== id));
  }

  async #ask(id: string): Promise<void> {
    this.#asked.add(id);
    try {
      const found = await hubApi.collection(id, this.#ended.signal);
      // Pasted once more it is asked for again.
      this.#asked.delete(id);
      this.#take(id, found);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.failures = new Map([...this.failures, [id, error]]);
    }
  }
}

/** Something that a page asks for: its newest answer, or why there is none. */
export class Loaded<T> {
  value: T | null = $state.raw(null);
  failure: unknown = $state.raw(null);
  busy = $state(false);
  #call = 0;

  /** Asks; of several questions only the last one counts. */
  async load(ask: () => Promise<T>): Promise<void> {
    this.#call += 1;
    const mine = this.#call;
    this.busy = true;
    try {
      const value = await ask();
      if (mine !== this.#call) return;
      this.value = value;
      this.failure = null;
    } catch (error) {
      if (mine !== this.#call) return;
      this.failure = error;
    }
    this.busy = false;
  }
}

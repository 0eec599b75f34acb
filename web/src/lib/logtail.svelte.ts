/** The log of the service as it grows: the newest lines first, then each as it is written. */
import { systemApi, type LogEntry, type LogWish } from '../api/system';
import { at } from './base';

/** Lines that a page keeps; the file has more. */
export const LINES_KEPT = 1000;
/** First and longest wait before the next try after the connection broke. */
const WAIT_MS = [1000, 30_000] as const;

export class LogTail {
  lines = $state.raw<LogEntry[]>([]);
  /** Why there is no answer; what was there before stays. */
  failure = $state.raw<unknown>(null);
  /** Whether an answer came since the question was asked. */
  loaded = $state(false);
  live = $state(false);
  paused = $state(false);
  /** Lines that came while the page stands still. */
  held = $state.raw<LogEntry[]>([]);
  /** Lines that went by without being seen: they came faster than they are kept. */
  missed = $state(0);

  #wish: LogWish = { level: 'info', q: '' };
  #cursor = 0;
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait: number = WAIT_MS[0];
  #fresh: LogEntry[] = [];
  #call = 0;

  /** Begins anew with other lines. */
  open(wish: LogWish): void {
    this.stop();
    this.#wish = wish;
    this.loaded = false;
    this.held = [];
    this.missed = 0;
    void this.#load(undefined);
  }

  stop(): void {
    this.#call += 1;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#fresh = [];
    this.live = false;
  }

  /** Asks again at once after a failure. */
  retry = (): void => {
    clearTimeout(this.#timer);
    void this.#load(this.loaded ? this.#cursor : undefined);
  };

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#show(this.held);
    this.held = [];
  }

  async #load(after: number | undefined): Promise<void> {
    this.#call += 1;
    const mine = this.#call;
    try {
      const page = await systemApi.log(this.#wish, after);
      if (mine !== this.#call) return;
      // What is older than the first lines that are shown was not missed by this page.
      if (after === undefined) this.lines = page.entries;
      else {
        this.missed += page.missed;
        this.#take(page.entries);
      }
      this.#cursor = page.cursor;
      this.loaded = true;
      this.failure = null;
      this.#follow();
    } catch (error) {
      if (mine !== this.#call) return;
      this.failure = error;
      this.#again();
    }
  }

  #follow(): void {
    const source = new EventSource(at(systemApi.logStream(this.#wish, this.#cursor)));
    this.#source = source;
    source.onopen = () => {
      this.live = true;
      this.#wait = WAIT_MS[0];
    };
    source.addEventListener('line', (event: MessageEvent<string>) => {
      const entry = JSON.parse(event.data) as LogEntry;
      this.#cursor = entry.seq;
      // Many come at once; they are drawn at once.
      this.#fresh.push(entry);
      if (this.#fresh.length === 1) {
        setTimeout(() => {
          this.#take(this.#fresh);
          this.#fresh = [];
        }, 50);
      }
    });
    source.addEventListener('gap', (event: MessageEvent<string>) => {
      this.missed += (JSON.parse(event.data) as { missed: number }).missed;
    });
    // The browser would come back by itself, but never say why it cannot.
    source.onerror = () => {
      source.close();
      this.#source = null;
      this.live = false;
      this.#again();
    };
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.retry, this.#wait);
    this.#wait = Math.min(this.#wait * 2, WAIT_MS[1]);
  }

  #take(entries: LogEntry[]): void {
    if (this.paused) this.held = [...this.held, ...entries].slice(-LINES_KEPT);
    else this.#show(entries);
  }

  #show(entries: LogEntry[]): void {
    if (entries.length > 0) this.lines = [...this.lines, ...entries].slice(-LINES_KEPT);
  }
}

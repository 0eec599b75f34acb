/**
 * The one live connection: a WebSocket that comes back by itself, in its place a stream of events
 * where something between lets no WebSocket through, and asking every 5 s while neither is there. Knows nothing of pages; time and sockets come from outside, so that tests own both.
 */
import type { LiveMessage } from '../api/types';

/** First wait before the next attempt; doubles up to the longest. */
export const FIRST_WAIT_MS = 1000;
export const LONGEST_WAIT_MS = 30_000;
/** Time between two questions while there is no socket. */
export const POLL_EVERY_MS = 5000;
/** The service speaks at least every 5 s; a socket that is silent for so long is dead. */
export const SILENCE_MS = 20_000;

/** How changes come: by WebSocket or by server-sent events. */
export type Way = 'socket' | 'events';

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live'; way: Way }
  /** No socket, but answers come: everything shown is at most 5 s old. */
  | { kind: 'polling'; retryAt: number }
  /** Nothing answers; what is shown is as old as `since`. */
  | { kind: 'offline'; since: number; retryAt: number };

export interface Socket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  close(): void;
}

export interface World {
  open(way: Way): Socket;
  now(): number;
  after(ms: number, run: () => void): unknown;
  cancel(timer: unknown): void;
}

export interface Listener {
  message(message: LiveMessage): void;
  connection(state: Connection): void;
  /** Asks for the lists; rejects when nobody answers. */
  poll(): Promise<void>;
}

export class Feed {
  #socket: Socket | null = null;
  #state: Connection = { kind: 'connecting' };
  #way: Way = 'socket';
  /** Whether the open connection has said its first word. */
  #began = false;
  #wait = FIRST_WAIT_MS;
  #heardAt: number;
  #retryAt = 0;
  #retry: unknown = null;
  #poll: unknown = null;
  #silence: unknown = null;
  #polling = false;
  #stopped = true;

  constructor(private readonly world: World, private readonly listener: Listener) {
    this.#heardAt = world.now();
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
    this.#schedulePoll();
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of [this.#retry, this.#poll, this.#silence]) this.world.cancel(timer);
    this.#drop();
  }

  /** Tries at once: the network is back, or the user asks. */
  retryNow(): void {
    if (this.#stopped || this.#socket !== null) return;
    this.world.cancel(this.#retry);
    this.#connect();
  }

  #connect(): void {
    let socket: Socket;
    try {
      socket = this.world.open(this.#way);
    } catch {
      this.#lost();
      return;
    }
    this.#socket = socket;
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#read(event.data);
    };
    socket.onclose = socket.onerror = () => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#lost();
    };
    this.#watchSilence();
  }

  #read(data: unknown): void {
    this.#heardAt = this.world.now();
    this.#watchSilence();
    if (typeof data !== 'string') return;
    let message: LiveMessage;
    try {
      message = JSON.parse(data) as LiveMessage;
    } catch {
      return;
    }
    if (message.type === 'init') {
      this.#began = true;
      this.#wait = FIRST_WAIT_MS;
      this.world.cancel(this.#poll);
      this.#become({ kind: 'live', way: this.#way });
    }
    this.listener.message(message);
  }

  #watchSilence(): void {
    this.world.cancel(this.#silence);
    this.#silence = this.world.after(SILENCE_MS, () => {
      if (this.#socket === null) return;
      this.#drop();
      this.#lost();
    });
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.world.cancel(this.#silence);
    if (socket === null) return;
    socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close();
  }

  #lost(): void {
    if (this.#stopped) return;
    const wasLive = this.#began;
    this.#began = false;
    // What worked is tried again; what never began gives way to the other.
    if (!wasLive) this.#way = this.#way === 'socket' ? 'events' : 'socket';
    else this.#way = 'socket';
    this.#retryAt = this.world.now() + this.#wait;
    this.#retry = this.world.after(this.#wait, () => this.#connect());
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    if (wasLive) {
      void this.#ask();
    } else if (this.#state.kind === 'polling' || this.#state.kind === 'offline') {
      this.#become({ ...this.#state, retryAt: this.#retryAt });
    }
  }

  #schedulePoll(): void {
    this.world.cancel(this.#poll);
    this.#poll = this.world.after(POLL_EVERY_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    if (this.#stopped || this.#polling) return;
    this.#polling = true;
    let answered = true;
    try {
      await this.listener.poll();
    } catch {
      answered = false;
    }
    this.#polling = false;
    // The socket may have come back, or everything ended, while the question was out.
    if (this.#stopped || this.#isLive()) return;
    if (answered) this.#heardAt = this.world.now();
    this.#become(
      answered
        ? { kind: 'polling', retryAt: this.#retryAt }
        : { kind: 'offline', since: this.#heardAt, retryAt: this.#retryAt },
    );
    this.#schedulePoll();
  }

  #isLive(): boolean {
    return this.#began;
  }

  #become(state: Connection): void {
    this.#state = state;
    this.listener.connection(state);
  }
}

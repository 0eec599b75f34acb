import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../../src/api/types';
import { Feed, FIRST_WAIT_MS, LONGEST_WAIT_MS, POLL_EVERY_MS, SILENCE_MS, type Connection, type Socket, type Way } from '../../src/live/feed';

/** Time and sockets in the hands of the test. */
class Stage {
  time = 0;
  timers = new Map<number, { at: number; run: () => void }>();
  sockets: (Socket & { closed: boolean })[] = [];
  opened: number[] = [];
  ways: Way[] = [];
  states: Connection[] = [];
  messages: LiveMessage[] = [];
  polls = 0;
  answers = true;
  #next = 1;
  feed = new Feed(
    {
      open: (way) => {
        this.ways.push(way);
        const socket = { onmessage: null, onclose: null, onerror: null, closed: false, close: () => { socket.closed = true; } } as Socket & { closed: boolean };
        this.sockets.push(socket);
        this.opened.push(this.time);
        return socket;
      },
      now: () => this.time,
      after: (ms, run) => {
        this.timers.set(this.#next, { at: this.time + ms, run });
        return this.#next++;
      },
      cancel: (timer) => void this.timers.delete(timer as number),
    },
    {
      message: (message) => void this.messages.push(message),
      connection: (state) => void this.states.push(state),
      poll: async () => {
        this.polls += 1;
        if (!this.answers) throw new Error('nobody');
      },
    },
  );

  get last() {
    return this.states.at(-1);
  }
  get socket() {
    return this.sockets.at(-1);
  }
  say(message: unknown) {
    this.socket?.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
  init() {
    this.say({ type: 'init', data: { jobs: [], jobsTotal: 0, version: '1' } });
  }
  async pass(ms: number) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) break;
      this.timers.delete(due[0]);
      this.time = due[1].at;
      due[1].run();
      await settle();
    }
    this.time = end;
  }
}
const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

describe('the live feed', () => {
  it('is live with the first message, not with the open socket', () => {
    const stage = new Stage();
    stage.feed.start();
    expect(stage.states).toEqual([]);
    stage.init();
    expect(stage.last).toEqual({ kind: 'live', way: 'socket' });
  });

  it('comes back after 1, 2, 4 … 30 s, and starts over once it was live', async () => {
    const stage = new Stage();
    stage.feed.start();
    for (const wait of [1000, 2000, 4000, 8000, 16_000, LONGEST_WAIT_MS, LONGEST_WAIT_MS]) {
      const closed = stage.time;
      stage.socket?.onclose?.();
      await stage.pass(wait);
      expect(stage.opened.at(-1)).toBe(closed + wait);
    }
    stage.init();
    const before = stage.time;
    stage.socket?.onclose?.();
    await stage.pass(FIRST_WAIT_MS);
    expect(stage.opened.at(-1)).toBe(before + FIRST_WAIT_MS);
  });

  it('asks at once and every 5 s while the socket is away, and stops when it is back', async () => {
    const stage = new Stage();
    stage.feed.start();
    stage.init();
    stage.socket?.onclose?.();
    await settle();
    expect(stage.polls).toBe(1);
    expect(stage.last).toMatchObject({ kind: 'polling', retryAt: FIRST_WAIT_MS });
    await stage.pass(2 * POLL_EVERY_MS);
    expect(stage.polls).toBe(3);
    stage.init();
    expect(stage.last).toEqual({ kind: 'live', way: 'socket' });
    stage.timers.forEach((timer, id) => timer.at === stage.time + SILENCE_MS || stage.timers.delete(id));
    await stage.pass(2 * POLL_EVERY_MS);
    expect(stage.polls).toBe(3);
  });

  it('says since when the numbers are old: since the last answer', async () => {
    const stage = new Stage();
    stage.feed.start();
    stage.init();
    await stage.pass(3000);
    stage.say({ type: 'status', data: {} });
    await stage.pass(1000);
    stage.answers = false;
    stage.socket?.onclose?.();
    await settle();
    expect(stage.last).toMatchObject({ kind: 'offline', since: 3000 });
    await stage.pass(POLL_EVERY_MS);
    expect(stage.last).toMatchObject({ kind: 'offline', since: 3000 });
    stage.answers = true;
    await stage.pass(POLL_EVERY_MS);
    expect(stage.last).toMatchObject({ kind: 'polling' });
  });

  it('takes a socket that says nothing for dead', async () => {
    const stage = new Stage();
    stage.feed.start();
    stage.init();
    const first = stage.socket;
    await stage.pass(SILENCE_MS);
    expect(first?.closed).toBe(true);
    await stage.pass(FIRST_WAIT_MS);
    expect(stage.sockets).toHaveLength(2);
  });

  it('passes on what it does not know and drops what is no message', () => {
    const stage = new Stage();
    stage.feed.start();
    stage.say('{broken');
    stage.say({ type: 'of tomorrow', data: 1 });
    expect(stage.messages).toEqual([{ type: 'of tomorrow', data: 1 }]);
  });

  it('takes the stream of events where no socket ever begins, and the socket again once it was live', async () => {
    const stage = new Stage();
    stage.feed.start();
    stage.socket?.onclose?.();
    await stage.pass(FIRST_WAIT_MS);
    expect(stage.ways).toEqual(['socket', 'events']);
    stage.init();
    expect(stage.last).toEqual({ kind: 'live', way: 'events' });
    stage.socket?.onclose?.();
    await stage.pass(FIRST_WAIT_MS);
    expect(stage.ways.at(-1)).toBe('socket');
    stage.socket?.onclose?.();
    await stage.pass(2 * FIRST_WAIT_MS);
    expect(stage.ways.at(-1)).toBe('events');
  });

  it('does nothing after its end', async () => {
    const stage = new Stage();
    stage.feed.start();
    stage.init();
    stage.feed.stop();
    expect(stage.socket?.closed).toBe(true);
    await stage.pass(100_000);
    expect([stage.sockets.length, stage.polls]).toEqual([1, 0]);
  });
});

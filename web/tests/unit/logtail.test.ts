import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEntry } from '../../src/api/system';
import { LINES_KEPT, LogTail } from '../../src/lib/logtail.svelte';

const entry = (seq: number): LogEntry => ({ seq, at: '2026-11-29T10:00:00.000Z', level: 'info', target: 't', message: `line ${seq}`, fields: {} });

class Source {
  static all: Source[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  #heard = new Map<string, (event: { data: string }) => void>();
  constructor(readonly url: string) {
    Source.all.push(this);
  }
  addEventListener(type: string, heard: (event: { data: string }) => void) {
    this.#heard.set(type, heard);
  }
  tell(type: string, data: unknown) {
    this.#heard.get(type)?.({ data: JSON.stringify(data) });
  }
  close() {
    this.closed = true;
  }
}

let asked: string[];
let answers: (() => Response)[];
beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answers = [];
  Source.all = [];
  vi.stubGlobal('EventSource', Source);
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return Promise.resolve(answers.shift()?.() ?? new Response('{"error":"no answer"}', { status: 500 }));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const page = (entries: LogEntry[], cursor: number, missed = 0) => () => new Response(JSON.stringify({ entries, cursor, missed }));
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const seqs = (tail: LogTail) => tail.lines.map((line) => line.seq);

describe('the tail of the log', () => {
  it('begins with what is there and goes on behind it', async () => {
    answers = [page([entry(1), entry(2)], 5)];
    const tail = new LogTail();
    tail.open({ level: 'info', q: 'x' });
    await settle();
    expect(asked[0]).toMatch(/api\/system\/log\?level=info&q=x$/);
    const [source] = Source.all;
    expect(source?.url).toMatch(/api\/system\/log\/stream\?level=info&q=x&after=5$/);
    source?.onopen?.();
    source?.tell('line', entry(6));
    source?.tell('gap', { missed: 3 });
    source?.tell('line', entry(10));
    await settle(60);
    expect([seqs(tail), tail.live, tail.missed]).toEqual([[1, 2, 6, 10], true, 3]);
    tail.stop();
    expect(source?.closed).toBe(true);
  });

  it('holds lines back while it is paused, and keeps no more than so many', async () => {
    answers = [page([entry(0)], 0)];
    const tail = new LogTail();
    tail.open({ level: 'info', q: '' });
    await settle();
    tail.pause();
    for (let n = 1; n <= LINES_KEPT + 5; n += 1) Source.all[0]?.tell('line', entry(n));
    await settle(60);
    expect([seqs(tail), tail.held.length]).toEqual([[0], LINES_KEPT]);
    tail.resume();
    expect([tail.lines.length, tail.held.length, tail.lines.at(-1)?.seq]).toEqual([LINES_KEPT, 0, LINES_KEPT + 5]);
  });

  it('waits longer after each failure and goes on behind the last line it saw', async () => {
    answers = [page([entry(1)], 1)];
    const tail = new LogTail();
    tail.open({ level: 'info', q: '' });
    await settle();
    Source.all[0]?.onopen?.();
    Source.all[0]?.tell('line', entry(2));
    Source.all[0]?.onerror?.();
    expect(tail.live).toBe(false);
    await settle(1000);
    expect(asked.length).toBe(2);
    expect(tail.failure).not.toBeNull();
    await settle(1000);
    expect(asked.length, 'two seconds the second time').toBe(2);
    answers = [page([entry(3)], 3, 1)];
    await settle(1000);
    expect(asked[2]).toMatch(/after=2$/);
    expect([seqs(tail), tail.failure, tail.missed]).toEqual([[1, 2, 3], null, 1]);
    expect(Source.all.length).toBe(2);
  });

  it('forgets answers to a question that was replaced', async () => {
    answers = [page([entry(1)], 1), page([entry(2)], 2)];
    const tail = new LogTail();
    tail.open({ level: 'info', q: 'old' });
    tail.open({ level: 'info', q: 'new' });
    await settle();
    expect(seqs(tail)).toEqual([2]);
    expect(Source.all.map(({ url }) => /q=(\w+)/.exec(url)?.[1])).toEqual(['new']);
  });
});

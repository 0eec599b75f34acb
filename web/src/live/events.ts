/**
 * Server-sent events in the shape of a socket. The browser would reconnect by itself; here the
 * feed decides when and by which way, so the first error ends the stream.
 */
import type { Socket } from './feed';

const TYPES = ['init', 'job_update', 'event', 'status'] as const;

export class EventStream implements Socket {
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  onerror: Socket['onerror'] = null;
  #source: EventSource;

  constructor(url: string) {
    this.#source = new EventSource(url);
    for (const type of TYPES) {
      this.#source.addEventListener(type, (event: MessageEvent<string>) => {
        this.onmessage?.({ data: `{"type":"${type}","data":${payload(type, event.data)}}` });
      });
    }
    this.#source.onerror = () => {
      this.close();
      this.onclose?.();
    };
  }

  close(): void {
    this.#source.close();
  }
}

/** The data alone, also where the whole message of the WebSocket was sent. */
function payload(type: string, text: string): string {
  try {
    const read = JSON.parse(text) as { type?: unknown; data?: unknown };
    if (read.type === type && typeof read.data === 'object') return JSON.stringify(read.data);
  } catch {
    // Not readable: the feed drops what is no message.
    return '';
  }
  return text;
}

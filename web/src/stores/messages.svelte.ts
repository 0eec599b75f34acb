/** What the pages say: toasts, the log of them, and the live region for screen readers. */

export type Level = 'info' | 'success' | 'error';

export interface Toast {
  id: number;
  level: Level;
  text: string;
  /** One line each, behind a fold. */
  details: string[];
  /** Takes back what the toast tells of. */
  undo: (() => void) | null;
  at: number;
}

const SHOWN_MS = 4000;
/** Long enough to read, decide and walk to the button. */
const UNDO_MS = 10_000;
const AT_MOST = 3;
const LOGGED = 200;
/** Shortest time between two sentences of the live region. */
const ANNOUNCE_EVERY_MS = 5000;

let next = 1;
let toasts = $state.raw<Toast[]>([]);
let log = $state.raw<Toast[]>([]);
let polite = $state('');
let assertive = $state('');

export const messages = {
  get toasts() {
    return toasts;
  },
  /** Everything said since the page was opened, newest first. */
  get log() {
    return log;
  },
  get polite() {
    return polite;
  },
  get assertive() {
    return assertive;
  },
};

export function closeToast(id: number): void {
  toasts = toasts.filter((toast) => toast.id !== id);
}

/** Errors stay until they are closed, the rest goes by itself. At most three are shown. */
export function say(level: Level, text: string, details: string[] = [], undo: (() => void) | null = null): void {
  const toast: Toast = { id: next++, level, text, details, undo, at: Date.now() };
  log = [toast, ...log].slice(0, LOGGED);
  toasts = [...toasts, toast].slice(-AT_MOST);
  if (level === 'error') {
    assertive = text;
  } else {
    announce(text);
    setTimeout(() => closeToast(toast.id), undo !== null ? UNDO_MS : details.length > 0 ? 3 * SHOWN_MS : SHOWN_MS);
  }
}

let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let lastAt = 0;

/** For the polite live region: sentences within 5 s come as one. */
export function announce(text: string): void {
  waiting.push(text);
  timer ??= setTimeout(
    () => {
      timer = undefined;
      lastAt = Date.now();
      polite = waiting.join('. ');
      waiting = [];
    },
    Math.max(200, lastAt + ANNOUNCE_EVERY_MS - Date.now()),
  );
}

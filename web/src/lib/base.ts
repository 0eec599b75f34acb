/**
 * Where the service lives. The bundle knows its own URL (`<base>/assets/…`), so the pages work
 * under any prefix that a reverse proxy puts in front, without being told.
 */
export const basePath: string = import.meta.env.DEV
  ? '/'
  : new URL(/* @vite-ignore */ '..', import.meta.url).pathname;

/** The URL of a path of the API or of a page, relative to the base: `api/jobs`, `queue`. */
export function at(path: string): string {
  return basePath + path;
}

/** The same as a WebSocket URL. */
export function socketUrl(path: string): string {
  const url = new URL(at(path), location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

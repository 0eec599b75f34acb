/** The URL is the state of the page: what is shown can be reloaded and shared. */
import { at, basePath } from '../lib/base';

interface Place {
  /** Without the base: `queue`, `jobs/0123456789ab`. */
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  const inside = location.pathname.startsWith(basePath) ? location.pathname.slice(basePath.length) : '';
  return { path: inside.replace(/^\/+|\/+$/g, ''), query: new URLSearchParams(location.search) };
}

let place = $state.raw(read());

export const router = {
  get path() {
    return place.path;
  },
  get query() {
    return place.query;
  },
};

/** Shows another page; `replace` leaves no way back, for what the user types into a filter. */
export function go(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', at(path));
  else history.pushState(null, '', at(path));
  const before = place.path;
  place = read();
  if (place.path !== before) scrollTo(0, 0);
}

/** Changes parts of the query of this page; empty values leave it. */
export function setQuery(changes: Record<string, string>): void {
  const query = new URLSearchParams(place.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(text === '' ? place.path : `${place.path}?${text}`, true);
}

/** Follows the browser's back and forward, and clicks on links that stay within the pages. */
export function startRouter(): () => void {
  const back = () => {
    place = read();
  };
  const click = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (link === null || link === undefined || link.target !== '' || link.hasAttribute('download')) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(basePath)) return;
    if (url.hash !== '' && url.pathname === location.pathname) return;
    const inside = url.pathname.slice(basePath.length);
    if (/^(api|healthz|readyz|metrics)(\/|$)/.test(inside)) return;
    event.preventDefault();
    go(inside + url.search);
  };
  addEventListener('popstate', back);
  addEventListener('click', click);
  return () => {
    removeEventListener('popstate', back);
    removeEventListener('click', click);
  };
}

/**
 * Which routes this service has, by its own description: a page that has another way asks for
 * none that is not there, for a browser writes every 404 into its console as an error.
 */
import { json } from './client';

let known: Promise<Set<string>> | undefined;

/** Whether the service has the route, written as in its description: `/api/system/checks`. */
export async function hasRoute(path: string): Promise<boolean> {
  known ??= json<{ paths?: Record<string, unknown> }>('GET', 'api/openapi.json').then((document) => new Set(Object.keys(document.paths ?? {})));
  try {
    return (await known).has(path);
  } catch {
    // Asked again next time: it may only have been away.
    known = undefined;
    return false;
  }
}

/**
 * What the Hub has newer of the repos of the library. Asked only on demand: each repo costs a
 * request. It holds until the pages are loaded anew.
 */
import { hubApi } from '../api/hub';
import type { CachedRepo } from '../api/cache';
import { isPlain, keyOf } from '../lib/library';

export type Update =
  | { kind: 'asking' }
  /** `count` 0 = the newest is here; `null` = the commits here belong to no branch that is asked for. */
  | { kind: 'told'; count: number | null; more: boolean }
  | { kind: 'error'; error: unknown };

/** Questions that are out at once. */
const AT_ONCE = 4;

const found = $state<{ all: ReadonlyMap<string, Update>; total: number; done: number }>({ all: new Map(), total: 0, done: 0 });

/** What is known of each repo, by its key. */
export const updates = {
  of: (repo: CachedRepo): Update | undefined => found.all.get(keyOf(repo)),
  get any() {
    return found.all.size > 0;
  },
  get asking() {
    return [...found.all.values()].some((one) => one.kind === 'asking');
  },
  /** How far the check is that goes on. */
  get done() {
    return found.done;
  },
  get total() {
    return found.total;
  },
};

function put(repo: CachedRepo, update: Update): void {
  found.all = new Map([...found.all, [keyOf(repo), update]]);
}

/** Repos that can be asked about: what lies plain in a folder has no commit. */
export const askable = (repos: CachedRepo[]): CachedRepo[] => repos.filter((repo) => !isPlain(repo) && repo.repo.includes('/'));

/** Asks the Hub about `repos`, a few at once. */
export async function check(repos: CachedRepo[]): Promise<void> {
  const waiting = askable(repos);
  found.total = waiting.length;
  found.done = 0;
  for (const repo of waiting) put(repo, { kind: 'asking' });
  const worker = async () => {
    for (let repo = waiting.shift(); repo !== undefined; repo = waiting.shift()) {
      try {
        const answer = await hubApi.commits(repo.repo, { dataset: repo.type === 'dataset', revision: repo.branch || 'main' });
        put(repo, { kind: 'told', count: answer.behind, more: answer.behindMore });
      } catch (error) {
        put(repo, { kind: 'error', error });
      }
      found.done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Forgets what is known of a repo, because it is about to change. */
export function forgetUpdate(repo: CachedRepo): void {
  found.all = new Map([...found.all].filter(([key]) => key !== keyOf(repo)));
}

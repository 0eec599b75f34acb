/** Collections in words. */
import type { Collection } from '../api/hub-types';
import { t, type Key } from './index.svelte';

const KINDS = ['paper', 'space', 'other'] as const;

/** What of a collection is nothing to download: `2 papers, 1 space`; empty when there is nothing. */
export function leftOut(found: Pick<Collection, 'leftOut'>): string {
  const kindOf = (type: string) => KINDS.find((kind) => kind === type) ?? 'other';
  return KINDS.flatMap((kind) => {
    const count = found.leftOut.filter((entry) => kindOf(entry.type) === kind).length;
    return count === 0 ? [] : [t(`collection.${kind}` as Key, { count })];
  }).join(', ');
}

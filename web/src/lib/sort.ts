/** Orders of the queue that the user can choose. */
import type { Job } from '../api/types';
import { byQueue, etaNow, percentOf, speedNow } from './state';

export const COLUMNS = ['name', 'state', 'progress', 'speed', 'eta', 'files'] as const;
export type Column = (typeof COLUMNS)[number];
export interface Order {
  column: Column;
  down: boolean;
}

/** `speed-down` as an order; `null` = the order of the queue. */
export function parseOrder(text: string | null): Order | null {
  const [name, direction] = (text ?? '').split('-');
  const column = COLUMNS.find((one) => one === name);
  return column === undefined ? null : { column, down: direction === 'down' };
}

/** The next order when a column's head is pressed: up, down, the queue's own. */
export function nextOrder(order: Order | null, column: Column): string {
  if (order?.column !== column) return column;
  return order.down ? '' : `${column}-down`;
}

function value(job: Job, column: Column, now: number): number {
  switch (column) {
    case 'progress':
      return percentOf(job);
    case 'speed':
      return speedNow(job, now);
    case 'eta':
      return etaNow(job, now) || Infinity;
    default:
      return job.progress.totalFiles;
  }
}

/** A sorted copy. Equal jobs stay in the order of the queue. */
export function sorted(jobs: Job[], order: Order | null, now: number): Job[] {
  const list = [...jobs].sort(byQueue);
  if (order === null) return list;
  const sign = order.down ? -1 : 1;
  if (order.column === 'state') return order.down ? list.reverse() : list;
  if (order.column === 'name') return list.sort((a, b) => sign * a.repo.localeCompare(b.repo));
  const values = new Map(list.map((job) => [job.id, value(job, order.column, now)]));
  return list.sort((a, b) => {
    const [left, right] = [values.get(a.id) ?? 0, values.get(b.id) ?? 0];
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  });
}

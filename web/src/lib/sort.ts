/** Orders of the queue that the user can choose. */
import type { Job } from '../api/types';
import { COLUMNS, type Column as Choosable } from './columns';
import { byQueue, etaNow, percentOf, speedNow } from './state';

export type Column = 'name' | Choosable;
export interface Order {
  column: Column;
  down: boolean;
}

/** `speed-down` as an order; `null` = the order of the queue. */
export function parseOrder(text: string | null): Order | null {
  const [name, direction] = (text ?? '').split('-');
  const column = (['name', ...COLUMNS] as const).find((one) => one === name);
  return column === undefined ? null : { column, down: direction === 'down' };
}

/** The next order when a column's head is pressed: up, down, the queue's own. */
export function nextOrder(order: Order | null, column: Column): string {
  if (order?.column !== column) return column;
  return order.down ? '' : `${column}-down`;
}

const time = (text: string | null) => (text === null ? 0 : Date.parse(text));

function value(job: Job, column: Column, now: number): number | string {
  switch (column) {
    case 'name':
      return job.repo.toLowerCase();
    case 'progress':
      return percentOf(job);
    case 'speed':
      return speedNow(job, now);
    case 'eta':
      return etaNow(job, now) || Infinity;
    case 'files':
      return job.progress.totalFiles;
    case 'size':
      return job.progress.totalBytes;
    case 'priority':
      return job.priority;
    case 'reused':
      return job.reusedBytes;
    case 'created':
      return time(job.createdAt);
    case 'started':
      return time(job.startedAt);
    case 'ended':
      return time(job.endedAt);
    case 'kind':
      return job.kind ?? '';
    case 'revision':
      return job.revision;
    case 'category':
      return job.category ?? '';
    case 'tags':
      return (job.tags ?? []).join();
    case 'actor':
      return job.actor;
    default:
      return 0;
  }
}

/** A sorted copy. Equal jobs stay in the order of the queue. */
export function sorted(jobs: Job[], order: Order | null, now: number): Job[] {
  const list = [...jobs].sort(byQueue);
  if (order === null) return list;
  if (order.column === 'state') return order.down ? list.reverse() : list;
  const sign = order.down ? -1 : 1;
  const values = new Map(list.map((job) => [job.id, value(job, order.column, now)]));
  return list.sort((a, b) => {
    const [left, right] = [values.get(a.id) ?? 0, values.get(b.id) ?? 0];
    return left === right ? 0 : sign * (left < right ? -1 : 1);
  });
}

/** Which dialog is open, and with what in it. Only one can be. */
import type { Job } from '../api/types';

/** What of a job can be changed in a dialog. */
export type Field = 'priority' | 'maxSpeed' | 'connections' | 'category' | 'tags';

export type Open =
  | { kind: 'add'; text: string }
  | { kind: 'cancel'; jobs: Job[] }
  | { kind: 'fewer'; job: Job }
  | { kind: 'change'; field: Field; jobs: Job[] }
  | { kind: 'columns' }
  | { kind: 'keys' };

let open = $state.raw<Open | null>(null);

export const dialogs = {
  get open() {
    return open;
  },
};

export function openDialog(which: Open): void {
  open = which;
}

export function closeDialog(): void {
  open = null;
}

/** Which dialog is open, and with what in it. Only one can be. */
import type { Job } from '../api/types';

export type Open =
  | { kind: 'add'; text: string }
  | { kind: 'cancel'; jobs: Job[] }
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

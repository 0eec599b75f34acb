/** Dragging a queued row to another place in the line, by mouse, pen or finger. */
import type { Job } from '../api/types';

export class RowDrag {
  /** The row that is carried. */
  id = $state('');
  /** The row before which it would be put; empty = none yet, `end` = behind the last. */
  before = $state('');

  constructor(private readonly queued: () => Job[], private readonly drop: (job: Job, before: string | null) => void) {}

  start(job: Job, event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.id = job.id;
    this.before = '';
    const move = (moved: PointerEvent) => this.#over(moved.clientX, moved.clientY);
    const end = (ended: Event) => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', end);
      removeEventListener('pointercancel', end);
      removeEventListener('keydown', escape);
      const before = this.before;
      this.id = this.before = '';
      if (ended.type === 'pointerup' && before !== '' && before !== job.id) this.drop(job, before === 'end' ? null : before);
    };
    const escape = (pressed: KeyboardEvent) => {
      if (pressed.key === 'Escape') end(pressed);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', end);
    addEventListener('pointercancel', end);
    addEventListener('keydown', escape);
  }

  #over(x: number, y: number): void {
    const row = document.elementFromPoint(x, y)?.closest<HTMLElement>('[data-job]');
    const line = this.queued();
    const at = line.findIndex((job) => job.id === row?.dataset['job']);
    if (row === null || row === undefined || at < 0) return;
    const { top, height } = row.getBoundingClientRect();
    const next = y < top + height / 2 ? line[at] : line[at + 1];
    // Before itself or right behind itself is where it is.
    const here = line.findIndex((job) => job.id === this.id);
    this.before = next?.id === this.id || (here >= 0 && next?.id === line[here + 1]?.id) ? '' : (next?.id ?? 'end');
  }
}

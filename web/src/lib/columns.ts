/** Columns of the queue that can be shown beside the name. */
export const COLUMNS = [
  'state', 'progress', 'speed', 'eta', 'files', 'size', 'kind', 'revision', 'priority', 'category', 'tags', 'actor', 'created', 'started', 'ended', 'reused',
] as const;
export type Column = (typeof COLUMNS)[number];

/** Shown until the user chooses. */
export const STANDARD: readonly Column[] = ['state', 'progress', 'speed', 'eta', 'files'];

/** How wide each column is until its width is chosen while others were, and how narrow it may become; pixels. */
export const WIDTH: Record<Column, number> = {
  state: 200, progress: 240, speed: 116, eta: 96, files: 76, size: 96, kind: 100, revision: 150, priority: 84, category: 130, tags: 150, actor: 150,
  created: 120, started: 120, ended: 120, reused: 96,
};
export const MIN_WIDTH: Record<Column, number> = {
  state: 110, progress: 150, speed: 84, eta: 64, files: 56, size: 64, kind: 64, revision: 64, priority: 64, category: 64, tags: 64, actor: 64,
  created: 80, started: 80, ended: 80, reused: 64,
};
/** What is always left for the name. */
export const NAME_WIDTH = 180;
export type Widths = Partial<Record<Column, number>>;

/** Widths as they were saved, without what makes no sense. */
export function readWidths(saved: unknown): Widths {
  if (typeof saved !== 'object' || saved === null) return {};
  const widths: Widths = {};
  for (const column of COLUMNS) {
    const width = (saved as Record<string, unknown>)[column];
    if (typeof width === 'number' && Number.isFinite(width)) widths[column] = Math.min(Math.max(Math.round(width), MIN_WIDTH[column]), 2000);
  }
  return widths;
}

/** How wide `column` may become so that the name keeps its room; `fixed` = pixels of what is never resized. */
export function mostWidth(column: Column, shown: readonly Column[], widths: Widths, frame: number, fixed: number): number {
  const others = shown.filter((one) => one !== column).reduce((sum, one) => sum + (widths[one] ?? WIDTH[one]), 0);
  return Math.floor(frame - fixed - others - NAME_WIDTH);
}

/** Columns of numbers stand at the right. */
export const NUMBERS: ReadonlySet<Column> = new Set(['speed', 'eta', 'files', 'size', 'priority', 'reused']);

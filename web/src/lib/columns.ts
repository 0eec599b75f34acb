/** Columns of the queue that can be shown beside the name. */
export const COLUMNS = [
  'state', 'progress', 'speed', 'eta', 'files', 'size', 'kind', 'revision', 'priority', 'category', 'tags', 'actor', 'created', 'started', 'ended', 'reused',
] as const;
export type Column = (typeof COLUMNS)[number];

/** Shown until the user chooses. */
export const STANDARD: readonly Column[] = ['state', 'progress', 'speed', 'eta', 'files'];

/** Columns of numbers stand at the right. */
export const NUMBERS: ReadonlySet<Column> = new Set(['speed', 'eta', 'files', 'size', 'priority', 'reused']);

/** The lines of a list of a job's files: those of one type, as folders or flat, what is done folded away. */
import type { JobFile } from '../api/types';
import { inPlace } from './choice.svelte';
import { filesIn, rowsOf, treeOf, type Folder } from './tree';

export interface Line {
  depth: number;
  file?: JobFile;
  folder?: Folder<JobFile>;
  /** The files under this line, which shows or hides them; they are all done. */
  done?: JobFile[];
  /** Whether what is under it is shown. */
  open?: boolean;
}

/** `.json` of `a/config.json`; empty where a name has no ending. */
export function endingOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot).toLowerCase();
}

/** The endings that occur and how often, the most frequent first. */
export function endingsOf(files: JobFile[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { path } of files) counts.set(endingOf(path), (counts.get(endingOf(path)) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
}

/** What is still to come, then one line for all that is done; `unfolded` shows them too. A list that is done has nothing to fold. */
export function flatLines(files: JobFile[], unfolded: boolean): Line[] {
  const lines = (some: JobFile[]) => some.map((file) => ({ depth: 0, file }));
  const done = files.filter(inPlace);
  if (done.length === 0 || done.length === files.length) return lines(files);
  return [...lines(files.filter((file) => !inPlace(file))), { depth: 0, done, open: unfolded }, ...(unfolded ? lines(done) : [])];
}

export function treeLines(files: JobFile[], open: ReadonlySet<string>): Line[] {
  return rowsOf(treeOf(files, (file) => file.totalBytes), open).map((row) => (row.folder === undefined ? row : { ...row, open: open.has(row.folder.path) }));
}

/** The files that a tick on a line stands for. */
export function under(line: Line): JobFile[] {
  if (line.folder !== undefined) return filesIn(line.folder);
  return line.file === undefined ? [] : [line.file];
}

/** A file's segments as a strip: which share of each cell is asked for, on disk, safe from a power cut, checked. */
import type { SegmentedFile } from '../api/control-types';

export type Cell = 'empty' | 'open' | 'written' | 'synced' | 'hashed';

/** One word for each of `count` equal spans; a span counts as what all of it is. */
export function cells(file: SegmentedFile, count: number): Cell[] {
  const total = Math.max(1, file.totalBytes);
  const whole = file.segments.length === 0 && file.written >= file.totalBytes;
  const made: Cell[] = [];
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const from = (index / count) * total;
    const to = ((index + 1) / count) * total;
    if (to <= file.hashed) {
      made.push('hashed');
      continue;
    }
    if (whole) {
      made.push(to <= file.synced ? 'synced' : 'written');
      continue;
    }
    while (at < file.segments.length - 1 && (file.segments[at]?.start ?? 0) + (file.segments[at]?.length ?? 0) <= from) at += 1;
    const segment = file.segments[at];
    if (segment === undefined || from < segment.start || from >= segment.start + segment.length) made.push('empty');
    else if (to <= segment.start + segment.synced) made.push('synced');
    else if (from < segment.start + segment.written) made.push('written');
    else made.push(segment.open ? 'open' : 'empty');
  }
  return made;
}

/** Ranges that are being fetched now. */
export function openRanges(file: SegmentedFile): number {
  return file.segments.filter((segment) => segment.open && segment.written < segment.length).length;
}

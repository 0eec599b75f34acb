import { describe, expect, it } from 'vitest';
import { keepJob } from '../../src/lib/merge';
import { JobTable } from '../../src/lib/table';
import { file, job } from './fixtures';

const copy = <T>(value: T): T => structuredClone(value);

describe('merge', () => {
  it('gives the same object when nothing changed', () => {
    const old = job('a');
    expect(keepJob(old, copy(old))).toBe(old);
  });
  it('keeps every part that did not change', () => {
    const old = job('a');
    const next = copy(old);
    next.progress.downloadedBytes = 300;
    next.files = [file('a', { downloaded: 50 }), file('b')];
    const merged = keepJob(old, next);
    expect(merged).not.toBe(old);
    expect(merged.progress.downloadedBytes).toBe(300);
    expect(merged.filters).toBe(old.filters);
    expect(merged.files[0]).toEqual(next.files[0]);
    expect(merged.files[1]).toBe(old.files[1]);
  });
  it('sees files that come, go and move', () => {
    const old = job('a');
    expect(keepJob(old, { ...old, files: [file('b'), file('a')] }).files.map((one) => one.path)).toEqual(['b', 'a']);
    expect(keepJob(old, { ...old, files: [file('a')] }).files).toHaveLength(1);
  });
});

describe('the table of jobs', () => {
  it('takes a whole list and keeps rows that stay as they are', () => {
    const table = new JobTable();
    table.load([job('a'), job('b')], table.mark());
    const [a] = table.all();
    expect(table.load([job('a'), job('c')], table.mark())).toBe(true);
    expect(table.all().map((one) => one.id)).toEqual(['a', 'c']);
    expect(table.get('a')).toBe(a);
    expect(table.load([job('a'), job('c')], table.mark())).toBe(false);
  });
  it('does not go back to an answer that is older than what the feed said', () => {
    const table = new JobTable();
    table.load([job('a'), job('gone')], table.mark());
    const asked = table.mark();
    table.update(job('a', { status: 'paused' }));
    table.update(job('new'));
    table.remove('gone');
    table.load([job('a'), job('gone')], asked);
    expect(table.get('a')?.status).toBe('paused');
    expect(table.get('gone')).toBeUndefined();
    expect(table.get('new')).toBeDefined();
  });
  it('believes the next answer again', () => {
    const table = new JobTable();
    table.update(job('a', { status: 'paused' }));
    table.load([job('a')], table.mark());
    expect(table.get('a')?.status).toBe('running');
  });
  it('says whether anything changed', () => {
    const table = new JobTable();
    expect(table.update(job('a'))).toBe(true);
    expect(table.update(job('a'))).toBe(false);
    expect(table.remove('b')).toBe(false);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError } from '../../src/api/client';
import { choosable, FileChoice, inPlace, leftOut, wished } from '../../src/lib/choice.svelte';
import { file, job } from './fixtures';

const wanted = (path: string) => file(path, { priority: 'normal' });

afterEach(() => vi.restoreAllMocks());

describe('a file of a job', () => {
  it('is left out by choice, and not because it was here', () => {
    expect(leftOut(file('a', { status: 'skipped', priority: 'skip' }))).toBe(true);
    const here = file('a', { status: 'skipped', priority: 'normal' });
    expect([leftOut(here), inPlace(here)]).toEqual([false, true]);
    // As an older service tells it.
    expect(inPlace(file('a', { status: 'skipped' }))).toBe(true);
  });

  it('is shown as it will be; what is in place stays', () => {
    expect(wished(wanted('a'), 'skip')).toMatchObject({ status: 'skipped', priority: 'skip' });
    expect(wished(file('a', { status: 'skipped', priority: 'skip' }), 'high')).toMatchObject({ status: 'pending', priority: 'high' });
    const done = file('a', { status: 'complete', priority: 'normal' });
    expect(wished(done, 'skip')).toBe(done);
  });

  it('can be chosen until the job is over', () => {
    expect((['queued', 'running', 'paused', 'failed', 'completed', 'cancelled'] as const).filter((status) => choosable(job('a', { status })))).toEqual(['queued', 'running', 'paused', 'failed']);
    expect(choosable(job('a', { kind: 'verify' }))).toBe(false);
  });
});

describe('a choice', () => {
  it('shows at once and stays until the service tells it', async () => {
    const ask = vi.spyOn(api, 'chooseFiles').mockResolvedValue({ files: [file('a', { status: 'skipped', priority: 'skip' })], matched: 1 });
    const choice = new FileChoice('0123');
    const asked = choice.set([wanted('a')], 'skip');
    expect(leftOut(choice.over([wanted('a')])[0]!)).toBe(true);
    await asked;
    expect(ask).toHaveBeenCalledWith('0123', [{ path: 'a', priority: 'skip' }]);
    choice.settle([wanted('a')]);
    expect(leftOut(choice.over([wanted('a')])[0]!), 'the feed is late').toBe(true);
    choice.settle([file('a', { status: 'skipped', priority: 'skip' })]);
    expect(leftOut(choice.over([wanted('a')])[0]!), 'wanted again elsewhere').toBe(false);
  });

  it('is taken back when it is refused, and by each file that was faster', async () => {
    const choice = new FileChoice('0123');
    vi.spyOn(api, 'chooseFiles').mockRejectedValueOnce(new ApiError(409, 'over'));
    await expect(choice.set([wanted('a')], 'skip')).rejects.toThrow();
    expect(leftOut(choice.over([wanted('a')])[0]!)).toBe(false);
    vi.spyOn(api, 'chooseFiles').mockResolvedValueOnce({ files: [file('a', { status: 'complete', priority: 'normal' })], matched: 1 });
    await choice.set([wanted('a')], 'skip');
    expect(leftOut(choice.over([wanted('a')])[0]!)).toBe(false);
  });

  it('asks nothing for files that are in place', async () => {
    const ask = vi.spyOn(api, 'chooseFiles');
    expect(await new FileChoice('0123').set([file('a', { status: 'complete' })], 'skip')).toEqual([]);
    expect(ask).not.toHaveBeenCalled();
  });
});

import { describe, expect, it } from 'vitest';
import { COLUMNS, MIN_WIDTH, mostWidth, NAME_WIDTH, readWidths, WIDTH } from '../../src/lib/columns';

describe('widths of columns', () => {
  it('that were saved are kept within sense', () => {
    expect(readWidths({ state: 300.4, speed: 1, eta: 'wide', nothing: 4, size: 99_999 })).toEqual({ state: 300, speed: MIN_WIDTH.speed, size: 2000 });
    for (const nothing of [undefined, null, 7, 'wide', []]) expect(readWidths(nothing)).toEqual({});
  });
  it('leave room for the name', () => {
    const most = mostWidth('progress', ['state', 'progress', 'eta'], { eta: 100 }, 1200, 150);
    expect(most).toBe(1200 - 150 - WIDTH.state - 100 - NAME_WIDTH);
  });
  it('are at least as wide by themselves as they may become', () => {
    for (const column of COLUMNS) expect(WIDTH[column]).toBeGreaterThanOrEqual(MIN_WIDTH[column]);
  });
});

import { expect, test } from 'vitest';
import type { Limits } from '../../src/api/control-types';
import type { Settings } from '../../src/api/types';
import { fewer, helpedByFewer, patchesOf } from '../../src/lib/fewer';

const settings = (connections: number, maxConnections: number, locked: string[] = []) =>
  ({ connections, maxConnections, locked, sourceNames: { connections: 'HFDEPOT_CONNECTIONS', maxConnections: '--max-connections' } }) as unknown as Settings;
const limits = (active: Limits['active'], slow = 4) => ({ active, slow: { maxSpeed: '1MiB', maxConnections: slow }, normal: { maxSpeed: '', maxConnections: 16 } }) as unknown as Limits;
const told = (each: number, all: number, locked: string[] = [], of: Limits | null = limits('normal')) => fewer(settings(each, all, locked), of).steps.map(({ to, held }) => `${to}${held === '' ? '' : ` ${held}`}`);

test('only a failed download whose source had too much to do is offered fewer connections', () => {
  for (const errorCode of ['stalled', 'server_error', 'rate_limited'] as const) {
    expect(helpedByFewer({ status: 'failed', errorCode })).toBe(true);
    expect(helpedByFewer({ status: 'failed', errorCode, kind: 'mirror' })).toBe(false);
    expect(helpedByFewer({ status: 'queued', errorCode })).toBe(false);
  }
  for (const errorCode of ['gated', 'disk_full', 'hash_mismatch', 'tls_error', null] as const) expect(helpedByFewer({ status: 'failed', errorCode })).toBe(false);
});

test('both limits are halved, and one connection is the least', () => {
  expect(told(8, 16)).toEqual(['4', '8']);
  expect(told(3, 5)).toEqual(['1', '2']);
  expect(told(1, 1)).toEqual(['1', '1']);
  expect(told(1, 16, [], null)).toEqual(['1', '8']);
});

test('what a flag or variable holds stays, and the other goes down far enough all the same', () => {
  expect(told(8, 16, ['maxConnections'])).toEqual(['4', '16 --max-connections']);
  expect(told(8, 16, ['connections'])).toEqual(['8 HFDEPOT_CONNECTIONS', '4']);
  expect(told(8, 2, ['connections'])).toEqual(['8 HFDEPOT_CONNECTIONS', '1']);
  expect(told(8, 16, ['connections', 'maxConnections'])).toEqual(['8 HFDEPOT_CONNECTIONS', '16 --max-connections']);
});

test('in slow hours the limit of the slow pair goes down, and all can be taken back', () => {
  expect(told(8, 16, ['maxConnections'], limits('slow'))).toEqual(['4', '2']);
  const change = fewer(settings(8, 16), limits('slow'));
  expect(patchesOf(change, 'to')).toEqual({ settings: { connections: 4 }, slow: 2 });
  expect(patchesOf(change, 'from')).toEqual({ settings: { connections: 8 }, slow: 4 });
  expect(patchesOf(fewer(settings(8, 16), limits('paused')), 'to')).toEqual({ settings: { connections: 4, maxConnections: 8 }, slow: null });
  expect(patchesOf(fewer(settings(1, 16, ['maxConnections']), null), 'to')).toEqual({ settings: {}, slow: null });
});

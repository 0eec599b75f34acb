import { expect, test } from 'vitest';
import type { Limits } from '../../src/api/control-types';
import type { Settings } from '../../src/api/types';
import { fewer, helpedByFewer } from '../../src/lib/fewer';
import { connectionsOf } from '../../src/lib/limits';

const limits = (active: Limits['active'], slow = 4) => ({ active, slow: { maxSpeed: '1MiB', maxConnections: slow }, normal: { maxSpeed: '', maxConnections: 16 } }) as unknown as Limits;
const told = (own: number | null, each: number, all: number, of: Limits | null = limits('normal')) => {
  const { from, to } = fewer({ connections: own }, { connections: each, maxConnections: all } as unknown as Settings, of);
  return [from, to];
};

test('only a failed download whose source had too much to do is offered fewer connections', () => {
  for (const errorCode of ['stalled', 'server_error', 'rate_limited'] as const) {
    expect(helpedByFewer({ status: 'failed', errorCode })).toBe(true);
    expect(helpedByFewer({ status: 'failed', errorCode, kind: 'mirror' })).toBe(false);
    expect(helpedByFewer({ status: 'queued', errorCode })).toBe(false);
  }
  for (const errorCode of ['gated', 'disk_full', 'hash_mismatch', 'tls_error', null] as const) expect(helpedByFewer({ status: 'failed', errorCode })).toBe(false);
});

test('the lowest limit that held is halved, and one connection is the least', () => {
  expect(told(null, 8, 16)).toEqual([8, 4]);
  expect(told(null, 8, 5)).toEqual([5, 2]);
  expect(told(3, 8, 16)).toEqual([3, 1]);
  expect(told(20, 8, 16)).toEqual([8, 4]);
  expect(told(1, 8, 16)).toEqual([1, 1]);
});

test('in slow hours it is their limit that held', () => {
  expect(told(null, 8, 16, limits('slow'))).toEqual([4, 2]);
  expect(told(null, 8, 16, limits('paused'))).toEqual([8, 4]);
  expect(told(null, 8, 16, null)).toEqual([8, 4]);
});

test('a job without a number of connections has no limit of its own, and a wrong one is none', () => {
  expect([connectionsOf(' '), connectionsOf(' 1 '), connectionsOf('64')]).toEqual([null, 1, 64]);
  for (const wrong of ['0', '65', '-1', '1.5', '4x', '1e1']) expect(connectionsOf(wrong)).toBeUndefined();
});

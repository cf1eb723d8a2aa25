import { describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { Backoff } from '../../src/devices/backoff.ts';
import type { DeviceStatus } from '../../src/devices/state.ts';

const RECONNECTING: DeviceStatus = { state: 'reconnecting', reason: 'connection_lost', linked: true };
const waits = (backoff: Backoff, count: number, now = 0) =>
  Array.from({ length: count }, () => backoff.afterClose(RECONNECTING, { now }));

describe('back-off', () => {
  test('doubles from one second up to the cap of five minutes', () => {
    const backoff = new Backoff({ random: () => 1 });
    expect(waits(backoff, 11)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000,
    ]);
  });

  test('jitter keeps every wait in the upper half of its interval', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (random, n) => {
          const wait = waits(new Backoff({ random: () => random }), n).at(-1);
          const interval = Math.min(300_000, 1_000 * 2 ** (n - 1));
          expect(wait).toBeGreaterThanOrEqual(interval / 2);
          expect(wait).toBeLessThanOrEqual(interval);
        },
      ),
    );
  });

  test('only a session that held for a minute starts the count anew', () => {
    const backoff = new Backoff({ random: () => 1 });
    waits(backoff, 3);
    backoff.opened(0);
    expect(backoff.afterClose(RECONNECTING, { now: 59_999 })).toBe(8_000);
    backoff.opened(100_000);
    expect(backoff.afterClose(RECONNECTING, { now: 160_000 })).toBe(1_000);
  });

  test.each([
    'logged_out',
    'replaced',
    'outdated',
    'banned',
    'disconnected',
  ] as const)('no retry for %s', (state) => {
    const status: DeviceStatus = { state, reason: 'requested', linked: state !== 'logged_out' };
    expect(new Backoff().afterClose(status, { now: 0 })).toBeNull();
  });

  test('a temporary ban is tried again about once an hour', () => {
    const status: DeviceStatus = { state: 'banned', reason: 'temporary_ban', linked: true };
    expect(new Backoff({ random: () => 0.5 }).afterClose(status, { now: 0 })).toBe(2_700_000);
  });

  test('a temporary ban whose end is known is waited for, and a little longer', () => {
    const status: DeviceStatus = { state: 'banned', reason: 'temporary_ban', linked: true };
    const backoff = new Backoff({ random: () => 0 });
    expect(backoff.afterClose(status, { bannedMs: 7_200_000, now: 0 })).toBe(7_230_000);
    expect(backoff.afterClose(status, { bannedMs: 0, now: 0 })).toBe(30_000);
  });

  test('515 reconnects at once and is no failure, but not without end', () => {
    const backoff = new Backoff({ random: () => 1 });
    const restarts = Array.from({ length: 5 }, () =>
      backoff.afterClose(RECONNECTING, { restartRequired: true, now: 0 }),
    );
    expect(restarts).toEqual([0, 0, 0, 1_000, 2_000]);
    backoff.opened(0);
    expect(backoff.afterClose(RECONNECTING, { restartRequired: true, now: 0 })).toBe(0);
  });
});

import { expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import type { PaceConfig } from '../../src/config.ts';
import { AppError } from '../../src/errors.ts';
import { Pacing } from '../../src/sending/pacing.ts';

const SETTINGS: PaceConfig = { perMinute: 60, burst: 3, maxWaitMs: 2000 };

/** A device that asks for turns, and when it got them, in milliseconds from the begin. */
function paced(settings: Partial<PaceConfig> = {}) {
  const clock = new ManualClock(1_000_000);
  const pacing = new Pacing({ clock, settings: { ...SETTINGS, ...settings } });
  const given: [string, number][] = [];
  const ask = (name: string, device = 'a', signal?: AbortSignal): Promise<void> =>
    pacing.turn(device, signal).then(() => void given.push([name, clock.now() - 1_000_000]));
  return { clock, given, ask };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

test('a burst at once, then one after the other, in order; what waits too long is refused', async () => {
  const { clock, given, ask } = paced();
  const asked = ['1', '2', '3', '4', '5'].map((name) => ask(name));
  const refused = await ask('6').catch((error) => error);
  expect(refused).toBeInstanceOf(AppError);
  expect([refused.code, refused.detail.retryAfterSeconds]).toEqual(['RATE_LIMITED', 1]);
  for (let second = 0; second < 3; second += 1) {
    await settle();
    clock.advance(1000);
  }
  await Promise.all(asked);
  expect(given).toEqual([
    ['1', 0],
    ['2', 0],
    ['3', 0],
    ['4', 1000],
    ['5', 2000],
  ]);
});

test('after a pause the burst is there again, and never more than it', async () => {
  const { clock, given, ask } = paced();
  await Promise.all(['1', '2', '3'].map((name) => ask(name)));
  clock.advance(3_600_000);
  const asked = ['4', '5', '6', '7'].map((name) => ask(name));
  await settle();
  expect(given).toHaveLength(6);
  clock.advance(1000);
  await Promise.all(asked);
});

test('half an interval fills half a place', async () => {
  const { clock, given, ask } = paced({ burst: 1, maxWaitMs: 500 });
  await ask('1');
  clock.advance(499);
  const refused = await ask('early').catch((error) => error);
  expect([refused.code, refused.detail.retryAfterSeconds]).toEqual(['RATE_LIMITED', 1]);
  clock.advance(1);
  const waiting = ask('2');
  clock.advance(499);
  await settle();
  expect(given).toHaveLength(1);
  clock.advance(1);
  await waiting;
  expect(given.at(-1)).toEqual(['2', 1000]);
});

test('devices do not wait for each other', async () => {
  const { given, ask } = paced({ burst: 1 });
  await ask('1', 'a');
  await ask('2', 'b');
  expect(given).toEqual([
    ['1', 0],
    ['2', 0],
  ]);
});

test('who goes away gives the place back', async () => {
  const { clock, given, ask } = paced({ burst: 1 });
  await ask('1');
  const gone = new AbortController();
  const left = ask('2', 'a', gone.signal).catch((error) => error);
  gone.abort(new Error('gone'));
  expect((await left).message).toBe('gone');
  const next = ask('3');
  clock.advance(1000);
  await next;
  expect(given.at(-1)).toEqual(['3', 1000]);
  await expect(ask('4', 'a', gone.signal)).rejects.toThrow('gone');
});

test('0 sets no pace', async () => {
  const { given, ask } = paced({ perMinute: 0, burst: 1, maxWaitMs: 0 });
  for (let number = 0; number < 1000; number += 1) await ask(`${number}`);
  expect(given).toHaveLength(1000);
});

test('a clock that is set back does not silence a device', async () => {
  const { clock, given, ask } = paced();
  await Promise.all(['1', '2', '3'].map((name) => ask(name)));
  clock.setBack(3_600_000);
  clock.advance(1000);
  await ask('4');
  expect(given.map(([name]) => name)).toEqual(['1', '2', '3', '4']);
});

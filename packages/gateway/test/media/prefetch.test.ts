import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { MediaConfig } from '../../src/config.ts';
import { PrefetchQueue, wantsPrefetch } from '../../src/media/download/prefetch.ts';

/** A queue whose jobs end when the test says so. */
function gated() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve(): void; reject(error: Error): void }>();
  const logged: string[] = [];
  const queue = new PrefetchQueue(
    (rowId) =>
      new Promise((resolve, reject) => {
        begun.push(rowId);
        ends.set(rowId, { resolve, reject });
      }),
    pino({ level: 'warn' }, { write: (line) => void logged.push(line) }),
  );
  return { queue, begun, logged, end: (rowId: string) => ends.get(rowId) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('four files at a time, the others in their order, each once', async () => {
  const { queue, begun, logged, end } = gated();
  for (const rowId of ['1', '2', '3', '4', '5', '5', '6']) expect(queue.add(rowId)).toBe(true);
  expect(begun).toEqual(['1', '2', '3', '4']);
  end('2')?.resolve();
  end('3')?.reject(new Error('no host answers'));
  await settle();
  expect(begun).toEqual(['1', '2', '3', '4', '5', '6']);
  expect(logged).toEqual([expect.stringContaining('no host answers')]);
});

test('five thousand wait and no more', () => {
  const { queue, begun } = gated();
  for (let row = 0; row < 5004; row += 1) expect(queue.add(`${row}`)).toBe(true);
  expect(queue.add('one more')).toBe(false);
  expect(begun).toHaveLength(4);
});

test('a stop takes nothing more up and waits for what is under way', async () => {
  const { queue, begun, end } = gated();
  for (const rowId of ['1', '2', '3', '4', '5']) queue.add(rowId);
  let stopped = false;
  const stopping = queue.stop().then(() => {
    stopped = true;
  });
  expect(queue.add('6')).toBe(false);
  for (const rowId of ['1', '2', '3']) end(rowId)?.resolve();
  await settle();
  expect(stopped).toBe(false);
  end('4')?.resolve();
  await stopping;
  expect(begun).toEqual(['1', '2', '3', '4']);
});

test.each([
  [true, 'image', 100, true],
  [true, 'voice', 100, true],
  [true, 'image', 101, false],
  [true, 'image', 0, true],
  [true, 'image', null, true],
  [true, 'video', 1, false],
  [false, 'image', 1, false],
] as const)('on: %s, a file of kind %s with %j bytes: %s', (prefetch, kind, fileLength, wanted) => {
  const settings: MediaConfig = {
    prefetch,
    prefetchKinds: ['image', 'voice'],
    prefetchMaxBytes: 100,
    maxBytes: 1000,
    cacheMaxBytes: 1000,
    cacheMaxAgeMs: 1000,
    downloadTimeoutMs: 1000,
    retryExpiryMs: 1000,
    urlTtlMs: 0,
  };
  expect(wantsPrefetch(settings, { kind, fileLength })).toBe(wanted);
});

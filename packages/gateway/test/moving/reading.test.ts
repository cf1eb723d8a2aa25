/** Reading a session holds nobody up. */
import { expect, test } from 'vitest';
import { reading } from '../../src/moving/reading.ts';
import { json, madeSession } from './made-session.ts';

const never = new AbortController().signal;

/** Rows of baileys-api, as one JSON text. */
function rows(count: number): Buffer {
  const { creds, keys } = madeSession();
  const [key] = Object.values(keys);
  const all = [{ sessionId: 'default', id: 'creds', data: json(creds) }];
  for (let at = 0; at < count; at += 1) {
    all.push({ sessionId: 'default', id: `pre-key-${at + 1}`, data: json(key) });
  }
  return Buffer.from(JSON.stringify(all));
}

test('others have their turn many times before a large file is read, and between its keys', async () => {
  const order = { file: { bytes: rows(60_000) }, wanted: {} };
  let turns = 0;
  let going = true;
  const spin = (): void => {
    turns += 1;
    if (going) setImmediate(spin);
  };
  setImmediate(spin);
  const keys = await reading(order, never, async ({ found, held }) => {
    expect(found).toMatchObject({ format: 'baileys-api', session: 'default', lastWritten: null });
    // Read here, the text would be parsed in one turn, and the loop would have had a handful before.
    expect(turns).toBeGreaterThan(100);
    turns = 0;
    let count = 0;
    for await (const _ of held.keys) count += 1;
    return count;
  });
  going = false;
  expect(keys).toBe(60_000);
  expect(turns).toBeGreaterThan(600);
});

test('whoever stops ends it', async () => {
  const stopping = new AbortController();
  const order = { file: { bytes: rows(10) }, wanted: {} };
  const stopped = reading(order, stopping.signal, async ({ held }) => {
    stopping.abort();
    for await (const _ of held.keys);
  });
  await expect(stopped).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  await expect(reading(order, stopping.signal, async () => 0)).rejects.toMatchObject({
    code: 'SHUTTING_DOWN',
  });
});

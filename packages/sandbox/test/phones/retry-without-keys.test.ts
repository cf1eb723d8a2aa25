/** When a phone begins a session anew for who asks for a message again and brings no keys. */
import { type BinaryNode, getBinaryNodeChild } from 'baileys';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Phone } from '../../src/phones/phone.ts';
import { openTown, type Town } from './town.ts';

const HOUR = 3_600_000;

let town: Town;
let alice: Phone;
let bob: Phone;
let id: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  town = await openTown();
  alice = await town.phone('Alice');
  bob = await town.phone('Bob');
  await talk();
  ({ id } = await alice.sendText(bob, 'once more'));
  await bob.waitForMessage((message) => message.id === id);
});
afterEach(async () => {
  await town.stop();
  vi.useRealTimers();
});

/** After a message each way neither side's next one begins a session. */
async function talk(): Promise<void> {
  for (const [from, to] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const sent = await from.sendText(to, 'hello');
    await to.waitForMessage((message) => message.id === sent.id);
  }
}

const copies = (): BinaryNode[] =>
  town.submitted.filter(({ tag, attrs }) => tag === 'message' && attrs.id === id && attrs.device_fanout);

/** In which kind of message Bob gets the message when he asks for it with this count, and no keys. */
async function asked(count: number): Promise<string | undefined> {
  const before = copies().length;
  await bob.hostile.forgeReceipt(alice, { type: 'retry', ids: [id], keys: false, count });
  await expect.poll(copies).toHaveLength(before + 1);
  const copy = copies().at(-1);
  return copy && getBinaryNodeChild(copy, 'enc')?.attrs.type;
}

test('the first request is answered in the session that there is', async () => {
  expect(await asked(1)).toBe('msg');
});

test('the second begins a new one, once an hour', async () => {
  expect(await asked(2)).toBe('pkmsg');
  await talk();
  expect(await asked(3)).toBe('msg');
  vi.setSystemTime(Date.now() + HOUR + 1);
  expect(await asked(2)).toBe('pkmsg');
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SignalKeyStore } from 'baileys';
import { expect, it } from 'vitest';
import { memoryKeyStore, SignalClient } from '../../src/phones/signal.ts';
import { bundleOf, type Peer, read, write } from './peers.ts';
import { assertNeverBack, type RatchetStep, ratchetStep } from './ratchet-step.ts';

const SENDERS = 8;
const BEFORE_PAUSE = 10;
const AFTER_PAUSE = 30;

/** As a store on a disk or in a network answers: later. */
function slowStore(): SignalKeyStore {
  const store = memoryKeyStore();
  return {
    async get(type, ids) {
      await nextTurn();
      return store.get(type, ids);
    },
    async set(data) {
      await nextTurn();
      await store.set(data);
    },
  };
}

/** Messages of one direction between two clients: what was sent, and what could be read. */
class Direction {
  readonly steps: RatchetStep[] = [];
  readonly read: string[] = [];
  readonly #from: Peer;
  readonly #to: Peer;

  constructor(from: Peer, to: Peer) {
    this.#from = from;
    this.#to = to;
  }

  async send(text: string): Promise<void> {
    const sent = await write(this.#from, this.#to, text);
    this.steps.push(ratchetStep(sent.type, sent.ciphertext));
    this.read.push(await read(this.#to, this.#from, sent));
  }
}

it('clients of one process that write to the same device at once keep their own ratchets', async () => {
  const target: Peer = { lid: '100@lid', signal: new SignalClient({ store: slowStore() }) };
  const peers = Array.from({ length: SENDERS }, (_, index): Peer => {
    return { lid: `${200 + index}@lid`, signal: new SignalClient({ store: slowStore() }) };
  });
  for (const { signal } of peers) await signal.takeBundles(await bundleOf(target));
  const there = peers.map((peer) => new Direction(peer, target));
  const back = peers.map((peer) => new Direction(target, peer));

  for (const direction of there) await direction.send('0');
  const round = async (directions: readonly Direction[], count: number): Promise<void> => {
    await Promise.all(
      directions.flatMap((direction) =>
        Array.from({ length: count }, (_, index) => direction.send(String(index + 1))),
      ),
    );
  };
  await round(there, BEFORE_PAUSE);
  await round(there, AFTER_PAUSE);
  for (const { steps, read } of there) {
    expect(steps.map(({ counter }) => counter)).toEqual(steps.map((_, index) => index));
    expect(read).toHaveLength(1 + BEFORE_PAUSE + AFTER_PAUSE);
  }
  await round([...there, ...back], AFTER_PAUSE);
  for (const { steps } of [...there, ...back]) assertNeverBack(steps);
  for (const { read } of there) expect(read).toHaveLength(1 + BEFORE_PAUSE + 2 * AFTER_PAUSE);
  for (const { read } of back) expect(read).toHaveLength(AFTER_PAUSE);
});

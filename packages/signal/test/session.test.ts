import { expect, test } from 'vitest';
import { MOST_SKIPPED } from '../src/chain.ts';
import { deriveSecrets } from '../src/crypto.ts';
import { curve } from '../src/index.ts';
import { MOST_RECEIVING_CHAINS } from '../src/ratchet.ts';
import type { SealedMessage } from '../src/session-cipher.ts';
import { flipped } from './bytes.ts';
import { Device, talking } from './device.ts';

/** The stored session in use. */
function current(of: Device, other: Device) {
  const sessions = Object.values(of.record(other)._sessions);
  const open = sessions.filter(({ indexInfo }) => indexInfo.closed === -1);
  expect(open).toHaveLength(1);
  return open[0] as (typeof open)[number];
}

async function exchange(from: Device, to: Device, text: string): Promise<SealedMessage> {
  const sealed = await from.seal(to, text);
  expect(await to.open(from, sealed)).toBe(text);
  return sealed;
}

test('who begins sends everything for the session until the other has answered', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo', { registrationId: 4711 })];
  await ana.begin(bo);
  expect(bo.preKeys.size).toBe(1);
  for (const text of ['one', 'two', 'three']) {
    const { type, registrationId } = await exchange(ana, bo, text);
    expect([type, registrationId]).toEqual([3, 4711]);
    // It is of one session alone.
    expect(bo.preKeys.size).toBe(0);
  }
  expect((await exchange(bo, ana, 'back')).type).toBe(1);
  expect((await exchange(ana, bo, 'and forth')).type).toBe(1);
  expect(current(ana, bo).registrationId).toBe(4711);
});

// Baileys draws the id from one byte, so that one of 256 of its devices has 0.
test('a device with the registration id 0 begins sessions, and is begun one with', async () => {
  const [ana, bo] = [new Device('ana', { registrationId: 0 }), new Device('bo')];
  await ana.begin(bo);
  await exchange(ana, bo, 'hello');
  await exchange(bo, ana, 'hello back');
  const again = new Device('bo');
  await again.begin(ana);
  await exchange(again, ana, 'hello');
  await exchange(ana, again, 'hello back');
});

test('a session begins without a one-time key, and with keys that have no type', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  const { preKey: _, ...bundle } = bo.bundle();
  const bare = { ...bundle.signedPreKey, publicKey: bundle.signedPreKey.publicKey.subarray(1) };
  await ana.begin(bo, { ...bundle, identityKey: bundle.identityKey.subarray(1), signedPreKey: bare });
  await exchange(ana, bo, 'hello');
  await exchange(bo, ana, 'hello back');
});

test('each turn has a key of its own, in whatever order messages come', async () => {
  const { ana, bo } = await talking();
  const chains = new Set<string>();
  const late: [Device, Device, SealedMessage, string][] = [];
  for (let turn = 0; turn < MOST_RECEIVING_CHAINS; turn += 1) {
    for (const [from, to] of [
      [ana, bo],
      [bo, ana],
    ] as const) {
      const text = `late ${turn}`;
      late.push([from, to, await from.seal(to, text), text]);
      await exchange(from, to, `turn ${turn}`);
      late.push([from, to, await from.seal(to, text), text]);
      await exchange(from, to, `and another ${turn}`);
    }
    chains.add(current(ana, bo).currentRatchet.ephemeralKeyPair.pubKey);
  }
  expect(chains.size).toBe(MOST_RECEIVING_CHAINS);
  for (const [from, to, sealed, text] of late.toReversed()) expect(await to.open(from, sealed)).toBe(text);
  await exchange(ana, bo, 'and on');
});

test('what is kept of a long conversation does not grow', async () => {
  const { ana, bo } = await talking();
  const size = (): number => JSON.stringify(ana.record(bo)).length;
  for (let turn = 0; turn < 10; turn += 1) {
    await exchange(ana, bo, 'there');
    await exchange(bo, ana, 'and back');
  }
  const before = size();
  for (let turn = 0; turn < 30; turn += 1) {
    await ana.seal(bo, 'lost');
    await exchange(ana, bo, 'there');
    await exchange(bo, ana, 'and back');
  }
  expect(Math.abs(size() - before)).toBeLessThan(20);
  expect(Object.keys(current(bo, ana)._chains)).toHaveLength(MOST_RECEIVING_CHAINS + 1);
});

test('a message that came already is told from one that cannot be read', async () => {
  const { ana, bo } = await talking();
  const sealed = await exchange(ana, bo, 'once');
  const before = bo.record(ana);
  await expect(bo.open(ana, sealed)).rejects.toMatchObject({
    name: 'MessageCounterError',
    message: 'Key used already or never filled',
  });
  await exchange(bo, ana, 'a turn');
  await exchange(ana, bo, 'another');
  await expect(bo.open(ana, sealed)).rejects.toThrow('Key used already or never filled');
  expect(before).not.toEqual(bo.record(ana));
});

test('a first message that came already opens no second session', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await ana.begin(bo);
  const first = await exchange(ana, bo, 'hello');
  const before = bo.record(ana);
  await expect(bo.open(ana, first)).rejects.toThrow('Key used already or never filled');
  expect(bo.record(ana)).toEqual(before);
});

test('a broken message changes nothing, and the right one is read after it', async () => {
  const { ana, bo } = await talking();
  for (const turns of [false, true]) {
    if (turns) await exchange(bo, ana, 'so that the next is of a new chain');
    const sealed = await ana.seal(bo, 'right');
    const before = bo.record(ana);
    for (const at of [-1, -8, -9, 5, 40]) {
      await expect(bo.open(ana, { ...sealed, body: flipped(sealed.body, at) }), String(at)).rejects.toThrow();
      expect(bo.record(ana)).toEqual(before);
    }
    expect(await bo.open(ana, sealed)).toBe('right');
  }
});

test(`up to ${MOST_SKIPPED} messages may be passed over, and no more are kept`, async () => {
  const { ana, bo } = await talking();
  const sealed: SealedMessage[] = [];
  for (let n = 0; n < 2 * MOST_SKIPPED + 1; n += 1) sealed.push(await ana.seal(bo, String(n)));
  const [first, another] = sealed as [SealedMessage, SealedMessage];
  const at = (n: number) => sealed[n] as SealedMessage;
  await expect(bo.open(ana, at(MOST_SKIPPED))).rejects.toMatchObject({
    cause: { message: `over ${MOST_SKIPPED} messages into the future` },
  });
  expect(await bo.open(ana, at(MOST_SKIPPED - 1))).toBe(String(MOST_SKIPPED - 1));
  expect(await bo.open(ana, first)).toBe('0');
  expect(await bo.open(ana, at(2 * MOST_SKIPPED - 1))).toBe(String(2 * MOST_SKIPPED - 1));
  const kept = Object.values(current(bo, ana)._chains).flatMap((chain) => Object.keys(chain.messageKeys));
  expect(kept).toHaveLength(MOST_SKIPPED);
  // The oldest had to go.
  await expect(bo.open(ana, another)).rejects.toThrow('Key used already or never filled');
});

test('keys that were derived by another library open a message too', async () => {
  const { ana, bo } = await talking();
  const passed = await ana.seal(bo, 'passed over');
  await exchange(ana, bo, 'came before');
  const address = ana.address.toString();
  const derived = (bo.records.get(address) ?? '').replace(
    /("messageKeys":\{"\d+":")([\w+/=]+)"/,
    (_, head: string, seed: string) => {
      const [cipherKey, macKey, iv] = deriveMessageKeys(Buffer.from(seed, 'base64'));
      return `${head}${Buffer.concat([cipherKey, macKey, iv.subarray(0, 16)]).toString('base64')}"`;
    },
  );
  expect(derived).not.toBe(bo.records.get(address));
  bo.records.set(address, derived);
  expect(await bo.open(ana, passed)).toBe('passed over');
});

test('forged keys begin no session', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  const bundle = bo.bundle();
  const put = curve.generateKeyPair().pubKey;
  const forged = { ...bundle, signedPreKey: { ...bundle.signedPreKey, publicKey: put } };
  await expect(ana.begin(bo, forged)).rejects.toMatchObject({ name: 'ForgedPreKeyError' });
  expect(ana.records.size).toBe(0);
});

test('an identity that is not trusted is neither sent to nor heard', async () => {
  const { ana, bo } = await talking();
  const sealed = await ana.seal(bo, 'who?');
  bo.trusts = false;
  const refused = { name: 'UntrustedIdentityKeyError' };
  await expect(bo.open(ana, sealed)).rejects.toMatchObject(refused);
  await expect(bo.seal(ana, 'you')).rejects.toMatchObject(refused);
  await expect(bo.begin(ana)).rejects.toMatchObject(refused);
  bo.trusts = true;
  expect(await bo.open(ana, sealed)).toBe('who?');
});

test('keys that are gone, and sessions that are not there, are named', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await expect(ana.seal(bo, 'x')).rejects.toThrow('No sessions');
  await ana.begin(bo);
  const first = await ana.seal(bo, 'hello');
  bo.preKeys.clear();
  await expect(bo.open(ana, first)).rejects.toMatchObject({
    name: 'PreKeyError',
    message: 'Invalid PreKey ID',
  });
  const { ana: others, bo: other } = await talking();
  await expect(ana.open(bo, await others.seal(other, 'x'))).rejects.toThrow('No matching sessions');
  await expect(bo.open(ana, await others.seal(other, 'x'))).rejects.toThrow('No session record');
});

function deriveMessageKeys(seed: Buffer): [Buffer, Buffer, Buffer] {
  const [a, b, c] = deriveSecrets(seed, Buffer.alloc(32), Buffer.from('WhisperMessageKeys'));
  return [a, b, c];
}

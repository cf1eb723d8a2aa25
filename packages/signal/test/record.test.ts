/** Records: those that libsignal for Node 6.0.0 has written, and what is kept of several sessions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SessionRecord } from '../src/index.ts';
import { hasSigned } from '../src/xeddsa.ts';
import { Device, talking } from './device.ts';

interface StoredPair {
  pubKey: string;
  privKey: string;
}

interface StoredDevice {
  registrationId: number;
  identity: StoredPair;
  signedPreKey: StoredPair;
  preKeys: Record<string, StoredPair>;
  record: object;
}

interface StoredMessage {
  type: 1 | 3;
  body: string;
  text: string;
}

/** Written once by that library, with keys that are used nowhere else. */
interface Fixture {
  ana: StoredDevice;
  bo: StoredDevice;
  toAna: Record<'late' | 'passed' | 'used' | 'next' | 'inOld', StoredMessage>;
  toBo: { first: StoredMessage };
  signature: { message: string; signature: string };
}

const FIXTURE: Fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/libsignal-6.0.0.json'), 'utf8'),
);

function pair({ pubKey, privKey }: StoredPair) {
  return { pubKey: Buffer.from(pubKey, 'base64'), privKey: Buffer.from(privKey, 'base64') };
}

function restarted(): { ana: Device; bo: Device } {
  const [ana, bo] = (['ana', 'bo'] as const).map((name) => {
    const { identity, signedPreKey, registrationId, preKeys } = FIXTURE[name];
    const keys = { registrationId, identity: pair(identity), signedPreKey: pair(signedPreKey) };
    const device = new Device(name, keys);
    for (const [id, preKey] of Object.entries(preKeys)) device.preKeys.set(Number(id), pair(preKey));
    return device;
  }) as [Device, Device];
  ana.records.set(bo.address.toString(), JSON.stringify(FIXTURE.ana.record));
  bo.records.set(ana.address.toString(), JSON.stringify(FIXTURE.bo.record));
  return { ana, bo };
}

const sealed = ({ type, body }: StoredMessage) => ({ type, body: Buffer.from(body, 'base64') });

test('sessions that the other library has stored go on', async () => {
  const { ana, bo } = restarted();
  const { late, passed, used, next, inOld } = FIXTURE.toAna;
  for (const message of [next, passed, late, inOld]) {
    expect(await ana.open(bo, sealed(message))).toBe(message.text);
  }
  await expect(ana.open(bo, sealed(used))).rejects.toThrow('Key used already or never filled');
  expect(await bo.open(ana, sealed(FIXTURE.toBo.first))).toBe(FIXTURE.toBo.first.text);
  for (const text of ['one', 'two', 'three']) {
    expect(await ana.open(bo, await bo.seal(ana, text))).toBe(text);
    expect(await bo.open(ana, await ana.seal(bo, text))).toBe(text);
  }
});

test('what it signed is signed', () => {
  const { message, signature } = FIXTURE.signature;
  const { pubKey } = pair(FIXTURE.ana.identity);
  expect(hasSigned(pubKey, Buffer.from(message), Buffer.from(signature, 'base64'))).toBe(true);
  expect(hasSigned(pubKey, Buffer.from(`${message}!`), Buffer.from(signature, 'base64'))).toBe(false);
});

/** Member names and kinds of values; keys and numbers as names are one. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  const named = Object.entries(value).map(([name, each]) => {
    const any = /^\d+$/.test(name) || name.length === 44;
    return [any ? 'any' : name, shapeOf(each)] as const;
  });
  return Object.fromEntries(named.sort(([a], [b]) => a.localeCompare(b)));
}

test('records have the form that the other library reads and writes', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await ana.begin(bo);
  const record = ana.record(bo);
  expect(record.version).toBe('v1');
  const [theirs] = Object.values((FIXTURE.ana.record as typeof record)._sessions).filter(
    (s) => s.pendingPreKey,
  );
  const [ours] = Object.values(record._sessions);
  expect(shapeOf(ours)).toEqual(shapeOf(theirs));
  await bo.open(ana, await ana.seal(bo, 'hello'));
  const [answered] = Object.values(bo.record(ana)._sessions);
  const [theirAnswered] = Object.values((FIXTURE.bo.record as typeof record)._sessions);
  const { _chains: _, ...withoutChains } = answered ?? {};
  const { _chains: __, ...theirWithoutChains } = theirAnswered ?? {};
  expect(shapeOf(withoutChains)).toEqual(shapeOf(theirWithoutChains));
});

test('a message of the session before makes that one the current again', async () => {
  const { ana, bo } = await talking();
  const late = await bo.seal(ana, 'late');
  await ana.begin(bo);
  const baseKey = (device: Device, other: Device) => {
    const record = SessionRecord.deserialize(device.record(other));
    expect(record.haveOpenSession()).toBe(true);
    return record.getOpenSession()?.indexInfo.baseKey.toString('base64');
  };
  const begun = baseKey(ana, bo);
  const first = await ana.seal(bo, 'in the new one');
  expect(await ana.open(bo, late)).toBe('late');
  expect(baseKey(ana, bo)).not.toBe(begun);
  expect(await bo.open(ana, first)).toBe('in the new one');
  expect(baseKey(bo, ana)).toBe(begun);
  expect(await ana.open(bo, await bo.seal(ana, 'back in it'))).toBe('back in it');
  expect(baseKey(ana, bo)).toBe(begun);
});

test('two that begin at the same time come to use one session', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await ana.begin(bo);
  await bo.begin(ana);
  const [toBo, toAna] = [await ana.seal(bo, 'hello Bo'), await bo.seal(ana, 'hello Ana')];
  expect(await bo.open(ana, toBo)).toBe('hello Bo');
  expect(await ana.open(bo, toAna)).toBe('hello Ana');
  for (const text of ['one', 'two', 'three']) {
    expect(await bo.open(ana, await ana.seal(bo, text))).toBe(text);
    expect(await ana.open(bo, await bo.seal(ana, text))).toBe(text);
  }
  const inUse = [ana.record(bo), bo.record(ana)].map(
    (record) =>
      Object.values(record._sessions).find(({ indexInfo }) => indexInfo.closed === -1)?.indexInfo.baseKey,
  );
  expect(inUse[0]).toBe(inUse[1]);
});

test('no more than forty sessions are kept beside the one in use, those that were closed last', async () => {
  const { ana, bo } = await talking();
  const early = await bo.seal(ana, 'early');
  for (let n = 0; n < 45; n += 1) await ana.begin(bo, bo.bundle({ preKey: false }));
  const sessions = Object.values(ana.record(bo)._sessions);
  expect(sessions).toHaveLength(41);
  expect(sessions.filter(({ indexInfo }) => indexInfo.closed === -1)).toHaveLength(1);
  await expect(ana.open(bo, early)).rejects.toThrow('No matching sessions');
});

test('a counter of others makes no work in more sessions than it is worth', async () => {
  const { ana, bo } = await talking();
  // Another turn, so that what comes is in a chain that nobody knows.
  await bo.open(ana, await ana.seal(bo, 'a turn'));
  for (let n = 0; n < 8; n += 1) await ana.begin(bo, bo.bundle({ preKey: false }));
  const first = await bo.seal(ana, 'first');
  let last = await bo.seal(ana, 'passed over');
  for (let n = 0; n < 1900; n += 1) last = await bo.seal(ana, 'much later');
  // Of nine sessions it is in the last that would be tried.
  const before = ana.record(bo);
  await expect(ana.open(bo, last)).rejects.toThrow('No matching sessions');
  expect(ana.record(bo)).toEqual(before);
  expect(await ana.open(bo, first)).toBe('first');
  // Now it is known which one.
  expect(await ana.open(bo, last)).toBe('much later');
});

test('what is no record is refused', () => {
  for (const stored of [null, 'text', 7, {}, { version: 'v2', _sessions: {} }, { _sessions: { a: {} } }]) {
    expect(() => SessionRecord.deserialize(stored), JSON.stringify(stored)).toThrow();
  }
  expect(SessionRecord.deserialize({ _sessions: {} }).haveOpenSession()).toBe(false);
});

test('a record with a broken key is refused when the key is used, and stays as it is', async () => {
  const { ana, bo } = await talking();
  expect(await bo.open(ana, await ana.seal(bo, 'so that the chain is known'))).toBe(
    'so that the chain is known',
  );
  const inChain = await ana.seal(bo, 'in it');
  await ana.open(bo, await bo.seal(ana, 'a turn'));
  const inNext = await ana.seal(bo, 'in the next');
  const address = ana.address.toString();
  const broken = (bo.records.get(address) ?? '').replace(/("rootKey":")[\w+/=]+"/, '$1AAAA"');
  bo.records.set(address, broken);
  expect(await bo.open(ana, inChain)).toBe('in it');
  const before = bo.record(ana);
  await expect(bo.open(ana, inNext)).rejects.toThrow('No matching sessions');
  expect(bo.record(ana)).toEqual(before);
});

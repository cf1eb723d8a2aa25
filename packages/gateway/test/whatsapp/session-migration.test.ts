/** A person's sessions move from the number to the LID, whatever the store does meanwhile. */
import { beforeEach, expect, test } from 'vitest';
import { type Encrypted, SignalClient } from '../../../sandbox/src/phones/signal.ts';
import { systemClock } from '../../src/clock.ts';
import { loadAuthState } from '../../src/whatsapp/baileys/connection/auth-state.ts';
import { encodeStoredValue } from '../../src/whatsapp/baileys/connection/stored-values.ts';
import { DecryptionTap } from '../../src/whatsapp/baileys/inbound/decryption-tap.ts';
import { Journal } from '../../src/whatsapp/baileys/inbound/journal.ts';
import {
  addTransactionCapability,
  encodeBigEndian,
  extractE2ESessionFromRetryReceipt,
  proto,
  type SignalRepositoryWithLIDStore,
} from '../../src/whatsapp/baileys/library.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { quiet } from './quiet.ts';

const USER = '5511988870001';
const NUMBER = `${USER}@s.whatsapp.net`;
const LID = '88870001000@lid';
/** As the peer knows us. */
const OURS = '88870002000:7@lid';

let store: MemoryCredentials;
let peer: SignalClient;
let tap: DecryptionTap;
let repository: SignalRepositoryWithLIDStore;

/** What a new connection has of the engine's Signal part. */
async function connect(): Promise<SignalRepositoryWithLIDStore> {
  const { creds, keys, saveCredentials } = await loadAuthState(store);
  await saveCredentials();
  const journal = new Journal({
    store,
    clock: systemClock,
    roundTrip: async () => undefined,
    onFailure: () => undefined,
  });
  const nobody = { decrypted: () => undefined, failed: () => undefined, unseen: () => undefined };
  tap = new DecryptionTap(journal, { ...nobody, hasReceived: async () => false });
  const capable = addTransactionCapability(keys, quiet, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
  return tap.makeSignalRepository({ creds, keys: capable }, quiet);
}

/** Encrypts under a name of the peer's; the peer has to read it. */
async function say(jid: string, text: string): Promise<void> {
  const message = proto.Message.encode({ conversation: text }).finish();
  const data = Buffer.concat([message, Buffer.of(1)]);
  const { type, ciphertext } = await repository.encryptMessage({ jid, data });
  expect((await peer.decrypt(OURS, type, ciphertext)).conversation).toBe(text);
}

/** The peer's keys for a new session. */
async function bundle() {
  const content = [
    { tag: 'registration', attrs: {}, content: encodeBigEndian(peer.registrationId) },
    await peer.retryKeys(),
  ];
  const found = extractE2ESessionFromRetryReceipt({ tag: 'receipt', attrs: {}, content });
  if (!found?.preKey) throw new Error('no bundle');
  return { ...found, preKey: found.preKey };
}

/** What the peer wrote, as it is read under a name of theirs. */
async function read(jid: string, { type, ciphertext }: Encrypted): Promise<string> {
  const child = { tag: 'enc', attrs: { v: '2', type }, content: ciphertext };
  tap.noteStanza({ tag: 'message', attrs: { from: jid, id: `${ciphertext.length}` }, content: [child] });
  const plaintext = await repository.decryptMessage({ jid, type, ciphertext });
  return proto.Message.decode(plaintext.subarray(0, -1)).conversation ?? '';
}

async function reply(jid: string, text: string): Promise<void> {
  expect(await read(jid, await peer.encrypt(OURS, { conversation: text }))).toBe(text);
}

const session = async (address: string): Promise<Uint8Array | undefined> =>
  (await store.readKeys('session', [address])).get(address);

beforeEach(async () => {
  store = new MemoryCredentials();
  peer = new SignalClient();
  repository = await connect();
  await repository.injectE2ESession({ jid: NUMBER, session: await bundle() });
  await say(NUMBER, 'under the number');
  await store.write([{ type: 'device-list', id: USER, value: encodeStoredValue(['0']) }]);
});

async function learnLid(): Promise<void> {
  await repository.lidMapping.storeLIDPNMappings([{ lid: LID, pn: NUMBER }]);
}

test('a commit that fails loses no session', async () => {
  store.unwritable = { type: 'session', times: 1 };
  await learnLid();
  expect(store.unwritable.times).toBe(0);
  await say(LID, 'under the LID');
  expect(await session(`${USER}.0`)).toBeUndefined();
  repository = await connect();
  await repository.migrateSession(NUMBER, LID);
  await say(LID, 'on the next connection');
});

test('a session under the LID is never replaced by the one under the number', async () => {
  const old = await session(`${USER}.0`);
  if (!old) throw new Error('no session');
  await learnLid();
  for (const text of ['one', 'two', 'three']) await say(LID, text);
  // As an earlier version may have left it.
  await store.write([{ type: 'session', id: `${USER}.0`, value: old }]);
  repository = await connect();
  await repository.migrateSession(NUMBER, LID);
  await say(LID, 'four');
  expect(await session(`${USER}.0`)).toBeUndefined();
});

test('the sessions of all devices move in one commit', async () => {
  const old = await session(`${USER}.0`);
  if (!old) throw new Error('no session');
  await store.write([
    { type: 'session', id: `${USER}.3`, value: old },
    { type: 'device-list', id: USER, value: encodeStoredValue(['0', '3']) },
  ]);
  const before = store.commits.length;
  await learnLid();
  const changed = store.commits.slice(before).map(({ keys }) => keys);
  expect(changed).toEqual([Array(2).fill('lid-mapping'), Array(4).fill('session')]);
  expect(await repository.migrateSession(NUMBER, LID)).toEqual({ migrated: 0, skipped: 0, total: 0 });
});

test('the session of the device that wrote moves also where no list of devices is stored', async () => {
  await store.write([{ type: 'device-list', id: USER, value: null }]);
  await learnLid();
  await say(LID, 'under the LID');
  expect(await session(`${USER}.0`)).toBeUndefined();
});

test('what is on its way in a session under the number is readable beside one under the LID', async () => {
  await reply(NUMBER, 'in the one under the number');
  const late = await peer.encrypt(OURS, { conversation: 'late' });
  // As when the server did not say who the number is, and they wrote under the LID meanwhile.
  await repository.injectE2ESession({ jid: LID, session: await bundle() });
  await say(LID, 'in the one under the LID');
  await learnLid();
  expect(await read(LID, late)).toBe('late');
  for (const text of ['one', 'two']) {
    await say(LID, text);
    await reply(LID, text);
  }
});

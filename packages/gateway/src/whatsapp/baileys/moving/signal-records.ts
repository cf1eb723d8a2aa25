/** Sessions and sender keys as libsignal's records hold them, read strictly and written as libsignal writes them. */
import type { HeldValue } from './held-value.ts';
import { HeldValue as Held } from './held-value.ts';
import { bareKey, fitting } from './key-pairs.ts';

/** The open session and forty closed ones (packages/signal session-record.ts). */
const MOST_SESSIONS = 100;
/** Of the other side and ours; libsignal for Node has kept one for each turn of a conversation. */
const MOST_CHAINS = 100;
const UINT32 = 0xffffffff;
/** Milliseconds: any time that a clock may have told. */
const MOST_TIME = 8.64e15;

const OURS = 1;
const THEIRS = 2;
const SENDING = 1;
const RECEIVING = 2;

/** A session record; null for one that holds no session. */
export function sessionRecord(held: HeldValue): object | null {
  const version = held.member('version');
  if (!version.absent && version.raw !== 'v1') return version.malformed('is an unknown version');
  const sessions = held.member('_sessions').members();
  if (sessions.length > MOST_SESSIONS) held.malformed(`has more than ${MOST_SESSIONS} sessions`);
  if (sessions.length === 0) return null;
  const entries = sessions.map(([baseKey, entry]) => sessionEntry(baseKey, entry));
  return { _sessions: Object.fromEntries(entries), version: 'v1' };
}

function sessionEntry(baseKey: string, held: HeldValue): [string, object] {
  const index = held.member('indexInfo');
  const key = publicKey(index.member('baseKey'));
  if (key !== baseKey) index.member('baseKey').inconsistent('is not the key that the session is kept under');
  const entry = {
    registrationId: held.member('registrationId').integer(0, UINT32),
    currentRatchet: ratchet(held.member('currentRatchet')),
    indexInfo: {
      baseKey: key,
      baseKeyType: index.member('baseKeyType').integer(OURS, THEIRS),
      closed: index.member('closed').integer(-1, MOST_TIME),
      used: index.member('used').integer(0, MOST_TIME),
      created: index.member('created').integer(0, MOST_TIME),
      remoteIdentityKey: publicKey(index.member('remoteIdentityKey')),
    },
    _chains: Object.fromEntries(chains(held.member('_chains'))),
  };
  const pending = held.member('pendingPreKey');
  return [key, pending.absent ? entry : { ...entry, pendingPreKey: pendingPreKey(pending) }];
}

function ratchet(held: HeldValue): object {
  const pair = held.member('ephemeralKeyPair');
  const [pubKey, privKey] = [pair.member('pubKey'), pair.member('privKey')];
  const ours = publicKey(pubKey);
  fitting(pair, pubKey.bytesOrBase64(33), privKey.bytesOrBase64(32));
  return {
    ephemeralKeyPair: { pubKey: ours, privKey: privKey.bytesOrBase64(32).toString('base64') },
    lastRemoteEphemeralKey: publicKey(held.member('lastRemoteEphemeralKey')),
    previousCounter: held.member('previousCounter').integer(-1, UINT32),
    rootKey: held.member('rootKey').bytesOrBase64(32).toString('base64'),
  };
}

function chains(held: HeldValue): [string, object][] {
  const all = held.members();
  if (all.length > MOST_CHAINS) held.malformed(`has more than ${MOST_CHAINS} chains`);
  return all.map(([name, chain]) => {
    const messageKeys = chain.member('messageKeys').members();
    const chainKey = chain.member('chainKey');
    const key = chainKey.member('key');
    return [
      publicKey(new Held(name, chain.field, '')),
      {
        chainKey: {
          counter: chainKey.member('counter').integer(-1, UINT32),
          // A chain that is over has none.
          ...(key.absent ? {} : { key: key.bytesOrBase64(32).toString('base64') }),
        },
        chainType: chain.member('chainType').integer(SENDING, RECEIVING),
        messageKeys: Object.fromEntries(
          messageKeys.map(([counter, value]) => [
            String(new Held(counter, chain.field, '').integer(0, UINT32)),
            // A seed, or what is derived of it: another library may have stored either (packages/signal chain.ts).
            value.bytesOrBase64(32, 80).toString('base64'),
          ]),
        ),
      },
    ];
  });
}

function pendingPreKey(held: HeldValue): object {
  const preKeyId = held.member('preKeyId');
  return {
    signedKeyId: held.member('signedKeyId').integer(0, UINT32),
    baseKey: publicKey(held.member('baseKey')),
    ...(preKeyId.absent ? {} : { preKeyId: preKeyId.integer(0, UINT32) }),
  };
}

/** 33 bytes, type first, in base64. */
function publicKey(held: HeldValue): string {
  const bytes = held.bytesOrBase64(33);
  bareKey(held, bytes);
  return bytes.toString('base64');
}

/** Of a sender's newest keys (Baileys sender-key-record.js `MAX_STATES`: 5), with room for others' habits. */
const MOST_STATES = 50;
/** `MAX_MESSAGE_KEYS` of sender-key-state.js. */
const MOST_MESSAGE_KEYS = 2000;

export interface SenderKey {
  /** As Baileys 7 stores it: JSON, in which bytes are Node's. */
  value: Uint8Array;
  /** We can send with it: the account is the sender. */
  isOurs: boolean;
}

/** A sender key; null for a record without a key, which is what is stored before the first one comes. */
export function senderKey(held: HeldValue): SenderKey | null {
  const states = statesOf(held).items(MOST_STATES).map(senderKeyState);
  const newest = states.at(-1);
  if (!newest) return null;
  return { value: Buffer.from(JSON.stringify(states)), isOurs: newest.senderSigningKey.private.length > 0 };
}

/** A list; up to Baileys 6.7.18 the value itself, later the bytes of its JSON. */
function statesOf(held: HeldValue): HeldValue {
  if (Array.isArray(held.raw)) return held;
  const text = typeof held.raw === 'string' ? held.raw : held.bytes().toString();
  try {
    return new Held(JSON.parse(text), held.field, '');
  } catch {
    return held.malformed('is no JSON');
  }
}

function senderKeyState(held: HeldValue) {
  const [chain, signing] = [held.member('senderChainKey'), held.member('senderSigningKey')];
  const messageKeys = held.member('senderMessageKeys');
  const publicHalf = signing.member('public').bytesOrBase64(32, 33);
  const secret = signing.member('private');
  const privateHalf = secret.absent ? Buffer.alloc(0) : secret.bytesOrBase64(0, 32);
  if (privateHalf.length > 0) fitting(signing, publicHalf, privateHalf);
  return {
    senderKeyId: held.member('senderKeyId').integer(0, UINT32),
    senderChainKey: {
      iteration: chain.member('iteration').integer(0, UINT32),
      seed: chain.member('seed').bytesOrBase64(32),
    },
    senderSigningKey: { public: publicHalf, private: privateHalf },
    senderMessageKeys: (messageKeys.absent ? [] : messageKeys.items(MOST_MESSAGE_KEYS)).map((each) => ({
      iteration: each.member('iteration').integer(0, UINT32),
      seed: each.member('seed').bytesOrBase64(32),
    })),
  };
}

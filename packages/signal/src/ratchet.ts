/** Sealing and opening in one session: the Double Ratchet (signal.org/docs/specifications/doubleratchet). */
import { timingSafeEqual } from 'node:crypto';
import { ended, keysFor, type MessageKeys, newChain, nextKeys } from './chain.ts';
import { calculateMAC, decrypt, deriveSecrets, encrypt } from './crypto.ts';
import { SessionError } from './errors.ts';
import { encodeWhisper, type ReceivedWhisper, withMac } from './messages.ts';
import {
  base64,
  publicKeyOf,
  RECEIVING,
  SENDING,
  type StoredChain,
  type StoredChains,
  type StoredSession,
  secretOf,
  storedPair,
} from './stored-session.ts';
import { agree, makeKeyPair } from './x25519.ts';

/** Chains of the other side that are kept, with the keys of what has not come, as in the official library. */
export const MOST_RECEIVING_CHAINS = 5;
const RATCHET = Buffer.from('WhisperRatchet');

export interface Sealed {
  readonly session: StoredSession;
  /** A `WhisperMessage`. */
  readonly message: Buffer;
}

export interface Opened {
  readonly session: StoredSession;
  readonly plaintext: Buffer;
}

/** `ourIdentity` is a public key with its type. */
export function seal(session: StoredSession, ourIdentity: Uint8Array, plaintext: Uint8Array): Sealed {
  const { ephemeralKeyPair, previousCounter } = session.currentRatchet;
  const chain = session._chains[ephemeralKeyPair.pubKey];
  if (chain?.chainType !== SENDING) throw new SessionError('the session has no chain to send in');
  const { keys, counter, after } = nextKeys(chain);
  const signed = encodeWhisper({
    ratchetKey: publicKeyOf(ephemeralKeyPair.pubKey),
    counter,
    previousCounter: Math.max(previousCounter, 0),
    ciphertext: encrypt(keys.cipherKey, plaintext, keys.iv),
  });
  const theirIdentity = publicKeyOf(session.indexInfo.remoteIdentityKey);
  const mac = macOf(keys, ourIdentity, theirIdentity, signed);
  return {
    session: { ...session, _chains: { ...session._chains, [ephemeralKeyPair.pubKey]: after } },
    message: withMac(signed, mac),
  };
}

/** Throws when the message is not of this session, or was opened before. */
export function open(session: StoredSession, ourIdentity: Uint8Array, message: ReceivedWhisper): Opened {
  const theirKey = base64(message.ratchetKey);
  const known = session._chains[theirKey];
  const { chain, rootKey } = known ? { chain: known } : newReceivingChain(session, message);
  const { keys, after } = keysFor(chain, message.counter);
  const theirIdentity = publicKeyOf(session.indexInfo.remoteIdentityKey);
  const mac = macOf(keys, theirIdentity, ourIdentity, message.signed);
  if (!timingSafeEqual(mac.subarray(0, message.mac.length), message.mac)) throw new SessionError('Bad MAC');
  const plaintext = decrypt(keys.cipherKey, message.ciphertext, keys.iv);
  // The other side has the session.
  const { pendingPreKey: _, ...answered } = session;
  const next = rootKey
    ? turned(answered, message, rootKey, after())
    : { ...answered, _chains: { ...session._chains, [theirKey]: after() } };
  return { session: next, plaintext };
}

/** Whether the session has the chain in which the message was made. */
export function knowsChain(session: StoredSession, { ratchetKey }: ReceivedWhisper): boolean {
  return session._chains[base64(ratchetKey)] !== undefined;
}

/** A step of the root key: the next one, and a chain key. */
export function rootStep(rootKey: Uint8Array, shared: Uint8Array): { rootKey: Buffer; chainKey: Buffer } {
  const [next, chainKey] = deriveSecrets(shared, rootKey, RATCHET, 2);
  return { rootKey: next, chainKey };
}

function newReceivingChain(
  { currentRatchet: { ephemeralKeyPair, rootKey } }: StoredSession,
  { ratchetKey }: ReceivedWhisper,
): { chain: StoredChain; rootKey: Buffer } {
  const step = rootStep(secretOf(rootKey), agree(secretOf(ephemeralKeyPair.privKey), ratchetKey));
  return { chain: newChain(step.chainKey, RECEIVING), rootKey: step.rootKey };
}

/** The other side has turned the ratchet, and now we do: its chain before is over, and so is ours. */
function turned(
  session: StoredSession,
  { ratchetKey, previousCounter }: ReceivedWhisper,
  rootKey: Buffer,
  receiving: StoredChain,
): StoredSession {
  const { ephemeralKeyPair, lastRemoteEphemeralKey, ...ratchet } = session.currentRatchet;
  const { [ephemeralKeyPair.pubKey]: sentIn, ...others } = session._chains;
  const before = others[lastRemoteEphemeralKey];
  const theirs = before ? { ...others, [lastRemoteEphemeralKey]: ended(before, previousCounter) } : others;
  const ours = makeKeyPair();
  const step = rootStep(rootKey, agree(ours.privKey, ratchetKey));
  const pair = storedPair(ours);
  return {
    ...session,
    currentRatchet: {
      ephemeralKeyPair: pair,
      lastRemoteEphemeralKey: base64(ratchetKey),
      previousCounter: sentIn?.chainKey.counter ?? ratchet.previousCounter,
      rootKey: base64(step.rootKey),
    },
    _chains: {
      ...newest(theirs),
      [base64(ratchetKey)]: receiving,
      [pair.pubKey]: newChain(step.chainKey, SENDING),
    },
  };
}

/** With the chain that comes to them there are as many as may be. */
function newest(chains: StoredChains): StoredChains {
  return Object.fromEntries(Object.entries(chains).slice(1 - MOST_RECEIVING_CHAINS));
}

function macOf(keys: MessageKeys, sender: Uint8Array, receiver: Uint8Array, signed: Uint8Array): Buffer {
  return calculateMAC(keys.macKey, Buffer.concat([sender, receiver, signed]));
}

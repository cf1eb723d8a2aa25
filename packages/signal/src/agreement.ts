/** How a session begins: X3DH (signal.org/docs/specifications/x3dh), with the keys that the server keeps for a device. */

import { newChain } from './chain.ts';
import { deriveSecrets } from './crypto.ts';
import { ForgedPreKeyError } from './errors.ts';
import type { PreKeyWhisper } from './messages.ts';
import { rootStep } from './ratchet.ts';
import type { StoredKeyPair } from './storage.ts';
import { base64, OPEN, OURS, SENDING, type StoredSession, storedPair, THEIRS } from './stored-session.ts';
import { agree, type KeyPair, makeKeyPair, typedKey } from './x25519.ts';
import { hasSigned } from './xeddsa.ts';

/** What a device has left with the server. */
export interface KeyBundle {
  readonly registrationId: number;
  readonly identityKey: Uint8Array;
  readonly signedPreKey: {
    readonly keyId: number;
    readonly publicKey: Uint8Array;
    /** Of the public key with its type. */
    readonly signature: Uint8Array;
  };
  /** Each is given to one; the server may have none left. */
  readonly preKey?: { readonly keyId: number; readonly publicKey: Uint8Array } | undefined;
}

/** Those of our keys that somebody has begun a session with. */
export interface AnsweringKeys {
  readonly identity: StoredKeyPair;
  readonly signedPreKey: StoredKeyPair;
  readonly preKey: StoredKeyPair | undefined;
}

/** Before the agreements, so that no key of another curve fits (X3DH §2.2). */
const PREFIX = Buffer.alloc(32, 0xff);
const NO_SALT = Buffer.alloc(32);
const TEXT = Buffer.from('WhisperText');

/** A session with the owner of the bundle, who hears of it by our first messages. Throws `ForgedPreKeyError`. */
export function begin(identity: StoredKeyPair, bundle: KeyBundle, now: number): StoredSession {
  const { identityKey, signedPreKey, preKey } = bundle;
  const signedKey = typedKey(signedPreKey.publicKey);
  if (!hasSigned(identityKey, signedKey, signedPreKey.signature)) throw new ForgedPreKeyError();
  const base = makeKeyPair();
  const { rootKey } = agreed([
    agree(identity.privKey, signedKey),
    agree(base.privKey, identityKey),
    agree(base.privKey, signedKey),
    ...(preKey ? [agree(base.privKey, preKey.publicKey)] : []),
  ]);
  const ratchetPair = makeKeyPair();
  const step = rootStep(rootKey, agree(ratchetPair.privKey, signedKey));
  const baseKey = base64(base.pubKey);
  return {
    registrationId: bundle.registrationId,
    currentRatchet: {
      ephemeralKeyPair: storedPair(ratchetPair),
      lastRemoteEphemeralKey: base64(signedKey),
      previousCounter: 0,
      rootKey: base64(step.rootKey),
    },
    indexInfo: indexInfo(baseKey, OURS, identityKey, now),
    _chains: { [base64(ratchetPair.pubKey)]: newChain(step.chainKey, SENDING) },
    pendingPreKey: {
      signedKeyId: signedPreKey.keyId,
      baseKey,
      ...(preKey ? { preKeyId: preKey.keyId } : {}),
    },
  };
}

/** The same session on the other side. */
export function answer(keys: AnsweringKeys, message: PreKeyWhisper, now: number): StoredSession {
  const { baseKey, identityKey } = message;
  const { rootKey } = agreed([
    agree(keys.signedPreKey.privKey, identityKey),
    agree(keys.identity.privKey, baseKey),
    agree(keys.signedPreKey.privKey, baseKey),
    ...(keys.preKey ? [agree(keys.preKey.privKey, baseKey)] : []),
  ]);
  return {
    registrationId: message.registrationId,
    currentRatchet: {
      ephemeralKeyPair: storedPair(typedPair(keys.signedPreKey)),
      lastRemoteEphemeralKey: base64(baseKey),
      previousCounter: 0,
      rootKey: base64(rootKey),
    },
    indexInfo: indexInfo(base64(baseKey), THEIRS, identityKey, now),
    _chains: {},
  };
}

/** Nothing is sent in the chain that comes with the first root key: who begins makes a step at once. */
function agreed(agreements: readonly Buffer[]): { rootKey: Buffer } {
  const [rootKey] = deriveSecrets(Buffer.concat([PREFIX, ...agreements]), NO_SALT, TEXT, 2);
  return { rootKey };
}

function indexInfo(
  baseKey: string,
  baseKeyType: typeof OURS | typeof THEIRS,
  remoteIdentity: Uint8Array,
  now: number,
): StoredSession['indexInfo'] {
  const remoteIdentityKey = base64(typedKey(remoteIdentity));
  return { baseKey, baseKeyType, closed: OPEN, used: now, created: now, remoteIdentityKey };
}

function typedPair({ pubKey, privKey }: StoredKeyPair): KeyPair {
  return { pubKey: typedKey(pubKey), privKey: Buffer.from(privKey) };
}

/**
 * Sessions as records hold them: JSON, with bytes in base64, in the form in which libsignal for Node has written them
 * to the disks of many programs. Nothing here changes a session: who goes on with one makes another, so whoever fails
 * leaves it as it was.
 */
import { MalformedError } from './errors.ts';
import type { KeyPair } from './x25519.ts';

export const SENDING = 1;
export const RECEIVING = 2;
/** Who made the base key. */
export const OURS = 1;
export const THEIRS = 2;
/** What `closed` of the session that is used for sending says. */
export const OPEN = -1;

export interface StoredChain {
  /** `counter` is that of the last message, -1 before the first. A chain that is over has no key. */
  readonly chainKey: { readonly counter: number; readonly key?: string };
  readonly chainType: typeof SENDING | typeof RECEIVING;
  /** Of messages that were passed over, by their counter: the seed, or what is derived of it already. */
  readonly messageKeys: Readonly<Record<string, string>>;
}

/** Oldest first, by their public ratchet key. */
export type StoredChains = Readonly<Record<string, StoredChain>>;

export interface StoredSession {
  /** The other device's. */
  readonly registrationId: number;
  readonly currentRatchet: {
    readonly ephemeralKeyPair: { readonly pubKey: string; readonly privKey: string };
    readonly lastRemoteEphemeralKey: string;
    readonly previousCounter: number;
    readonly rootKey: string;
  };
  readonly indexInfo: {
    readonly baseKey: string;
    readonly baseKeyType: typeof OURS | typeof THEIRS;
    /** Milliseconds, as the two below; `OPEN` for the session in use. */
    readonly closed: number;
    readonly used: number;
    readonly created: number;
    readonly remoteIdentityKey: string;
  };
  readonly _chains: StoredChains;
  /** Goes with each message until the other side has answered. */
  readonly pendingPreKey?: {
    readonly signedKeyId: number;
    readonly baseKey: string;
    readonly preKeyId?: number;
  };
}

/** Bytes as a record has them. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** Bytes of a record, of one of the lengths. Throws `MalformedError`. */
export function fromBase64(text: string, ...lengths: readonly number[]): Buffer {
  const bytes = Buffer.from(String(text), 'base64');
  if (!lengths.includes(bytes.length)) throw new MalformedError('the session record holds a broken key');
  return bytes;
}

/** A private key, or a key of a chain or root. Throws `MalformedError`. */
export function secretOf(text: string): Buffer {
  return fromBase64(text, 32);
}

/** A public key with its type. Throws `MalformedError`. */
export function publicKeyOf(text: string): Buffer {
  return fromBase64(text, 33);
}

/** A pair as a record has it. */
export function storedPair({ pubKey, privKey }: KeyPair): { pubKey: string; privKey: string } {
  return { pubKey: base64(pubKey), privKey: base64(privKey) };
}

/**
 * The two messages of the protocol, version 3. A `WhisperMessage` is the version, a protobuf and eight bytes of MAC; a
 * `PreKeyWhisperMessage` is the version and a protobuf, in which a `WhisperMessage` is.
 */
import { MalformedError } from './errors.ts';
import { encodeFields, Fields } from './fields.ts';
import { KEY_TYPE } from './x25519.ts';

/** The version of the message in the upper half, the newest that its sender knows in the lower. */
const VERSION = 0x33;
const MAC_BYTES = 8;
const PUBLIC_KEY_BYTES = 33;
const BLOCK_BYTES = 16;

/** What a message says of where in the ratchet it was made. */
export interface Whisper {
  /** The public key of the chain, with its type. */
  readonly ratchetKey: Uint8Array;
  /** Of the message in its chain, from 0. */
  readonly counter: number;
  /** Of the last message of the sender's chain before. */
  readonly previousCounter: number;
  readonly ciphertext: Uint8Array;
}

export interface ReceivedWhisper extends Whisper {
  /** What the MAC is of. */
  readonly signed: Uint8Array;
  readonly mac: Uint8Array;
}

/** The first messages of a session: everything that the other side needs for it. */
export interface PreKeyWhisper {
  readonly registrationId: number;
  readonly preKeyId: number | undefined;
  readonly signedPreKeyId: number;
  readonly baseKey: Uint8Array;
  readonly identityKey: Uint8Array;
  /** A `WhisperMessage`. */
  readonly message: Uint8Array;
}

/** Version and protobuf; the MAC comes behind it. */
export function encodeWhisper({ ratchetKey, counter, previousCounter, ciphertext }: Whisper): Buffer {
  const fields = encodeFields([
    [1, ratchetKey],
    [2, counter],
    [3, previousCounter],
    [4, ciphertext],
  ]);
  return Buffer.concat([Buffer.of(VERSION), fields]);
}

/** The message whole, with as much of the MAC as goes with it. */
export function withMac(signed: Uint8Array, mac: Uint8Array): Buffer {
  return Buffer.concat([signed, mac.subarray(0, MAC_BYTES)]);
}

/** Throws `MalformedError`. */
export function decodeWhisper(bytes: Uint8Array): ReceivedWhisper {
  checkVersion(bytes);
  if (bytes.length < 1 + MAC_BYTES) throw new MalformedError('the message is cut off');
  const signed = bytes.subarray(0, -MAC_BYTES);
  const fields = new Fields(signed.subarray(1));
  const ciphertext = fields.bytes(4);
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) {
    throw new MalformedError('the ciphertext is not made of whole blocks');
  }
  return {
    ratchetKey: publicKey(fields, 1),
    counter: fields.number(2) ?? 0,
    previousCounter: fields.number(3) ?? 0,
    ciphertext,
    signed,
    mac: bytes.subarray(-MAC_BYTES),
  };
}

/** Version and protobuf. */
export function encodePreKeyWhisper(whisper: PreKeyWhisper): Buffer {
  const fields = encodeFields([
    [1, whisper.preKeyId],
    [2, whisper.baseKey],
    [3, whisper.identityKey],
    [4, whisper.message],
    [5, whisper.registrationId],
    [6, whisper.signedPreKeyId],
  ]);
  return Buffer.concat([Buffer.of(VERSION), fields]);
}

/** Throws `MalformedError`. */
export function decodePreKeyWhisper(bytes: Uint8Array): PreKeyWhisper {
  checkVersion(bytes);
  return decodePreKeyFields(bytes.subarray(1));
}

/** Of the protobuf alone. */
export function decodePreKeyFields(protobuf: Uint8Array): PreKeyWhisper {
  const fields = new Fields(protobuf);
  return {
    preKeyId: fields.number(1),
    baseKey: publicKey(fields, 2),
    identityKey: publicKey(fields, 3),
    message: fields.bytes(4),
    registrationId: fields.number(5) ?? 0,
    signedPreKeyId: fields.number(6) ?? 0,
  };
}

function checkVersion(bytes: Uint8Array): void {
  const version = (bytes[0] ?? 0) >> 4;
  if (version !== VERSION >> 4) throw new MalformedError(`messages of version ${version} are not known`);
}

function publicKey(fields: Fields, field: number): Uint8Array {
  const key = fields.bytes(field);
  if (key.length !== PUBLIC_KEY_BYTES || key[0] !== KEY_TYPE) {
    throw new MalformedError(`field ${field} is no public key`);
  }
  return key;
}

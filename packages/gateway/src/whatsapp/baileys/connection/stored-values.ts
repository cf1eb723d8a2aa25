/**
 * How the engine's keys become bytes for the credential store and back.
 * Raw byte values (sessions, sender keys, identity keys: the hot ones) are kept as they are;
 * everything else is JSON in which bytes are tagged, so that they come back as bytes and not as objects
 * (which then open nothing, "bad decrypt": Baileys PR 1795).
 */
import { type AuthenticationCreds, BufferJSON, proto, type SignalDataTypeMap } from '../library.ts';

const RAW_BYTES = 0;
const TAGGED_JSON = 1;
/** In the tag of bytes (`BufferJSON.replacer` of the library). */
const BYTES = '"Buffer"';

export function encodeStoredValue(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) {
    const out = new Uint8Array(value.length + 1);
    out[0] = RAW_BYTES;
    out.set(value, 1);
    return out;
  }
  const json = Buffer.from(JSON.stringify(value, BufferJSON.replacer));
  return Buffer.concat([Buffer.from([TAGGED_JSON]), json]);
}

export function decodeStoredValue<T extends keyof SignalDataTypeMap>(
  type: T,
  stored: Uint8Array,
): SignalDataTypeMap[T] {
  return decoded(type, stored) as SignalDataTypeMap[T];
}

function decoded(type: keyof SignalDataTypeMap, stored: Uint8Array): unknown {
  const body = Buffer.from(stored.buffer, stored.byteOffset + 1, stored.length - 1);
  if (stored[0] === RAW_BYTES) return type === 'sender-key' ? withReadableSeeds(body) : body;
  const json = body.toString('utf8');
  // Sessions, LID mappings and device lists are read with every message and have no bytes: looking for some in each
  // member takes five times as long as reading it.
  const value: unknown = json.includes(BYTES) ? JSON.parse(json, BufferJSON.reviver) : JSON.parse(json);
  if (type !== 'app-state-sync-key') return value;
  return proto.Message.AppStateSyncKeyData.fromObject(value as { [k: string]: unknown });
}

/** Keys of group messages that were passed over are in it. */
const SEEDS = '"senderMessageKeys":[{';

/**
 * A sender key as the library can read it. It writes bytes as Node does, as numbers, reads them so in most places,
 * and fails at the key of a message that was overtaken by another (sender-message-key.js): each of them was asked for
 * again.
 */
function withReadableSeeds(senderKey: Buffer): Buffer {
  if (!senderKey.includes(SEEDS)) return senderKey;
  return Buffer.from(JSON.stringify(JSON.parse(senderKey.toString('utf8'), numbersAsBase64)));
}

function numbersAsBase64(_name: string, value: unknown): unknown {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  if (type !== 'Buffer' || !Array.isArray(data)) return value;
  return { type, data: Buffer.from(data).toString('base64') };
}

export function encodeCredentials(creds: AuthenticationCreds): Uint8Array {
  return Buffer.from(JSON.stringify(creds, BufferJSON.replacer));
}

export function decodeCredentials(stored: Uint8Array): AuthenticationCreds {
  return JSON.parse(Buffer.from(stored).toString('utf8'), BufferJSON.reviver) as AuthenticationCreds;
}

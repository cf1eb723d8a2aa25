/** Reads the JSON in which go.mau.fi/libsignal keeps its records (serialize/JSONSerializer.go); bytes are base64. */

/** A record that is not what its place in the store says. The message names a member, and no value. */
export class UnreadableRecord extends Error {
  constructor(member: string, wanted: string) {
    super(`${member} is not ${wanted}`);
    this.name = 'UnreadableRecord';
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Of a public key on Curve25519 (ecc/DjbECPublicKey.go `Serialize`). */
const PUBLIC_KEY_TYPE = 0x05;

/** The object that a stored record is. */
export function parseRecord(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    throw new UnreadableRecord('the record', 'JSON');
  }
  return asObject(value, 'the record');
}

export function asObject(value: unknown, member: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableRecord(member, 'an object');
  }
  return value as JsonObject;
}

/** A list; Go writes an empty one as `null` too. */
export function asList(value: unknown, member: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new UnreadableRecord(member, 'a list');
  return value;
}

/** An unsigned number of 32 bits. */
export function asUint32(value: unknown, member: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new UnreadableRecord(member, 'a number of 32 bits');
  }
  return value;
}

export function asBytes(value: unknown, length: number, member: string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : null;
  if (bytes?.length !== length) throw new UnreadableRecord(member, `${length} bytes`);
  return bytes;
}

/** Of a public key, with its type in front: 33 bytes. */
export function asPublicKey(value: unknown, member: string): Buffer {
  const key = asBytes(value, 33, member);
  if (key[0] !== PUBLIC_KEY_TYPE) throw new UnreadableRecord(member, 'a key on Curve25519');
  return key;
}

/** A public key of 32 bytes with its type in front, as both libsignals write it. */
export function typedKey(key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([PUBLIC_KEY_TYPE]), key]);
}

/**
 * Protobuf, as much as the protocol's messages take: numbers of 32 bits, and bytes. What is unknown is passed over, as
 * protobuf wants it; what is cut off or does not fit is refused.
 */
import { MalformedError } from './errors.ts';

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;
const MOST_VARINT_BYTES = 10;
const UINT32 = 0xffffffff;

type Value = number | Uint8Array;

/** The fields of a message by their number; of one that is there twice, the last. Bytes are views of the message's. */
export class Fields {
  readonly #values: ReadonlyMap<number, Value>;

  constructor(message: Uint8Array) {
    this.#values = fieldsOf(message);
  }

  number(field: number): number | undefined {
    const value = this.#values.get(field);
    if (value === undefined || (typeof value === 'number' && value <= UINT32))
      return value as number | undefined;
    throw new MalformedError(`field ${field} is no number of 32 bits`);
  }

  bytes(field: number): Uint8Array {
    const value = this.#values.get(field);
    if (value instanceof Uint8Array) return value;
    throw new MalformedError(`field ${field} is missing`);
  }
}

/** Encodes fields in the order in which they are given; those without a value are left out. */
export function encodeFields(
  fields: readonly (readonly [field: number, value: Value | undefined])[],
): Buffer {
  const parts: Uint8Array[] = [];
  for (const [field, value] of fields) {
    if (value === undefined) continue;
    if (typeof value === 'number') parts.push(varint((field << 3) | VARINT), varint(value));
    else parts.push(varint((field << 3) | BYTES), varint(value.length), value);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function fieldsOf(message: Uint8Array): Map<number, Value> {
  const reader = new Reader(message);
  const values = new Map<number, Value>();
  while (!reader.atEnd) {
    const tag = reader.varint();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (field === 0) throw new MalformedError('a field has the number 0');
    if (type === VARINT) values.set(field, reader.varint());
    else if (type === BYTES) values.set(field, reader.bytes(reader.varint()));
    else if (type === FIXED_64) reader.bytes(8);
    else if (type === FIXED_32) reader.bytes(4);
    else throw new MalformedError(`a field is of type ${type}`);
  }
  return values;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Inexact above 2^53, where nothing here is valid. */
  varint(): number {
    let value = 0;
    for (let read = 0; read < MOST_VARINT_BYTES; read += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new MalformedError('the message is cut off');
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** (7 * read);
      if (byte < 0x80) return value;
    }
    throw new MalformedError('a number has no end');
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new MalformedError('the message is cut off');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}

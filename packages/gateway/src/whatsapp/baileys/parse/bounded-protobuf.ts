/** The one way from bytes that others wrote to a protobuf message. */
import { fieldAt } from './protobuf-fields.ts';

/** Protobuf's own default limit (protobuf.dev, "Recursion limits"); what clients send stays below twenty. */
const DEEPEST = 100;

/** The bytes are no message, or one that is nested without end. */
export class UnreadableProtobuf extends Error {
  constructor(detail: string, cause?: unknown) {
    super(`not a message that can be read: ${detail}`, { cause });
    this.name = 'UnreadableProtobuf';
  }
}

/** Decodes a message of the type. Throws UnreadableProtobuf, and nothing else. */
export function decodeProtobuf<T>(type: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  if (isNestedDeeply(bytes)) throw new UnreadableProtobuf('nested too deeply');
  try {
    return type.decode(bytes);
  } catch (error) {
    throw new UnreadableProtobuf('malformed', error);
  }
}

/**
 * Whether messages are nested in each other more than 100 deep. Without the schema every field that can be
 * read as a message to its last byte is taken for one: a text or picture that is so by chance, a hundred
 * times within itself, was made for that. The generated decoder calls itself for each level and would use up
 * the stack. The work is bounded by the length, whatever the bytes say.
 */
export function isNestedDeeply(bytes: Uint8Array): boolean {
  const scan = new Scan(bytes);
  return scan.deeper(0, bytes.length, DEEPEST);
}

const STEPS_PER_BYTE = 8;

class Scan {
  readonly #bytes: Uint8Array;
  #steps: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#steps = bytes.length * STEPS_PER_BYTE + 10_000;
  }

  deeper(from: number, to: number, left: number): boolean {
    const fields = this.#fields(from, to);
    if (fields === null || fields.length === 0) return this.#steps <= 0;
    if (left === 0) return true;
    for (let at = 0; at < fields.length; at += 2) {
      if (this.deeper(fields[at] ?? 0, fields[at + 1] ?? 0, left - 1)) return true;
    }
    return false;
  }

  /** Beginnings and ends of the length-delimited fields, or null when the bytes are no message. */
  #fields(from: number, to: number): number[] | null {
    const fields: number[] = [];
    for (let at = from; at < to; ) {
      this.#steps -= 1;
      if (this.#steps <= 0) return null;
      const field = fieldAt(this.#bytes, at, to);
      if (field === null) return null;
      if (field.delimited && field.to > field.from) fields.push(field.from, field.to);
      at = field.to;
    }
    return fields;
  }
}

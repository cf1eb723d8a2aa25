/** The one way from bytes that others wrote to a protobuf message. */

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
    let at = from;
    while (at < to) {
      this.#steps -= 1;
      if (this.#steps <= 0) return null;
      const tag = this.#varint(at, to);
      if (tag === null || tag.value < 8) return null;
      at = tag.next;
      const wire = tag.value % 8;
      if (wire === 1) at += 8;
      else if (wire === 5) at += 4;
      else if (wire === 0 || wire === 2) {
        const number = this.#varint(at, to);
        if (number === null) return null;
        at = number.next;
        if (wire === 2) {
          if (number.value > 0) fields.push(at, at + number.value);
          at += number.value;
        }
      } else return null;
      if (at > to) return null;
    }
    return fields;
  }

  #varint(from: number, to: number): { value: number; next: number } | null {
    let value = 0;
    let factor = 1;
    for (let at = from; at < to && at < from + 10; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return { value, next: at + 1 };
      factor *= 128;
    }
    return null;
  }
}

/** The fields of a protobuf message, without its schema (protobuf.dev "Encoding", wire types 0, 1, 2 and 5). */

export interface RawField {
  number: number;
  /** Whether it is length-delimited: a text, bytes, or a message. */
  delimited: boolean;
  /** Where its tag begins. */
  start: number;
  /** Its value; of a length-delimited field without the length. */
  from: number;
  to: number;
}

/** The field that begins at `at`; null when the bytes up to `end` are no message. */
export function fieldAt(bytes: Uint8Array, at: number, end: number): RawField | null {
  const tag = varint(bytes, at, end);
  if (tag === null || tag.value < 8) return null;
  const number = Math.floor(tag.value / 8);
  const wire = tag.value % 8;
  let from = tag.next;
  let to: number;
  if (wire === 1) to = from + 8;
  else if (wire === 5) to = from + 4;
  else if (wire === 0 || wire === 2) {
    const read = varint(bytes, from, end);
    if (read === null) return null;
    if (wire === 2) from = read.next;
    to = wire === 2 ? from + read.value : read.next;
  } else return null;
  return to > end ? null : { number, delimited: wire === 2, start: at, from, to };
}

/** Of one message, its parts not counted: what clients send stays below a hundred. */
const MOST_FIELDS = 10_000;

/** All fields; null when the bytes are no message, or one with more of them than clients send. */
export function fieldsOf(bytes: Uint8Array, most = MOST_FIELDS): RawField[] | null {
  const fields: RawField[] = [];
  for (let at = 0; at < bytes.length; ) {
    const field = fields.length < most ? fieldAt(bytes, at, bytes.length) : null;
    if (!field) return null;
    fields.push(field);
    at = field.to;
  }
  return fields;
}

/** The value of a length-delimited field; of several the last, as decoders have it. Null where it is not there. */
export function delimitedField(bytes: Uint8Array, wanted: number): Uint8Array | null {
  const field = (fieldsOf(bytes) ?? []).findLast((each) => each.number === wanted && each.delimited);
  return field ? bytes.subarray(field.from, field.to) : null;
}

/** The value of a number, of several the last; null where it is not there, and for one that no double holds. */
export function numberField(bytes: Uint8Array, wanted: number): number | null {
  const field = (fieldsOf(bytes) ?? []).findLast((each) => each.number === wanted && !each.delimited);
  const read = field && varint(bytes, field.from, field.to);
  return read && Number.isSafeInteger(read.value) ? read.value : null;
}

function varint(bytes: Uint8Array, from: number, to: number): { value: number; next: number } | null {
  let value = 0;
  let factor = 1;
  for (let at = from; at < to && at < from + 10; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, next: at + 1 };
    factor *= 128;
  }
  return null;
}

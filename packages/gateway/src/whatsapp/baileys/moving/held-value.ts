/**
 * A value that another program has written, read member by member. Nothing is taken over that was not asked for, so
 * what else an object carries, `__proto__` included, goes nowhere. Refusals name the member and never its value.
 */
import { HeldSessionRefused } from '../../port/moving.ts';

/** Of text that is kept, in UTF-16 units: JIDs, names, ids. */
const LONGEST_TEXT = 512;
/** Some members that nobody knows are named, where they look like names. */
const MEMBER_NAME = /^[A-Za-z0-9_]{1,40}$/;

export class HeldValue {
  readonly #value: unknown;
  readonly field: string;
  readonly #place: string;

  constructor(value: unknown, field: string, place: string) {
    this.#value = value;
    this.field = field;
    this.#place = place;
  }

  get absent(): boolean {
    return this.#value === undefined || this.#value === null;
  }

  /** Throws unless it is an object that is no list and no bytes. */
  member(name: string): HeldValue {
    const object = this.#object();
    return new HeldValue(
      Object.hasOwn(object, name) ? object[name] : undefined,
      this.#path(name),
      this.#place,
    );
  }

  /** Every member, in its order. */
  members(): [string, HeldValue][] {
    return Object.entries(this.#object()).map(([name, value]) => [
      name,
      // A stranger's word: it may be a key, and is not told.
      new HeldValue(value, this.#path(MEMBER_NAME.test(name) ? name : '*'), this.#place),
    ]);
  }

  /** Names of members other than these that hold something. */
  others(known: readonly string[]): string[] {
    return this.members()
      .filter(([name, value]) => !known.includes(name) && !value.absent)
      .map(([name]) => (MEMBER_NAME.test(name) ? name : '(unnamed)'));
  }

  items(most: number): HeldValue[] {
    const list = this.#value;
    if (!Array.isArray(list)) return this.malformed('is no list');
    if (list.length > most) return this.malformed(`has more than ${most} items`);
    return list.map((each: unknown, at) => new HeldValue(each, `${this.field}[${at}]`, this.#place));
  }

  /** Bytes of one of these lengths; of any up to a megabyte without. */
  bytes(...lengths: number[]): Buffer {
    const bytes = bytesOf(this.#value);
    if (bytes === null) return this.malformed('holds no bytes');
    if (lengths.length > 0 && !lengths.includes(bytes.length)) {
      return this.malformed(`has ${bytes.length} bytes instead of ${lengths.join(' or ')}`);
    }
    return bytes;
  }

  /** As `bytes`; base64 text counts as well: the JSON of protobuf messages has it (protobufjs `toJSON`). */
  bytesOrBase64(...lengths: number[]): Buffer {
    if (typeof this.#value !== 'string') return this.bytes(...lengths);
    const bytes = fromBase64(this.#value);
    if (bytes === null) return this.malformed('is not base64');
    return new HeldValue(bytes, this.field, this.#place).bytes(...lengths);
  }

  /** A whole number, also where JSON holds it as text or as the halves of a 64-bit one (long.js). */
  integer(least: number, most: number): number {
    const number = integerOf(this.#value);
    if (number === null) return this.malformed('is no whole number');
    if (number < least || number > most) return this.malformed(`is not between ${least} and ${most}`);
    return number;
  }

  text(pattern?: RegExp): string {
    const text = this.#value;
    if (typeof text !== 'string') return this.malformed('is no text');
    if (text.length > LONGEST_TEXT) return this.malformed(`is longer than ${LONGEST_TEXT} characters`);
    if (pattern && !pattern.test(text)) return this.malformed('does not look as it must');
    return text;
  }

  isTrue(): boolean {
    return this.#value === true;
  }

  /** The value itself, for a reader of its own. */
  get raw(): unknown {
    return this.#value;
  }

  malformed(what: string): never {
    throw new HeldSessionRefused('malformed', this.field, this.#place, `${this.field} ${what}`);
  }

  inconsistent(what: string): never {
    throw new HeldSessionRefused('inconsistent', this.field, this.#place, `${this.field} ${what}`);
  }

  notLinked(what: string): never {
    throw new HeldSessionRefused('not_linked', this.field, this.#place, what);
  }

  #object(): Record<string, unknown> {
    const value = this.#value;
    if (this.absent) return this.malformed('is missing');
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array) {
      return this.malformed('is no object');
    }
    return value as Record<string, unknown>;
  }

  #path(name: string): string {
    return this.field === '' ? name : `${this.field}.${name}`;
  }
}

/** Bytes of a value are no longer; the biggest there are, histories of keys of a busy session, stay below. */
const MOST_BYTES = 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function fromBase64(text: string): Buffer | null {
  if (text.length > MOST_BYTES * 2 || !BASE64.test(text)) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === Math.floor(((text.length - padding) * 3) / 4) ? bytes : null;
}

/**
 * Bytes in the forms they take in stores: themselves; `{ type: 'Buffer', data }` with base64 (Baileys' `BufferJSON`)
 * or numbers (Node's own JSON of a Buffer); `{ buffer: true, data | value }` (older ones); and `{ "0": 5, "1": … }`,
 * which is what JSON makes of a Uint8Array that nobody replaced.
 */
function bytesOf(value: unknown): Buffer | null {
  if (value instanceof Uint8Array) return value.length > MOST_BYTES ? null : Buffer.from(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const held = value as Record<string, unknown>;
  const own = (name: string): unknown => (Object.hasOwn(held, name) ? held[name] : undefined);
  if (own('type') === 'Buffer' || own('buffer') === true) {
    const data = own('data') ?? own('value');
    if (typeof data === 'string') return fromBase64(data);
    return Array.isArray(data) ? fromNumbers(data) : null;
  }
  const keys = Object.keys(held);
  if (keys.length === 0 || keys.length > MOST_BYTES) return null;
  return keys.every((key, at) => key === String(at)) ? fromNumbers(Object.values(held)) : null;
}

function fromNumbers(list: readonly unknown[]): Buffer | null {
  if (list.length > MOST_BYTES) return null;
  const isByte = (each: unknown) => Number.isInteger(each) && Number(each) >= 0 && Number(each) <= 255;
  return list.every(isByte) ? Buffer.from(list as number[]) : null;
}

function integerOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  if (typeof value === 'string') return /^-?\d{1,15}$/.test(value) ? Number(value) : null;
  if (typeof value !== 'object' || value === null) return null;
  const { low, high } = value as { low?: unknown; high?: unknown };
  if (typeof low !== 'number' || typeof high !== 'number') return null;
  const number = high * 2 ** 32 + (low >>> 0);
  return Number.isSafeInteger(number) ? number : null;
}

/**
 * What a request means by the names it gives and by what it leaves empty. Programs written in Go, which the API was first written in,
 * send a member that they do not set as `null`, `""`, `[]` or `0`: for a member that may be left out these say
 * nothing, and it is as if it were not there. `false` always counts.
 */
import { isDeepStrictEqual } from 'node:util';
import { type TSchema, Type } from 'typebox';
import type { OpaqueText } from '../../whatsapp/port/opaque.ts';
import type { Ignored } from './ignored.ts';
import { memberNamed } from './member-names.ts';

/** Marks a member whose empty value says something: "no signature", "no retries", "on the equator". */
export const EMPTY_COUNTS = 'x-empty-counts';

/** The schema of a member whose empty value says something. Shown in the OpenAPI document. */
export function emptyCounts<T extends TSchema>(schema: T): T {
  return { ...schema, [EMPTY_COUNTS]: true };
}

/** Marks what WhatsApp gave and gets back as it was: tokens and cursors, which hold base64. */
const OPAQUE = 'x-opaque';

/**
 * The schema of a token or cursor of WhatsApp's in a query. In one that was written without percent-encoding, its `+`
 * is read as a space (WHATWG URL, application/x-www-form-urlencoded), and no base64 holds a space. What a session
 * takes of that kind is `OpaqueText`, which no other schema gives.
 */
export function opaqueInQuery(options: { maxLength: number; description: string; examples?: string[] }) {
  return Type.Unsafe<OpaqueText>({ type: 'string', minLength: 1, ...options, [OPAQUE]: true });
}

/** What Go's `strconv.ParseBool` takes. */
const GO_BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/** A text as a boolean; undefined for one that is none. */
export function goBoolean(text: string): boolean | undefined {
  return GO_BOOLEANS.get(text);
}

/** The parts of a JSON Schema that are read here. */
interface Shape {
  type?: string;
  format?: string;
  properties?: Record<string, Shape>;
  additionalProperties?: unknown;
  required?: string[];
  items?: Shape;
  anyOf?: Shape[];
  maxItems?: number;
  maxProperties?: number;
  [EMPTY_COUNTS]?: boolean;
  [OPAQUE]?: boolean;
}

/** A list or map with more items or members than its schema allows. */
export class TooManyItems extends Error {
  readonly path: string[];
  readonly limit: number;
  readonly what: 'items' | 'members';

  constructor(path: string[], limit: number, what: 'items' | 'members') {
    super(`${path.join('.')} has more than ${limit} ${what}`);
    this.path = path;
    this.limit = limit;
    this.what = what;
  }
}

/** One member with two values: under two of its names, or twice in a query. */
export class GivenTwice extends Error {
  readonly path: string[];
  readonly other: string;

  constructor(path: string[], other: string) {
    super(`${path.join('.')} is also given as ${other}`);
    this.path = path;
    this.other = other;
  }
}

export interface Reading {
  /** Its scalars come as texts, as in a query. */
  text: boolean;
  /** Takes the members that the schema does not know. */
  ignored: Ignored;
}

/**
 * The value with its members under the names of the schema, and without those that are not given.
 * Looks at what the schema knows and at nothing else. Throws `TooManyItems` before any item is looked at, so
 * that what a request costs is bounded by what is allowed and not by what was sent; and `GivenTwice`.
 */
export function asGiven(schema: TSchema, value: unknown, reading: Reading): unknown {
  return read(schema as Shape, value, { ...reading, path: [] });
}

interface Place extends Reading {
  path: string[];
}

function read(shape: Shape, value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return readItems(branch(shape, 'array'), value, place);
  if (typeof value === 'object' && value !== null) return readMembers(branch(shape, 'object'), value, place);
  return place.text && typeof value === 'string' ? fromQuery(shape, value) : value;
}

function fromQuery(shape: Shape, value: string): unknown {
  if (shape[OPAQUE]) return value.replaceAll(' ', '+');
  if (shape.type === 'boolean') return goBoolean(value) ?? value;
  return shape.format === 'date-time' ? value.replace(LOST_PLUS, '+') : value;
}

/** What is given several times in a query counts once where the schema takes no list. Throws when that differs. */
function once(shape: Shape, value: unknown, path: string[]): unknown {
  if (!Array.isArray(value) || [shape, ...(shape.anyOf ?? [])].some(({ type }) => type === 'array'))
    return value;
  const [first, ...others] = value;
  if (others.some((each) => each !== first)) throw new GivenTwice(path, path.at(-1) ?? '');
  return first;
}

/** The `+` of an offset, in a query that was written without percent-encoding: it is a space there. */
const LOST_PLUS = / (?=\d\d:\d\d$)/;

/** The branch of a union that speaks of such values. */
function branch(shape: Shape, type: 'array' | 'object'): Shape {
  return shape.anyOf?.find((each) => each.type === type) ?? shape;
}

function readItems(shape: Shape, items: unknown[], place: Place): unknown {
  if (shape.maxItems !== undefined && items.length > shape.maxItems) {
    throw new TooManyItems(place.path, shape.maxItems, 'items');
  }
  const { items: each } = shape;
  // Without a bound or a schema of their own, items are for the operation to read.
  if (each === undefined || shape.maxItems === undefined) return items;
  return items.map((item, index) => read(each, item, { ...place, path: [...place.path, String(index)] }));
}

function readMembers(shape: Shape, members: object, place: Place): unknown {
  const { properties, maxProperties } = shape;
  if (maxProperties !== undefined && Object.keys(members).length > maxProperties) {
    throw new TooManyItems(place.path, maxProperties, 'members');
  }
  // An object of which nothing is said may hold anything.
  if (properties === undefined || Object.keys(properties).length === 0) return members;
  const kept: Record<string, unknown> = {};
  const names = new Map<string, string>();
  for (const [written, all] of Object.entries(members)) {
    const name = memberNamed(properties, written);
    const member = name === undefined ? undefined : properties[name];
    if (name === undefined || member === undefined) {
      kept[written] = all;
      if (!shape.additionalProperties) place.ignored.add(place.path, written, Object.keys(properties));
      continue;
    }
    const path = [...place.path, name];
    const value = place.text ? once(member, all, path) : all;
    if (saysNothing(member, value, shape.required?.includes(name) ?? false, place.text)) continue;
    const given = read(member, value, { ...place, path });
    const other = names.get(name);
    if (other !== undefined && !isDeepStrictEqual(kept[name], given)) {
      throw new GivenTwice(path, other === name ? written : other);
    }
    names.set(name, written);
    kept[name] = given;
  }
  return kept;
}

function saysNothing(member: Shape, value: unknown, required: boolean, text: boolean): boolean {
  // What is empty says something there; null only where the schema takes it.
  if (member[EMPTY_COUNTS] === true) return value === null && !takesNull(member);
  // "Is required" says more than "must be a text" to somebody who sends null.
  if (value === null) return true;
  if (required) return false;
  const number = member.type === 'integer' || member.type === 'number';
  return (
    value === '' ||
    value === 0 ||
    (text && number && value === '0') ||
    (Array.isArray(value) && (value.length === 0 || (text && value.every((each) => each === ''))))
  );
}

function takesNull({ type, anyOf = [] }: Shape): boolean {
  return type === 'null' || anyOf.some(takesNull);
}

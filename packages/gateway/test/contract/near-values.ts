/** Values just inside of what a schema allows, and just outside. */
import type { Json } from '../end-to-end/harness.ts';
import { KNOWN_MEMBERS } from './good-values.ts';

/** A body with one value in it changed. */
export interface Variation {
  body: Json;
  /** Where, and to what. */
  what: string;
  /** Whether the changed member may be left out and its value is empty, which means that it is not given. */
  nothing: boolean;
}

/** Of a list that is filled: more would only be slow. */
const MOST_ITEMS = 100;
/** Pauses that are really made. */
const WAITED = /^(delay|typing_?duration)$/i;

/** Every variation of the body, one member at a time, at any depth. */
export function* variations(schema: Json, body: Json): Generator<Variation> {
  yield* within(schema, body, [], (value) => value);
}

type Whole = (value: Json) => Json;

function* within(schema: Json, value: Json, path: string[], whole: Whole): Generator<Variation> {
  for (const [name, member] of Object.entries<Json>(schema.properties ?? {})) {
    const place = [...path, name];
    const needed = (schema.required ?? []).includes(name);
    const set: Whole = (changed) =>
      whole(changed === undefined ? without(value, name) : { ...value, [name]: changed });
    yield* ofMember(member, value?.[name] ?? good(name, member), { name, place, needed, set });
  }
}

interface Member {
  name: string;
  place: string[];
  needed: boolean;
  set: Whole;
}

function* ofMember(schema: Json, base: Json, { name, place, needed, set }: Member): Generator<Variation> {
  // Files are looked at byte by byte elsewhere; which device is meant is asked of the database.
  if (schema.format === 'byte' || name === 'device_id') return;
  for (const near of [undefined, ...values(name, schema, base)]) {
    const nothing = !needed && schema['x-empty-counts'] !== true && isNothing(near);
    yield { body: set(near), what: `${place.join('.')}: ${shown(near)}`, nothing };
  }
  const inside = branches(schema);
  for (const each of inside) {
    if (each.properties) yield* within(each, base, place, set);
    if (!each.items || !Array.isArray(base) || base.length === 0) continue;
    const [first, ...rest] = base;
    const item: Member = {
      name,
      place: [...place, '0'],
      needed: true,
      set: (changed) => set([changed, ...rest]),
    };
    if (each.items.properties) yield* within(each.items, first, item.place, item.set);
    else yield* ofMember(each.items, first, item);
  }
}

/** Values of a parameter of a query, as texts. */
export function nearTexts(schema: Json): string[] {
  const [each] = branches(schema.type === 'array' ? (schema.items ?? {}) : schema);
  if (each.type === 'string') return texts(each);
  return each.type === 'integer' || each.type === 'number' ? [...numbers(each).map(String), 'x'] : [];
}

function* values(name: string, schema: Json, base: Json): Generator<Json> {
  yield null;
  for (const each of branches(schema)) {
    switch (each.type) {
      case 'string':
        yield* texts(each);
        break;
      case 'integer':
      case 'number':
        yield* numbers(each).filter((number) => !WAITED.test(name) || number <= 0);
        break;
      case 'array':
        yield* lists(each, base);
        break;
      default:
        break;
    }
  }
  yield { unknown: [] };
}

function texts({ enum: words, minLength = 0, maxLength = 0 }: Json): string[] {
  if (words) return [...words.slice(0, 3), 'nonsense', ''];
  const lengths = [...new Set([0, 1, minLength - 1, minLength, maxLength, maxLength + 1])];
  return [' ', ...lengths.filter((length) => length >= 0).map((length) => 'x'.repeat(length))];
}

function numbers({ minimum, maximum }: Json): number[] {
  const bounds = [minimum, maximum].filter((bound) => bound !== undefined);
  return [...new Set([0, -1, 0.5, ...bounds.flatMap((bound) => [bound - 1, bound, bound + 1])])];
}

function* lists({ minItems = 0, maxItems }: Json, base: Json): Generator<Json> {
  yield [];
  const [first] = Array.isArray(base) ? base : [];
  if (first === undefined) return;
  const filled = (length: number): Json => Array.from({ length }, () => first);
  if (minItems > 1) yield filled(minItems - 1);
  if (maxItems === undefined) return;
  if (maxItems <= MOST_ITEMS) yield filled(maxItems);
  yield filled(maxItems + 1);
}

/** The parts of a union, without null. */
function branches(schema: Json): Json[] {
  return schema.anyOf?.filter((each: Json) => each.type !== 'null') ?? [schema];
}

function good(name: string, schema: Json): Json {
  const [known] = KNOWN_MEMBERS[name] ?? [];
  if (known !== undefined) return known;
  const [first] = branches(schema);
  if (first.type === 'object') {
    const needed: string[] = first.required ?? [];
    return Object.fromEntries(needed.map((each) => [each, good(each, first.properties[each])]));
  }
  if (first.type === 'array') return first.items ? [good('', first.items)] : [];
  return first.examples?.[0] ?? first.enum?.[0] ?? (first.type === 'string' ? 'good' : (first.minimum ?? 1));
}

function without(value: Json, name: string): Json {
  const { [name]: _, ...rest } = value ?? {};
  return rest;
}

const isNothing = (value: Json): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0);

function shown(value: Json): string {
  if (value === undefined) return 'left out';
  const text = JSON.stringify(value);
  return text.length > 60
    ? `${text.slice(0, 30)}… (${Array.isArray(value) ? value.length : text.length - 2})`
    : text;
}

/**
 * What an operation refuses in words of its own. The schema that a request is read by would refuse it first and say it
 * worse ("must match pattern"), and content comes by other ways too, such as a bulk: so the domain checks, and its
 * bounds are stated beside the schema, for the document alone. A test sends what the document allows and what it does
 * not (`test/contract/strictness.test.ts`): nothing stated here may differ from what is done.
 */
import { type TSchema, Type } from 'typebox';
import { rewritten, type Schema } from './document.ts';

/** In a route's schema: keywords that only the document has. */
const STATED = 'x-stated';
/** In the document: what of a value is refused that no keyword of JSON Schema can tell, in words. */
export const REFUSED_FURTHER = 'x-refused-further';

interface Keywords {
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  enum?: readonly string[];
  /** Beside those that the schema requires itself. */
  required?: readonly string[];
  /** How members hang together: `exactlyOne` and the like. */
  allOf?: readonly object[];
  [REFUSED_FURTHER]?: string;
}

/** The schema with what its operation refuses in words of its own. */
export function stated<T extends TSchema>(schema: T, keywords: Keywords): T {
  const { [STATED]: before = {} } = schema as { [STATED]?: Keywords };
  // Whether a member may be left out stands in a property that a spread would lose.
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema)) as T;
  return Object.assign(copy, { [STATED]: { ...before, ...keywords } });
}

/** The schema of a value of which more is refused than JSON Schema can tell: `what` is refused. */
export function refusing<T extends TSchema>(what: string, schema: T): T {
  return stated(schema, { [REFUSED_FURTHER]: what });
}

/** A text of 1 to `most` characters that is not blank. */
export function words(most: number, description?: string) {
  return stated(Type.String(description === undefined ? {} : { description }), {
    minLength: 1,
    maxLength: most,
    pattern: '\\S',
  });
}

/** A text of at most `most` characters that may be left out. */
export function optionalWords(most: number, description: string) {
  return Type.Optional(stated(Type.String({ description }), { maxLength: most }));
}

/** A member is given when it is there and neither null nor empty: see `request/given.ts`. */
const given = (name: string): object => ({
  required: [name],
  properties: { [name]: { not: { enum: [null, '', []] } } },
});

/** The same of a member whose empty value says something (`emptyCounts`). */
export const counted = (name: string): object => ({
  required: [name],
  properties: { [name]: { not: { type: 'null' } } },
});

/** One of the members, and only one. */
export const exactlyOne = (...names: string[]): object => ({ oneOf: names.map(given) });
/** One of the members, or several. */
export const atLeastOne = (...names: string[]) => ({ anyOf: names.map(given) });
/** Not both of the members. */
export const notBoth = (one: string, other: string): object => ({
  not: { allOf: [given(one), given(other)] },
});
/** The second member, where there is the first. */
export const together = (one: string, other: string): object => ({
  anyOf: [{ not: given(one) }, given(other)],
});

/** The schema, and those inside of it, with what is stated beside them. */
export function withStated(schema: Schema): Schema {
  return rewritten(schema, ({ [STATED]: keywords, ...each }) => {
    if (keywords === undefined) return each;
    const { required = [], allOf = [], ...others } = keywords as Keywords;
    return {
      ...each,
      ...(others as Schema),
      ...(required.length > 0 && { required: [...new Set([...(each.required ?? []), ...required])] }),
      ...(allOf.length > 0 && { allOf: [...(each.allOf ?? []), ...(allOf as Schema[])] }),
    };
  });
}

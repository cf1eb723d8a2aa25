/** What is empty says for a member that may be left out that it is not given (`request/given.ts`): the document says so. */
import { EMPTY_COUNTS } from '../request/given.ts';
import type { Schema } from './document.ts';

const NULL: Schema = { type: 'null' };

/** The object schema with null beside what its optional members take. */
export function takingNull(schema: Schema): Schema {
  const { properties, required = [] } = schema;
  if (!properties) return schema;
  const members = Object.entries(properties).map(([name, member]) => {
    return [name, required.includes(name) ? member : orNull(member)] as const;
  });
  return { ...schema, properties: Object.fromEntries(members) };
}

/**
 * The schema of a value that may be left out, with what is empty beside what it takes. An empty text where few words or
 * a format are taken is left to the words of the document: a generated client would have a nameless member for it.
 */
export function takingNothing(schema: Schema): Schema {
  if (schema[EMPTY_COUNTS] === true) return schema;
  const { minLength: _, minItems: _items, ...rest } = schema;
  return {
    ...rest,
    ...(rest.type === 'integer' && rest.minimum === 1 && { minimum: 0 }),
    ...(typeof rest.pattern === 'string' && { pattern: orEmpty(rest.pattern) }),
  };
}

/** The pattern, for a text that may be empty as well. */
function orEmpty(pattern: string): string {
  return new RegExp(pattern, 'u').test('') ? pattern : `^$|${pattern}`;
}

function orNull(given: Schema): Schema {
  const schema = takingNothing(given);
  const { type, title, anyOf, description, [EMPTY_COUNTS]: counts, ...rest } = schema;
  if (anyOf) {
    const known = anyOf.some((each) => each.type === 'null');
    return known ? schema : { ...schema, anyOf: [...anyOf, NULL] };
  }
  const plain = title === undefined && rest.enum === undefined && rest.const === undefined;
  // Generators read a list of types, but not where one of them has members or items.
  if (plain && typeof type === 'string' && type !== 'object' && type !== 'array') {
    return { ...schema, type: [type, 'null'] };
  }
  return {
    anyOf: [{ ...rest, ...(type !== undefined && { type }), ...(title !== undefined && { title }) }, NULL],
    ...(description !== undefined && { description }),
    ...(counts !== undefined && { [EMPTY_COUNTS]: counts }),
  };
}

/**
 * Schemas with a `title` stand once under `#/components/schemas` and are referred to by it, so that a generated
 * client has one `Message` and not a type for every place that shows one.
 */
import { isDeepStrictEqual } from 'node:util';
import { rewritten, type Schema } from './document.ts';

/** A name that is a type's in every language. */
const NAME = /^[A-Z][A-Za-z0-9]*$/;

export class NamedSchemas {
  readonly #schemas: Record<string, Schema>;

  /** Names are added to `schemas`. Those that are there already are searched for named ones too. */
  constructor(schemas: Record<string, Schema>) {
    this.#schemas = schemas;
    for (const [name, schema] of Object.entries(schemas)) schemas[name] = this.referring(schema);
  }

  /** The schema with references in the place of those that have a name. */
  referring(schema: Schema): Schema {
    return rewritten(schema, (each) => this.#referred(each));
  }

  /** The same for a body, which gets this name when it is an object and has none. */
  referringAs(name: string, schema: Schema): Schema {
    const nameless = schema.type === 'object' && schema.title === undefined;
    return this.referring(nameless ? { ...schema, title: name } : schema);
  }

  #referred(schema: Schema): Schema {
    const { title } = schema;
    if (title === undefined) return schema;
    if (!NAME.test(title)) throw new Error(`"${title}" is no name for a schema`);
    const known = this.#schemas[title];
    if (known && !isDeepStrictEqual(meaning(known), meaning(schema))) {
      throw new Error(`two schemas are called ${title}: ${JSON.stringify([known, schema])}`);
    }
    this.#schemas[title] = { ...schema, ...known };
    return { $ref: `#/components/schemas/${title}` };
  }
}

/** Without what is only said of it: the generator moves that from the schema of a parameter to the parameter. */
function meaning({ description: _description, example: _example, examples: _examples, ...rest }: Schema) {
  return rest;
}

/** Reads the parts of a request by their schemas: the one way in for every query, header and body. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { parseRfc3339 } from '../../clock.ts';
import { validationError } from '../error-envelope.ts';
import { bounded } from './bounds.ts';
import { cleanTexts, ForbiddenCharacter } from './clean-text.ts';
import { asGiven, GivenTwice, TooManyItems } from './given.ts';
import { Ignored, rememberIgnored } from './ignored.ts';

const common = {
  // Bounded by the lists and maps that a schema bounds, which `asGiven` has looked at before.
  allErrors: true,
  removeAdditional: false,
  strict: false,
  verbose: true,
  useDefaults: true,
} as const;

/** Of bodies within bodies: few schemas, however many servers a process makes. */
const inner = exactly();

function exactly(): Ajv {
  return withFormats(new Ajv(common));
}

function withFormats(ajv: Ajv): Ajv {
  ajvFormats.default(ajv);
  // That of the package takes leap seconds, which nothing behind it can tell the time of.
  ajv.addFormat('date-time', (text: string) => parseRfc3339(text) !== null);
  return ajv;
}

/** Null for what fits. */
type Check = (data: unknown) => ErrorObject[] | null;
type Read = { value: unknown; error?: never } | { error: ErrorObject[]; value?: never };

/**
 * Query strings, paths and headers are text, so `5` and `true` become what the schema asks for.
 * Bodies are JSON and say their types themselves: a number where a text belongs is refused.
 * Members nobody knows are accepted and ignored; `ignoredIn` tells them, of the value and of the errors.
 */
export function validatorCompiler(): FastifySchemaCompiler<TSchema> {
  const exact = exactly();
  const coercing = withFormats(new Ajv({ ...common, coerceTypes: 'array' }));
  return ({ schema, httpPart }) => {
    if (httpPart === 'body') return reader(onDemand(exact, schema), schema, false);
    const check = onDemand(coercing, schema);
    // Read in place: Fastify has no other headers to put there.
    if (httpPart === 'headers') return (headers) => accepted(check(headers));
    return httpPart === 'params' ? refusing(check, cleanTexts) : reader(check, schema, true);
  };
}

/**
 * Compiled when the first request asks: the schemas of all operations were half of what a start computes, and few
 * callers use more than some of them.
 */
function onDemand(ajv: Ajv, schema: TSchema): Check {
  let compiled: ValidateFunction | undefined;
  return (data) => {
    compiled ??= ajv.compile(schema);
    return compiled(data) ? null : (compiled.errors ?? []);
  };
}

function accepted(error: ErrorObject[] | null): true | { error: ErrorObject[] } {
  return error ? { error } : true;
}

/** Reads a body that does not come as the body of its own request; throws VALIDATION_ERROR. */
export function bodyReader(given: TSchema, place: string): (body: object) => Record<string, unknown> {
  const schema = bounded(given, place);
  const read = reader(onDemand(inner, schema), schema, false);
  return (body) => {
    const { value, error } = read(body);
    if (error) throw validationError(error, 'body');
    return value as Record<string, unknown>;
  };
}

function reader(check: Check, schema: TSchema, text: boolean): (data: unknown) => Read {
  return (data) => {
    const ignored = new Ignored();
    const read = refusing(check, (given) => cleanTexts(asGiven(schema, given, { text, ignored })))(data);
    rememberIgnored(read.error ?? read.value, ignored);
    return read;
  };
}

/** What `read` makes of a value, held to the schema; what it throws is told like what the schema refuses. */
function refusing(check: Check, read: (data: unknown) => unknown): (data: unknown) => Read {
  return (data) => {
    try {
      const value = read(data);
      const error = check(value);
      return error ? { error } : { value };
    } catch (error) {
      if (error instanceof TooManyItems) return { error: [tooManyItems(error)] };
      if (error instanceof GivenTwice) return { error: [givenTwice(error)] };
      if (error instanceof ForbiddenCharacter) return { error: [forbiddenCharacter(error)] };
      throw error;
    }
  };
}

function givenTwice({ path, other }: GivenTwice): ErrorObject {
  const message =
    other === path.at(-1)
      ? 'is given more than once, with different values'
      : `is also given as ${other}, with another value`;
  return { keyword: 'twice', instancePath: instancePath(path), schemaPath: '', params: {}, message };
}

function forbiddenCharacter({ path }: ForbiddenCharacter): ErrorObject {
  return {
    keyword: 'format',
    instancePath: instancePath(path),
    schemaPath: '',
    params: {},
    message: 'must not contain the character U+0000',
  };
}

function instancePath(path: string[]): string {
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function tooManyItems({ path, limit, what }: TooManyItems): ErrorObject {
  return {
    keyword: what === 'items' ? 'maxItems' : 'maxProperties',
    instancePath: instancePath(path),
    schemaPath: '',
    params: { limit },
    message: `must not have more than ${limit} ${what}`,
  };
}

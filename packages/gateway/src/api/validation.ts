import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';

const common = {
  allErrors: true,
  removeAdditional: false,
  strict: false,
  verbose: true,
  useDefaults: true,
} as const;

const exact = new Ajv(common);
ajvFormats.default(exact);

/**
 * Query strings, paths and headers are text, so `5` and `true` become what the schema asks for.
 * Bodies are JSON and say their types themselves: a number where a text belongs is refused.
 * Members nobody knows are accepted and ignored.
 */
export function validatorCompiler(): FastifySchemaCompiler<TSchema> {
  const coercing = new Ajv({ ...common, coerceTypes: 'array' });
  ajvFormats.default(coercing);
  return ({ schema, httpPart }) => (httpPart === 'body' ? compileBody(schema) : coercing.compile(schema));
}

/** The check of a body that does not come as the body of its own request. */
export function compileBody(schema: TSchema): ValidateFunction {
  return exact.compile(schema);
}

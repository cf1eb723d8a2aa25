import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { RawAnswer } from '../bad-input/raw-request.ts';
import type { Json } from '../end-to-end/harness.ts';
import type { Operation, Parameter } from './operations.ts';

/** Codes that say that the request itself is wrong, whatever else is there. */
const REFUSALS = ['VALIDATION_ERROR', 'INVALID_RECIPIENT', 'INVALID_REQUEST'];
/** In the document: what of a value is refused beside, in words. */
const REFUSED_FURTHER = 'x-refused-further';

/** Holds what the OpenAPI document says of a body against what the gateway did with it. */
export class DocumentedRequests {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: Json) {
    ajvFormats.default(this.#ajv);
    // A data URI does as well, which no format tells.
    this.#ajv.addFormat('byte', true);
    this.#ajv.addSchema({ ...document, $id: 'api' });
  }

  /** What differs, in words; null when both take the body or both refuse it. */
  difference(operation: Operation, body: Json, answer: RawAnswer): string | null {
    const validate = this.#validator(operation);
    const allowed = validate(body);
    const refused = answer.status === 400 && REFUSALS.includes(answer.body?.error_code);
    if (allowed && refused) {
      const fields: string[] = (answer.body.validation ?? []).map(({ field }: Json) => field);
      const known = fields.length > 0 && fields.every((field) => saysSo(operation.body, field.split('.')));
      return known ? null : `is documented and refused: ${answer.body.error}`;
    }
    if (!allowed && !refused) {
      const [error] = validate.errors ?? [];
      return `is taken (${answer.status}), but ${error?.instancePath || 'the body'} ${error?.message}`;
    }
    return null;
  }

  /** The same of one parameter of the query, as it was written there. */
  ofParameter({ schema }: Parameter, text: string, answer: RawAnswer): string | null {
    const numeric = schema.type === 'integer' || schema.type === 'number';
    const value = numeric && text.trim() !== '' ? Number(text) : schema.type === 'array' ? [text] : text;
    const allowed = this.#ajv.validate(schema, value);
    const refused = answer.status === 400 && REFUSALS.includes(answer.body?.error_code);
    if (allowed === refused && !(allowed && (saysSo(schema, []) || saysSo(schema, ['0'])))) {
      return allowed
        ? `is documented and refused: ${answer.body.error}`
        : `is taken (${answer.status}), and not documented`;
    }
    return null;
  }

  #validator({ path, method }: Operation): ValidateFunction {
    const pointer = [
      'paths',
      path,
      method.toLowerCase(),
      'requestBody',
      'content',
      'application/json',
      'schema',
    ]
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = this.#ajv.getSchema(`api#/${pointer}`);
    if (!validate) throw new Error(`no schema of the body of ${method} ${path}`);
    return validate as ValidateFunction;
  }
}

/** Whether the document says, of the member or of what it stands in, that more is refused than its schema does. */
function saysSo(schema: Json, [name, ...rest]: string[]): boolean {
  if (schema === undefined) return false;
  if (schema[REFUSED_FURTHER] !== undefined) return true;
  const branches: Json[] = schema.anyOf ?? [];
  if (branches.some((each) => saysSo(each, name === undefined ? [] : [name, ...rest]))) return true;
  if (name === undefined) return false;
  return saysSo(schema.properties?.[name] ?? schema.items, rest);
}

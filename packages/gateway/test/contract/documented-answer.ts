import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { expect } from 'vitest';
import { expectEnvelope } from '../bad-input/linked-shop.ts';
import type { RawAnswer } from '../bad-input/raw-request.ts';
import type { Json } from '../end-to-end/harness.ts';
import type { Operation } from './operations.ts';

/** Holds answers against the OpenAPI document. */
export class DocumentedAnswers {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: Json) {
    ajvFormats.default(this.#ajv);
    this.#ajv.addSchema({ ...document, $id: 'api' });
  }

  /** Fails unless the operation documents this status and the body is as documented for it. Never a 500. */
  check(operation: Operation, answer: RawAnswer): void {
    const { status, text, body } = answer;
    const seen = `${status} ${text.slice(0, 600)}`;
    expect(status, seen).not.toBe(500);
    expect(Object.keys(operation.responses), seen).toContain(String(status));
    expect(answer.headers['x-request-id'], seen).toMatch(/\S/);
    expect(answer.headers['x-content-type-options'], seen).toBe('nosniff');
    if (operation.method === 'HEAD' || status === 304) {
      expect(text).toBe('');
      return;
    }
    const documented = operation.responses[String(status)].content ?? {};
    if (body === undefined) {
      const forms = Object.keys(documented);
      // What answers in JSON may have another form beside it, when that is asked for.
      const form = String(answer.headers['content-type']).split(';')[0];
      if (forms.includes('application/json')) expect(forms, seen).toContain(form);
      return;
    }
    if (status >= 400) {
      expectEnvelope(answer);
      const { description } = operation.responses[String(status)];
      expect(description.split(', '), seen).toContain(body.error_code);
    }
    expect(Object.keys(documented), seen).toContain('application/json');
    const validate = this.#validator(operation, status);
    expect(validate(body) ? [] : validate.errors, seen).toEqual([]);
  }

  #validator(operation: Operation, status: number) {
    const pointer = ['paths', operation.path, operation.method.toLowerCase(), 'responses', String(status)]
      .concat('content', 'application/json', 'schema')
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const id = `api#/${pointer}`;
    const validate = this.#ajv.getSchema(id);
    if (!validate) throw new Error(`no schema at ${id}`);
    return validate;
  }
}

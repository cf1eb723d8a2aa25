/** What every answer has beside its body: headers, and for failures the codes with an example of each. */
import { ERROR_CATALOGUE, type ErrorCode } from '../../errors.ts';
import { type Answer, type Document, type Operation, operationsIn, type Schema } from './document.ts';

const HEADERS = {
  'X-Request-Id': {
    description: 'Yours, or one that was made: it is in the log too',
    schema: { type: 'string' },
    required: true,
  },
  'Retry-After': { description: 'Seconds after which another try may help', schema: { type: 'integer' } },
  'Idempotency-Replayed': {
    description: 'This is the answer to an earlier request with the same `Idempotency-Key`',
    schema: { const: 'true', type: 'string' },
  },
};
type HeaderName = keyof typeof HEADERS;

/** The statuses with a code whose answers may say when to come again. */
const PASSING: ReadonlySet<string> = new Set(['429', '503', '507']);

/** Completes the answers of every operation. */
export function completeAnswers({ paths, components }: Document): void {
  const used = new Set(operationsIn(paths).flatMap((operation) => completeAnswersOf(operation)));
  components.headers = HEADERS;
  const codes = (Object.keys(ERROR_CATALOGUE) as ErrorCode[]).filter((code) => used.has(code));
  components.examples = Object.fromEntries(codes.map((code) => [code, exampleOf(code)]));
}

/** Returns the codes that the operation can end with. */
function completeAnswersOf(operation: Operation): string[] {
  const codes: string[] = [];
  const mayRepeat = operation.parameters?.some(({ name }) => name === 'idempotency-key') ?? false;
  for (const [status, answer] of Object.entries(operation.responses)) {
    const names: HeaderName[] = ['X-Request-Id'];
    if (PASSING.has(status)) names.push('Retry-After');
    if (mayRepeat && status < '300') names.push('Idempotency-Replayed');
    const headers = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
    answer.headers = { ...Object.fromEntries(headers), ...answer.headers };
    if (status >= '400') codes.push(...addCodes(answer));
  }
  return codes;
}

/** The codes that the description of a failure lists, as what `error_code` may be, and an example of each; returns those. */
function addCodes({ description, content }: Answer): string[] {
  const json = content?.['application/json'];
  if (!json) return [];
  const codes = description.split(', ');
  json.schema = narrowed(codes);
  json.examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return codes;
}

/** The envelope of a failure that ends with one of the codes. Its name says which, so that equal ones are one. */
function narrowed(codes: readonly string[]): Schema {
  const sorted = codes.toSorted();
  return {
    title: `${sorted.map(pascalCase).join('Or')}Error`,
    allOf: [
      { $ref: '#/components/schemas/ErrorEnvelope' },
      { type: 'object', properties: { error_code: { type: 'string', enum: sorted } } },
    ],
  };
}

/** `NOT_FOUND` as part of the name of a type. */
function pascalCase(code: string): string {
  return code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function exampleOf(code: ErrorCode): object {
  const { status, text } = ERROR_CATALOGUE[code];
  const value = {
    success: false,
    error: text,
    error_code: code,
    timestamp: '2026-06-15T12:00:00.000Z',
    ...(code === 'VALIDATION_ERROR' && { validation: [{ field: 'message', message: 'is required' }] }),
    request_id: '0196f0c1-7d3e-7c1a-9a43-3f2b8a4c5d6e',
  };
  return { summary: `${status}: ${text}`, value };
}

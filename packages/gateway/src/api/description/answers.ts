/** What every answer has beside its body: headers, and for failures an example of each code. */
import { ERROR_CATALOGUE, type ErrorCode } from '../../errors.ts';
import { type Answer, type Document, type Operation, operationsIn } from './document.ts';

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
    if (status >= '400') codes.push(...addExamples(answer));
  }
  return codes;
}

/** One of each code that the description of a failure lists; returns those. */
function addExamples({ description, content }: Answer): string[] {
  const json = content?.['application/json'];
  if (!json) return [];
  const codes = description.split(', ');
  json.examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return codes;
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

/** Reads JSON bodies: how deep they nest and how much of them is not media is found before they are parsed. */
import type { FastifyInstance } from 'fastify';
import { AppError, invalidField } from '../../errors.ts';
import { DEEPEST_JSON, LARGEST_JSON_BYTES, MOST_JSON_ITEMS, measureJson } from './json-measure.ts';

/**
 * JSON is the only body there is, beside multipart where an operation takes it. An empty one counts as absent:
 * clients send the header regardless.
 */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const refused = refusal(body, request.routeOptions.config.fileMembers?.() ?? NONE);
    if (refused) return done(refused);
    const text = body.toString('utf8');
    if (text.trim() === '') return done(null, undefined);
    return parse(request, text, done);
  });
}

const NONE: ReadonlySet<string> = new Set();

function refusal(body: Buffer, fileMembers: ReadonlySet<string>): AppError | null {
  const { excess, besideFiles } = measureJson(body, fileMembers);
  if (excess === 'depth') return invalidField('body', `must not nest deeper than ${DEEPEST_JSON} levels`);
  if (excess === 'items') {
    return invalidField('body', `must not have more than ${MOST_JSON_ITEMS} items in a list or object`);
  }
  if (besideFiles <= LARGEST_JSON_BYTES) return null;
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body is larger than ${LARGEST_JSON_BYTES} bytes, its files not counted`,
  });
}

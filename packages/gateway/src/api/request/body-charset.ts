/** Bodies in other charsets than JSON's own. */
import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';

const CHARSET = /;\s*charset\s*=\s*"?([\w:.-]{1,40})/i;

/**
 * The body in UTF-8, as JSON is (RFC 8259 §8.1). Programs whose texts are in another charset say so, or send it
 * unsaid: taken for UTF-8, every accent of what they write would go out as U+FFFD. Throws INVALID_JSON, and
 * UNSUPPORTED_MEDIA_TYPE for a compressed one.
 */
export function inUtf8(body: Buffer<ArrayBuffer>, { headers }: FastifyRequest): Buffer<ArrayBuffer> {
  if (isUtf8(body)) return body;
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') {
    const message = `a body with Content-Encoding is not taken (${coding.slice(0, 40)}): send it as it is`;
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', { message });
  }
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1];
  try {
    if (charset) return Buffer.from(new TextDecoder(charset, { fatal: true }).decode(body));
  } catch {
    // A charset that nobody knows, or that the bytes are not of.
  }
  throw new AppError('INVALID_JSON', {
    message: 'the request body is not UTF-8: send it so, or say its charset in Content-Type',
  });
}

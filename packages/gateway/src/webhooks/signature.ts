/** What proves to a receiver that a delivery is ours and unchanged. */
import { createHmac } from 'node:crypto';

export interface SignedBody {
  /** What is sent. */
  body: string;
  /** `sha256=…` when there is a secret; also sent as the header `X-Wuts-Signature`. */
  signature: string | null;
}

/**
 * Adds `signature` as the last member of a JSON object given as text. The signed bytes are `unsigned`
 * itself: the body without that member. The key is the secret's UTF-8 text, whatever it looks like.
 */
export function signBody(unsigned: string, secret: string | null): SignedBody {
  if (secret === null) return { body: unsigned, signature: null };
  const signature = `sha256=${createHmac('sha256', secret).update(unsigned, 'utf8').digest('hex')}`;
  return { body: `${unsigned.slice(0, -1)},"signature":"${signature}"}`, signature };
}

const STANDARD_PREFIX = 'whsec_';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;

/**
 * The key of the Standard Webhooks signature: for `whsec_` and base64 the decoded bytes, as its libraries
 * take it; for any other secret the UTF-8 text (their "raw" format).
 */
export function standardKey(secret: string): Buffer {
  const encoded = secret.startsWith(STANDARD_PREFIX) ? secret.slice(STANDARD_PREFIX.length) : '';
  return BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.from(secret, 'utf8');
}

/** The header `webhook-signature` (standardwebhooks.com, version 1): over `id.timestamp.body`, base64. */
export function standardSignature(
  secret: string,
  message: { id: string; timestampSeconds: number; body: string },
): string {
  const signed = `${message.id}.${message.timestampSeconds}.${message.body}`;
  return `v1,${createHmac('sha256', standardKey(secret)).update(signed, 'utf8').digest('base64')}`;
}

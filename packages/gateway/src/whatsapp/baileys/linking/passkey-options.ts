import type { PasskeyRequestOptions } from '../../port/passkey.ts';
import { type BinaryNode, getBinaryNodeChild } from '../library.ts';

/** The longest that are read; those of the server have some 200 bytes. */
const MOST_BYTES = 64 * 1024;

/** The request options that a stanza carries; null when there are none that can be used. */
export function optionsIn(stanza: BinaryNode): PasskeyRequestOptions | null {
  const { content } = getBinaryNodeChild(stanza, 'passkey_request_options') ?? {};
  const text = content instanceof Uint8Array ? Buffer.from(content).toString('utf8') : content;
  if (typeof text !== 'string' || text.length > MOST_BYTES) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  return isOptions(parsed) ? parsed : null;
}

function isOptions(value: unknown): value is PasskeyRequestOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { challenge, rpId, timeout, allowCredentials, userVerification } = value as Record<string, unknown>;
  return (
    typeof challenge === 'string' &&
    challenge !== '' &&
    typeof rpId === 'string' &&
    rpId !== '' &&
    (timeout === undefined || typeof timeout === 'number') &&
    (userVerification === undefined || typeof userVerification === 'string') &&
    (allowCredentials === undefined ||
      (Array.isArray(allowCredentials) &&
        allowCredentials.every((each: unknown) => typeof (each as { id?: unknown } | null)?.id === 'string')))
  );
}

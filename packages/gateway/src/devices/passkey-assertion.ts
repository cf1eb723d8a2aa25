/** What a browser signed, looked at before anything of it is sent: WhatsApp says only that it refuses. */
import { createHash } from 'node:crypto';
import { AppError, type ErrorCode, invalidField } from '../errors.ts';
import { PASSKEY_ORIGIN, type PasskeyAnswer, type PasskeyRequestOptions } from '../whatsapp/port/passkey.ts';

/** `PublicKeyCredential.toJSON()` of an assertion; bytes as base64url, padded or not. */
export interface PasskeyAssertion {
  id: string;
  rawId?: string;
  type: string;
  authenticatorAttachment?: string | null;
  clientExtensionResults?: Record<string, unknown>;
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle?: string | null;
  };
}

/** What of an assertion can be seen to be wrong. */
export const ASSERTION_FAILURES = [
  'VALIDATION_ERROR',
  'PASSKEY_CHALLENGE_MISMATCH',
  'PASSKEY_ORIGIN_MISMATCH',
  'PASSKEY_RP_MISMATCH',
  'PASSKEY_CREDENTIAL_MISMATCH',
  'PASSKEY_USER_NOT_VERIFIED',
] as const satisfies readonly ErrorCode[];

/** W3C WebAuthn level 3, 6.1: `rpIdHash` (32 bytes), flags (1), signature counter (4). */
const RP_HASH_BYTES = 32;
const SHORTEST_AUTHENTICATOR_DATA = 37;
/** Characters; browsers write some dozens. */
const MOST_EXTENSIONS = 16_000;
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;

/** The answer for the server. Throws VALIDATION_ERROR with the field, and the codes of ASSERTION_FAILURES. */
export function checkedAnswer(assertion: PasskeyAssertion, options: PasskeyRequestOptions): PasskeyAnswer {
  const { response } = assertion;
  if (assertion.type !== 'public-key') throw invalidField('type', 'must be public-key');
  const credentialId = bytes('id', assertion.id);
  if (assertion.rawId !== undefined && !bytes('rawId', assertion.rawId).equals(credentialId)) {
    throw invalidField('rawId', 'is another credential than id');
  }
  const clientData = bytes('response.clientDataJSON', response.clientDataJSON);
  const authenticatorData = bytes('response.authenticatorData', response.authenticatorData);
  const signature = bytes('response.signature', response.signature);
  const { userHandle } = response;
  const handle = userHandle ? bytes('response.userHandle', userHandle) : null;
  checkClientData(clientData, options);
  checkAuthenticatorData(authenticatorData, options);
  const allowed = options.allowCredentials ?? [];
  if (allowed.length > 0 && !allowed.some(({ id }) => decoded(id)?.equals(credentialId))) {
    throw new AppError('PASSKEY_CREDENTIAL_MISMATCH');
  }
  const clientExtensionResults = extensions(assertion.clientExtensionResults);
  const text = (value: Buffer) => value.toString('base64url');
  // The members of whatsmeow's WebAuthnResponse (types/passkey.go), with an absent user handle as null, and those
  // that a browser adds.
  const json = JSON.stringify({
    id: text(credentialId),
    rawId: text(credentialId),
    type: assertion.type,
    authenticatorAttachment: assertion.authenticatorAttachment ?? undefined,
    clientExtensionResults,
    response: {
      clientDataJSON: text(clientData),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: handle && text(handle),
    },
  });
  return { credentialId, json };
}

/** What is handed on unread has to be small; how deep it nests was looked at by who read it. */
function extensions(results: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (results === undefined || JSON.stringify(results).length <= MOST_EXTENSIONS) return results;
  throw invalidField('clientExtensionResults', 'is too large');
}

function checkClientData(clientData: Buffer, options: PasskeyRequestOptions): void {
  const field = 'response.clientDataJSON';
  const { type, challenge, origin } = jsonObject(field, clientData);
  if (type !== 'webauthn.get')
    throw invalidField(field, 'is not of an assertion: its type is not webauthn.get');
  if (typeof challenge !== 'string') throw invalidField(field, 'has no challenge');
  if (typeof origin !== 'string') throw invalidField(field, 'has no origin');
  const asked = decoded(options.challenge);
  if (asked === null || !decoded(challenge)?.equals(asked)) throw new AppError('PASSKEY_CHALLENGE_MISMATCH');
  if (origin !== PASSKEY_ORIGIN) throw new AppError('PASSKEY_ORIGIN_MISMATCH');
}

function checkAuthenticatorData(data: Buffer, options: PasskeyRequestOptions): void {
  if (data.length < SHORTEST_AUTHENTICATOR_DATA) {
    throw invalidField('response.authenticatorData', 'is too short to be authenticator data');
  }
  const rpHash = createHash('sha256').update(options.rpId).digest();
  if (!data.subarray(0, RP_HASH_BYTES).equals(rpHash)) throw new AppError('PASSKEY_RP_MISMATCH');
  const flags = data.readUInt8(RP_HASH_BYTES);
  const needed = options.userVerification === 'required' ? USER_PRESENT | USER_VERIFIED : USER_PRESENT;
  if ((flags & needed) !== needed) throw new AppError('PASSKEY_USER_NOT_VERIFIED');
}

function jsonObject(field: string, value: Buffer): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
  } catch {
    throw invalidField(field, 'is not JSON in base64url');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalidField(field, 'is no JSON object');
  }
  return parsed as Record<string, unknown>;
}

function bytes(field: string, text: string): Buffer {
  const value = decoded(text);
  if (value === null || value.length === 0) throw invalidField(field, 'is not base64url');
  return value;
}

/** base64url, padded or not; null for anything else, which `Buffer.from` would skip in silence. */
function decoded(text: string): Buffer | null {
  const bare = text.replace(/={0,2}$/, '');
  const value = Buffer.from(bare, 'base64url');
  return value.toString('base64url') === bare ? value : null;
}

import { randomBytes } from 'node:crypto';
import { type AuthenticationResponseJSON, verifyAuthenticationResponse } from '@simplewebauthn/server';
import type { AccountPasskeys } from '../state/passkeys.ts';

/** What passkeys of WhatsApp are for. */
const RP_ID = 'whatsapp.com';
const CHALLENGE_BYTES = 32;

export interface RequestOptions {
  readonly challenge: string;
  readonly json: string;
}

/** Request options in the form of the real server's, down to the order of the members. */
export function requestOptions({ policy, credentials }: AccountPasskeys): RequestOptions {
  const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
  const known = policy.listed ? [...credentials.keys()] : [];
  const json = JSON.stringify({
    challenge,
    timeout: policy.timeoutMs,
    rpId: RP_ID,
    allowCredentials: known.map((id) => ({ id, type: 'public-key', transports: ['internal', 'hybrid'] })),
    userVerification: 'required',
    extensions: { uvm: true },
  });
  return { challenge, json };
}

/** Whether a passkey of the account has signed the challenge on WhatsApp Web, and somebody has unlocked it for that. */
export async function holds(
  passkeys: AccountPasskeys,
  challenge: string,
  credentialId: Uint8Array,
  assertion: Uint8Array,
): Promise<boolean> {
  try {
    const response = JSON.parse(Buffer.from(assertion).toString('utf8')) as AuthenticationResponseJSON;
    const id = Buffer.from(credentialId).toString('base64url');
    const passkey = passkeys.credentials.get(id);
    if (!passkey || response.id !== id) return false;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: passkeys.policy.origin,
      expectedRPID: RP_ID,
      credential: { id, publicKey: passkey.publicKey, counter: passkey.counter },
      requireUserVerification: true,
    });
    if (verified) passkey.counter = authenticationInfo.newCounter;
    return verified;
  } catch {
    return false;
  }
}

/** What the server knows of an account's passkeys, and what it demands of those who want to be linked to it. */

import type { PasskeyPolicy } from '../link.ts';

/** The values of the real server, where they are known (whatsmeow issues 1184 and 1185, zapo shortcake-flow.test.ts). */
export const DEFAULT_PASSKEY_POLICY: PasskeyPolicy = {
  demand: 'none',
  embedded: true,
  listed: false,
  timeoutMs: 600_000,
  offerMs: 2_000,
  removeAfterMs: 17_000,
  origin: 'https://web.whatsapp.com',
};

export interface StoredPasskey {
  /** COSE_Key. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** How often it has signed, as it said last. */
  counter: number;
}

export interface AccountPasskeys {
  policy: PasskeyPolicy;
  /** By credential id, base64url. */
  readonly credentials: Map<string, StoredPasskey>;
}

export function passkeysOf(account: { passkeys?: AccountPasskeys }): AccountPasskeys {
  account.passkeys ??= { policy: DEFAULT_PASSKEY_POLICY, credentials: new Map() };
  return account.passkeys;
}

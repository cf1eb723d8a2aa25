/**
 * The passkey step of linking, which the server demands of a growing share of accounts since 30 June 2026 (whatsmeow
 * issue 1185). The server hands out WebAuthn request options, a browser on web.whatsapp.com signs them, and the phone
 * and the device then agree on keys, with a short code that people may have to compare.
 */

/** Where a browser has to sign: a passkey for `whatsapp.com` is given to no page of another site (W3C WebAuthn). */
export const PASSKEY_ORIGIN = 'https://web.whatsapp.com';

/**
 * WebAuthn request options (`PublicKeyCredentialRequestOptionsJSON`), whole, as the server wrote them: what this
 * gateway has no use for may matter to the browser.
 */
export interface PasskeyRequestOptions {
  /** base64url. */
  readonly challenge: string;
  readonly rpId: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly allowCredentials?: readonly { readonly id: string; readonly [member: string]: unknown }[];
  readonly userVerification?: string;
  readonly [member: string]: unknown;
}

/** What a browser made of the request options. */
export interface PasskeyAnswer {
  readonly credentialId: Uint8Array;
  /** `PublicKeyCredential.toJSON()`, as the server gets it. */
  readonly json: string;
}

/** What a session reports of the step. */
export type PasskeyEvent =
  /** The server asks, for the first time or once more; what was answered before counts no longer. */
  | { type: 'passkey_required'; options: PasskeyRequestOptions }
  /** The phone has answered. Unless `codeRequired`, the session goes on by itself. */
  | { type: 'passkey_code'; code: string; codeRequired: boolean }
  /** The step came to nothing: the phone or the server refused, or what came could not be used. */
  | { type: 'passkey_failed'; refused: boolean; detail: string };

/** Answering the server's demand. Both throw `RequestRefused` when the server says no. */
export interface SessionPasskey {
  /** Hands in what the browser signed; `passkey_code` follows when the phone goes along. */
  answer(answer: PasskeyAnswer): Promise<void>;
  /** Says that the phone shows the same code; the ordinary `paired` follows. */
  confirm(): Promise<void>;
}

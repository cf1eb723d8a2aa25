import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../clock.ts';
import type { AuthenticationCreds } from '../library.ts';

/** Lifetimes of a QR: the first ref is shown for 60 s, each further one for 20 s (Baileys socket.js). */
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;

/** Position of the ADV secret in `ref,noise key,identity key,adv secret,client type`. */
const ADV_SECRET_FIELD = 3;

/**
 * The QR on screen: the server's current ref with our current secret.
 *
 * Since 28 July 2026 the server may retire the secret while a QR is shown
 * (`<notification type="companion_reg_refresh">`, Baileys issue 2737). WhatsApp Web then makes a new
 * 32-byte secret and draws the *current* ref again. The library fixed its secret when the refs came, so its
 * QR text is only a source of the ref.
 */
export class PairingQr {
  readonly #creds: AuthenticationCreds;
  readonly #clock: Clock;
  #template: string | null = null;
  #expiresAt = 0;
  #shown = 0;

  constructor(creds: AuthenticationCreds, clock: Clock) {
    this.#creds = creds;
    this.#clock = clock;
  }

  /** The library shows the next ref. */
  nextRef(libraryQr: string): { code: string; expiresAt: number } {
    this.#template = libraryQr;
    this.#expiresAt = this.#clock.now() + (this.#shown === 0 ? FIRST_QR_MS : NEXT_QR_MS);
    this.#shown += 1;
    return { code: withSecret(libraryQr, this.#creds.advSecretKey), expiresAt: this.#expiresAt };
  }

  /** The server retired the secret: makes another; the QR to show now, or null if none was shown yet. */
  refreshSecret(): { code: string; expiresAt: number } | null {
    this.#creds.advSecretKey = randomBytes(32).toString('base64');
    if (!this.#template) return null;
    return { code: withSecret(this.#template, this.#creds.advSecretKey), expiresAt: this.#expiresAt };
  }
}

function withSecret(qr: string, advSecret: string): string {
  const fields = qr.split(',');
  fields[ADV_SECRET_FIELD] = advSecret;
  return fields.join(',');
}

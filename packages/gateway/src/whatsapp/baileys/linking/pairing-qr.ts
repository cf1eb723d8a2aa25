import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../clock.ts';
import {
  type AuthenticationCreds,
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type Socket,
} from '../library.ts';

/** Lifetimes of a QR: the first ref is shown for 60 s, each further one for 20 s (Baileys socket.js). */
const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;

/** Position of the ADV secret in `ref,noise key,identity key,adv secret,client type`. */
const ADV_SECRET_FIELD = 3;

const TIMED_OUT = 408;

export interface CurrentQr {
  code: string;
  expiresAt: number;
}

export interface PairingQrParts {
  creds: AuthenticationCreds;
  clock: Clock;
  /** Stores the credentials. */
  save(): void;
  show(qr: CurrentQr): void;
}

/**
 * The QR on screen: the server's current ref with our current secret.
 *
 * Since 28 July 2026 the server may retire the secret while a QR is shown
 * (`<notification type="companion_reg_refresh">`, Baileys issue 2737). WhatsApp Web then makes a new
 * 32-byte secret and draws the *current* ref again. The library fixed its secret when the refs came, so its
 * QR text is only a source of the ref.
 *
 * The refs are counted here as well: the library ends the connection with the last one, whatever is under way. WhatsApp
 * Web stops its timers then and keeps the connection (WAWeb/Handle/PairDevice.js, by whatsapp-rust pull request 1163).
 * So does this from the moment on when a phone has scanned and the server asks for a passkey, which takes minutes.
 */
export class PairingQr {
  readonly #parts: PairingQrParts;
  #refs: string[] = [];
  /** The library's text, with its first ref. */
  #template: { readonly text: string; readonly ref: string } | null = null;
  #ref = '';
  #secret = '';
  #expiresAt = 0;
  #cancelTimer: (() => void) | null = null;
  #held = false;

  constructor(parts: PairingQrParts) {
    this.#parts = parts;
  }

  /** Call before the library sees the socket's frames. */
  attach(socket: Socket): void {
    socket.ws.prependListener('CB:iq,type:set,pair-device', (stanza: BinaryNode) => {
      this.#refs = refsIn(stanza);
    });
    socket.ws.on('CB:notification,type:companion_reg_refresh', () => this.#refreshSecret());
    socket.ev.on('creds.update', () => this.#followSecret());
    socket.ev.on('connection.update', ({ qr }) => {
      if (qr) this.#begin(qr, socket);
    });
  }

  /** A phone has scanned: nothing more is shown, and nothing ends by itself. */
  hold(): void {
    this.#held = true;
    this.stop();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** The server retired the secret of what is shown; one that a phone has read is not shown any more. */
  #refreshSecret(): void {
    if (this.#held) return;
    const { creds, save } = this.#parts;
    creds.advSecretKey = randomBytes(32).toString('base64');
    save();
    this.#show();
  }

  /**
   * A pairing code that was answered brings a secret of its own, also where it was typed wrong (messages-recv.js
   * `processNotification`): what was shown before would be refused as forged.
   */
  #followSecret(): void {
    const { creds } = this.#parts;
    if (this.#held || creds.account || creds.advSecretKey === this.#secret) return;
    if (this.#cancelTimer) this.#show();
  }

  #begin(text: string, socket: Socket): void {
    const ref = this.#refs[0] ?? '';
    this.#template = { text, ref };
    this.#next(FIRST_QR_MS, socket);
  }

  #next(lifetimeMs: number, socket: Socket): void {
    if (this.#held) return;
    const { clock } = this.#parts;
    const ref = this.#refs.shift();
    if (ref === undefined) {
      void socket.end(refsUsedUp());
      return;
    }
    this.#ref = ref;
    this.#expiresAt = clock.now() + lifetimeMs;
    this.#show();
    this.#cancelTimer = clock.after(lifetimeMs, () => this.#next(NEXT_QR_MS, socket));
  }

  #show(): void {
    const { creds, show } = this.#parts;
    if (!this.#template) return;
    const { text, ref } = this.#template;
    const fields = text.replace(ref, () => this.#ref).split(',');
    fields[ADV_SECRET_FIELD] = creds.advSecretKey;
    this.#secret = creds.advSecretKey;
    show({ code: fields.join(','), expiresAt: this.#expiresAt });
  }
}

function refsIn(stanza: BinaryNode): string[] {
  return getBinaryNodeChildren(getBinaryNodeChild(stanza, 'pair-device'), 'ref').flatMap(({ content }) =>
    content instanceof Uint8Array ? [Buffer.from(content).toString('utf8')] : [],
  );
}

/** As the library words it: see `close-reason.ts`. */
function refsUsedUp(): Error {
  return Object.assign(new Error('QR refs attempts ended'), { output: { statusCode: TIMED_OUT } });
}

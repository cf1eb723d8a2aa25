import { toDataURL } from 'qrcode';
import type { Clock } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { normalisePhoneNumber } from '../identity/phone-number.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import { qrForms } from '../whatsapp/port/linking-qr.ts';
import { deviceNotReady } from '../whatsapp/port/not-ready.ts';
import { unreachableText } from '../whatsapp/port/unreachable.ts';
import { PAIRED } from './choice.ts';
import type { Device } from './device.ts';
import type { DeviceActor } from './device-actor.ts';
import type { PairingQr } from './device-actor-parts.ts';

/** How asking for a QR or a code can end. */
export const PAIRING_FAILURES = [
  'ALREADY_CONNECTED',
  'ALREADY_PAIRED',
  'QR_TIMEOUT',
  'DEVICE_NOT_READY',
  'PASSKEY_REQUIRED',
] as const satisfies readonly ErrorCode[];

export interface PairingQrAnswer extends PairingQr {
  /** The QR as a PNG in a `data:` URI. */
  image: string;
  /** It had been generated for an earlier request. */
  cached: boolean;
}

export interface PairCodeAnswer {
  /** As the phone shows it: `ABCD-1234`. */
  code: string;
  /** Digits. */
  phone: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  cached: boolean;
}

export interface PairingSettings {
  /** How long `qr` and `code` wait for WhatsApp's first QR. */
  qrTimeoutMs: number;
}

const DEFAULT_PAIRING: PairingSettings = { qrTimeoutMs: 30_000 };

/**
 * Milliseconds a pairing code can be used. The socket waits for 60 s + 5 × 20 s, as long as its QR refs last,
 * and the code ends with it (whatsmeow pair-code.go says the same: 160 seconds). The documented 300 s
 * would promise what does not hold.
 */
const PAIR_CODE_LIFETIME_MS = 160_000;

/** A rejected value is shown to its sender, but not a page of it. */
const LONGEST_SHOWN = 64;

interface CachedCode {
  code: string;
  phone: string;
  expiresAt: number;
  /** The code dies with the pairing session that asked for it. */
  session: unknown;
}

/** Linking a device: by a QR that the phone scans, or by a code that its user types. */
export class Pairing {
  readonly #clock: Clock;
  readonly #settings: PairingSettings;
  readonly #codes = new WeakMap<DeviceActor, CachedCode>();
  readonly #codesUnderWay = new WeakMap<DeviceActor, Promise<unknown>>();
  /** The picture of the last QR of each device: drawing costs more than all the rest of a poll. */
  readonly #images = new WeakMap<DeviceActor, { code: string; image: string }>();

  constructor(clock: Clock, settings: Partial<PairingSettings> = {}) {
    this.#clock = clock;
    this.#settings = { ...DEFAULT_PAIRING, ...settings };
  }

  /**
   * The QR to scan now; starts connecting when needed. `fresh` gives up a pairing under way, for a new QR.
   * Throws ALREADY_CONNECTED, ALREADY_PAIRED, PASSKEY_REQUIRED, QR_TIMEOUT, DEVICE_NOT_READY (no connection to
   * WhatsApp).
   */
  async qr(actor: DeviceActor, fresh: boolean): Promise<PairingQrAnswer> {
    refuseLinked(actor);
    if (!fresh) refuseWaitingForPasskey(actor);
    const known = fresh ? null : this.currentQr(actor);
    if (known) return { ...(await this.#drawn(actor, known)), cached: true };
    await actor.pair(fresh);
    const found = await actor.waitFor(
      () => this.currentQr(actor) ?? pairingOver(actor),
      this.#settings.qrTimeoutMs,
    );
    if (found === undefined) throw new AppError('QR_TIMEOUT');
    if (found === 'over') throw notPairing(actor);
    return { ...(await this.#drawn(actor, found)), cached: false };
  }

  /** The QR that a phone could scan at this moment, or null. */
  currentQr(actor: DeviceActor): PairingQr | null {
    const { qr } = actor;
    return qr !== null && qr.expiresAt > this.#clock.now() ? qr : null;
  }

  /**
   * A code to type on the phone with number `phone`; starts connecting when needed. The same phone gets the
   * same code while it is valid, unless `fresh`. Throws VALIDATION_ERROR for a number that is none, else as
   * `qr`, and WHATSAPP_TIMEOUT.
   */
  async code(actor: DeviceActor, phone: string, fresh: boolean): Promise<PairCodeAnswer> {
    const digits = phoneDigits(phone);
    // One request at a time: a second one would silently take the validity from the first one's code.
    for (;;) {
      const underWay = this.#codesUnderWay.get(actor);
      if (underWay === undefined) break;
      await underWay;
    }
    const result = this.#code(actor, digits, fresh);
    const settled = result.catch(() => undefined).finally(() => this.#codesUnderWay.delete(actor));
    this.#codesUnderWay.set(actor, settled);
    return result;
  }

  async #code(actor: DeviceActor, phone: string, fresh: boolean): Promise<PairCodeAnswer> {
    refuseLinked(actor);
    const anew = fresh && actor.passkey.current !== null;
    if (!anew) refuseWaitingForPasskey(actor);
    const known = this.#codes.get(actor);
    const valid =
      known?.phone === phone && known.expiresAt > this.#clock.now() && known.session === actor.pairingSession;
    if (known && valid && !fresh) {
      return { code: known.code, phone, expiresAt: known.expiresAt, cached: true };
    }
    await actor.pair(anew);
    // The server accepts the request for a code only after it offered QR refs (its pair-device request).
    const ready = await actor.waitFor(
      () => (actor.qr !== null ? 'ready' : pairingOver(actor)),
      this.#settings.qrTimeoutMs,
    );
    if (ready === undefined) {
      const message = 'failed to generate pair code: timeout waiting for WhatsApp QR event';
      throw new AppError('WHATSAPP_TIMEOUT', { message });
    }
    const session = actor.pairingSession;
    if (ready === 'over' || session === null) throw notPairing(actor);
    const code = dashed(
      await onSession(() => session.pairing.requestCode(phone), { message: 'failed to generate pair code' }),
    );
    const expiresAt = this.#clock.now() + PAIR_CODE_LIFETIME_MS;
    this.#codes.set(actor, { code, phone, expiresAt, session });
    return { code, phone, expiresAt, cached: false };
  }

  /** With its picture; the next one instead when the server retired this one's secret during the drawing. */
  async #drawn(actor: DeviceActor, qr: PairingQr): Promise<PairingQr & { image: string }> {
    let shown = qr;
    for (;;) {
      const image = await this.#draw(actor, shown.code);
      const current = this.currentQr(actor);
      if (current === null || current.code === shown.code) return { ...shown, image };
      shown = current;
    }
  }

  async #draw(actor: DeviceActor, code: string): Promise<string> {
    const drawn = this.#images.get(actor);
    if (drawn?.code === code) return drawn.image;
    const image = await toDataURL(qrForms(code).url);
    this.#images.set(actor, { code, image });
    return image;
  }
}

/** The number in digits with country code; throws VALIDATION_ERROR, field `phone`, when it is none. */
export function phoneDigits(phone: string): string {
  const digits = normalisePhoneNumber(phone);
  if (digits !== null) return digits;
  const message = 'invalid phone number format';
  throw new AppError('VALIDATION_ERROR', {
    message,
    validation: [{ field: 'phone', message, value: phone.slice(0, LONGEST_SHOWN) }],
  });
}

/** Throws ALREADY_CONNECTED or ALREADY_PAIRED. */
export function refuseLinked(actor: DeviceActor): void {
  const { state }: Device = actor.device;
  if (state === 'connected') throw new AppError('ALREADY_CONNECTED');
  if (actor.linked) {
    throw new AppError('ALREADY_PAIRED', {
      message: `already connected: ${PAIRED}`,
    });
  }
}

/** A phone has scanned already: another QR would end what is under way. */
function refuseWaitingForPasskey(actor: DeviceActor): void {
  if (actor.passkey.current !== null) throw new AppError('PASSKEY_REQUIRED');
}

/** 'over' when the actor attempt can give no QR any more. */
function pairingOver(actor: DeviceActor): 'over' | undefined {
  const over = actor.device.state !== 'pairing' || actor.linked || actor.passkey.current !== null;
  return over ? 'over' : undefined;
}

function notPairing(actor: DeviceActor): AppError {
  try {
    refuseLinked(actor);
    refuseWaitingForPasskey(actor);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  const { unreachable } = actor;
  const why = unreachable ? unreachableText(unreachable) : actor.device.stateReason;
  return deviceNotReady(actor.notReady ?? { reason: 'reconnecting' }, {
    message: `failed to initialize device: ${why}`,
  });
}

function dashed(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

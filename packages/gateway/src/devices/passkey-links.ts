/**
 * Addresses of a page that leads a person through the passkey step of one device. A link is for one step: it ends
 * with it, with another link of the device, and with the user who asked for it. It belongs to the first browser
 * that starts with it; what that browser then shows is a secret of its own, kept in a cookie.
 *
 * In memory: the step itself does not outlive the process either.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import type { Caller } from '../tenancy/caller.ts';
import { sameSecret } from '../tenancy/tokens.ts';
import { type Device, isLinked } from './device.ts';
import type { PasskeyStep } from './passkey-step.ts';

export interface PasskeyLinksParts {
  clock: Clock;
  devices: {
    /** Throws DEVICE_NOT_FOUND. */
    resolve(caller: Caller, deviceId: DeviceId): Promise<Device>;
    currentPasskey(device: Device): PasskeyStep | null;
  };
  /** A user with the rights of today; null when gone or deactivated. */
  callerOf(tenantId: TenantId, userId: UserId): Promise<Caller | null>;
}

export interface NewLink {
  /** Opens it: 256 random bits. Given once; its hash is kept. */
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** What anybody may know of a link. */
export interface LinkName {
  /** Names it in addresses and cookies; opens nothing. */
  id: string;
  /** Of the page that it leads to. */
  origin: string;
}

export interface OpenedLink extends LinkName {
  /** What proves this browser from now on; null where it has it already. */
  secret: string | null;
}

/** What a browser sees that has started with a link. */
export interface PasskeyVisit extends LinkName {
  caller: Caller;
  device: Device;
  /** Goes with the challenge to where it is signed, and comes back with the answer: a foreign one has none. */
  state: string;
  /** Null once it is over. */
  step: PasskeyStep | null;
  linked: boolean;
}

interface Link extends LinkName {
  tokenHash: string;
  owner: Pick<Caller, 'tenantId' | 'userId'>;
  deviceId: DeviceId;
  /** The step that it is for. */
  challenge: string;
  expiresAt: number;
  /** The hash of the secret of the browser it belongs to; null before the first. */
  browserHash: string | null;
  /** When its step was seen to be over, by the clock that only goes forward. */
  overAt: number | null;
}

/** How long a page still shows what came of it, milliseconds. */
const RESULT_SHOWN_MS = 10 * 60_000;
const SECRET_BYTES = 32;
const ID_CHARACTERS = 16;

export class PasskeyLinks {
  readonly #parts: PasskeyLinksParts;
  readonly #links = new Map<string, Link>();
  readonly #ofDevice = new Map<string, string>();

  constructor(parts: PasskeyLinksParts) {
    this.#parts = parts;
  }

  /** A link for the step that the device is at; an older one of the device ends. */
  make(caller: Caller, device: Device, step: PasskeyStep, origin: string): NewLink {
    this.#sweep();
    this.#drop(this.#ofDevice.get(device.id));
    const token = randomBytes(SECRET_BYTES).toString('base64url');
    const tokenHash = hash(token);
    const id = idOf(tokenHash);
    this.#links.set(id, {
      id,
      origin,
      tokenHash,
      owner: { tenantId: caller.tenantId, userId: caller.userId },
      deviceId: device.id,
      challenge: step.options.challenge,
      expiresAt: step.expiresAt,
      browserHash: null,
      overAt: null,
    });
    this.#ofDevice.set(device.id, id);
    return { token, expiresAt: step.expiresAt };
  }

  /** The link of this token. Throws PASSKEY_LINK_UNKNOWN. */
  found(token: string): LinkName {
    return this.#byToken(token);
  }

  /** The link of this name, whoever asks. Throws PASSKEY_LINK_UNKNOWN. */
  named(id: string): LinkName {
    const link = this.#links.get(id);
    if (!link) throw new AppError('PASSKEY_LINK_UNKNOWN');
    return link;
  }

  /**
   * Starts with a link, in the browser that holds `secret` or in a new one. Throws PASSKEY_LINK_UNKNOWN, and
   * PASSKEY_LINK_USED where it belongs to another browser.
   */
  async open(token: string, secret: string | undefined): Promise<OpenedLink> {
    const link = this.#byToken(token);
    const { id, origin } = link;
    if (await this.#current(link)) {
      if (belongsTo(link, secret)) return { id, origin, secret: null };
      if (link.browserHash !== null) throw new AppError('PASSKEY_LINK_USED');
      if (link.overAt === null) {
        const fresh = randomBytes(SECRET_BYTES).toString('base64url');
        link.browserHash = hash(fresh);
        return { id, origin, secret: fresh };
      }
    }
    throw new AppError('PASSKEY_LINK_UNKNOWN');
  }

  /** What the browser with this secret sees of the link. Throws PASSKEY_LINK_UNKNOWN. */
  async visit(id: string, secret: string | undefined): Promise<PasskeyVisit> {
    const link = this.#links.get(id);
    const now = link && belongsTo(link, secret) && (await this.#current(link));
    if (!link || !now) throw new AppError('PASSKEY_LINK_UNKNOWN');
    const { device, step } = now;
    const { origin } = link;
    return { id, origin, ...now, state: stateOf(secret), linked: step === null && isLinked(device) };
  }

  /** Where the link stands; null when it has ended. */
  async #current(link: Link): Promise<Pick<PasskeyVisit, 'caller' | 'device' | 'step'> | null> {
    const { devices, callerOf, clock } = this.#parts;
    const { tenantId, userId } = link.owner;
    const caller = await callerOf(tenantId, userId);
    const device = caller && (await devices.resolve(caller, link.deviceId).catch(absent));
    if (!caller || !device) {
      this.#drop(link.id);
      return null;
    }
    const step = devices.currentPasskey(device);
    // Once over, always: what the device waits for later is another step, even with the same challenge.
    if (link.overAt === null && step?.options.challenge === link.challenge) return { caller, device, step };
    link.overAt ??= clock.monotonic();
    return this.#ended(link) ? null : { caller, device, step: null };
  }

  #byToken(token: string): Link {
    const tokenHash = hash(token);
    const link = this.#links.get(idOf(tokenHash));
    if (!link || !sameSecret(link.tokenHash, tokenHash)) throw new AppError('PASSKEY_LINK_UNKNOWN');
    return link;
  }

  #ended({ overAt }: Link): boolean {
    return overAt !== null && this.#parts.clock.monotonic() - overAt >= RESULT_SHOWN_MS;
  }

  /** Those whose step nobody has looked at since are over at the latest when a step can last no longer. */
  #sweep(): void {
    const now = this.#parts.clock.now();
    for (const link of this.#links.values()) {
      if (this.#ended(link) || now - link.expiresAt >= LONGEST_AFTER_MS) this.#drop(link.id);
    }
  }

  #drop(id: string | undefined): void {
    const link = id === undefined ? undefined : this.#links.get(id);
    if (!link) return;
    this.#links.delete(link.id);
    if (this.#ofDevice.get(link.deviceId) === link.id) this.#ofDevice.delete(link.deviceId);
  }
}

/** Signing is followed by what the phone takes, and by the time that the result is shown. */
const LONGEST_AFTER_MS = 60 * 60_000;

function absent(error: unknown): null {
  if (error instanceof AppError && error.code === 'DEVICE_NOT_FOUND') return null;
  throw error;
}

function belongsTo({ browserHash }: Link, secret: string | undefined): secret is string {
  return secret !== undefined && browserHash !== null && sameSecret(hash(secret), browserHash);
}

/** Needs the secret, which the page's own scripts cannot read, and tells nothing of it. */
function stateOf(secret: string | undefined): string {
  return createHash('sha256').update(`state of ${secret}`).digest('base64url');
}

function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function idOf(tokenHash: string): string {
  return tokenHash.slice(0, ID_CHARACTERS);
}

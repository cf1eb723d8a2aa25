/**
 * Addresses of files that work for a time without a token, for receivers that have none. A link opens one file of
 * one message of one device, and is good for nothing else. It ends with its time, with any change of the user
 * whose device it is (another token, another role, deactivated, deleted), with the device, with the tenant, and
 * with the message, once that was deleted for everyone.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { MediaUrls } from '../events/media-urls.ts';
import type { DeviceId } from '../ids.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import { sameSecret } from '../tenancy/tokens.ts';

export interface MediaLinksParts {
  db: Kysely<Database>;
  clock: Clock;
  /** The key of the data folder; links are signed with one that is derived from it. */
  encryptionKey: Uint8Array;
  /** Where clients reach the gateway; null tells paths alone. */
  publicUrl: string | null;
  /** How long a link works, milliseconds; 0 signs none. */
  ttlMs: number;
}

/** What a link claims: the members of its query, as they came. */
export interface LinkClaim {
  recordId: string;
  index: number;
  /** Unix seconds. */
  expires: string;
  /** Milliseconds since the epoch. */
  issued: string;
  signature: string;
}

export interface OpenedLink {
  /** May see what the owner of the device may, and the route lets it see this one file. */
  caller: Caller;
  deviceId: DeviceId;
}

/** Ours alone: no address that a message or a receiver chose looks like it. */
const PATH = /^\/messages\/([\da-f-]{36})\/media(?:\?index=(\d{1,3}))?$/;
const DIGITS = /^\d{1,15}$/;

export class MediaLinks implements MediaUrls {
  readonly #parts: MediaLinksParts;
  readonly #key: Uint8Array;
  readonly #base: string;

  constructor(parts: MediaLinksParts) {
    this.#parts = parts;
    this.#key = new Uint8Array(hkdfSync('sha256', parts.encryptionKey, '', 'wuts media links v1', 32));
    this.#base = (parts.publicUrl ?? '').replace(/\/$/, '');
  }

  told(path: string, deviceId: DeviceId): string {
    const [, recordId, index] = PATH.exec(path) ?? [];
    if (recordId === undefined) return path;
    const { ttlMs, clock } = this.#parts;
    if (ttlMs === 0) return `${this.#base}${path}`;
    const issued = String(clock.now());
    const expires = String(Math.floor((clock.now() + ttlMs) / 1000));
    const claim = { recordId, index: Number(index ?? 0), expires, issued };
    const query = new URLSearchParams({ expires, issued, signature: this.#signature(claim, deviceId) });
    return `${this.#base}${path}${index === undefined ? '?' : '&'}${query}`;
  }

  /** Whom a link lets in, and to which device's message; null for one that is not valid, or no longer. */
  async open(claim: LinkClaim): Promise<OpenedLink | null> {
    const { db, clock, ttlMs } = this.#parts;
    if (ttlMs === 0 || !DIGITS.test(claim.expires) || !DIGITS.test(claim.issued)) return null;
    const now = clock.now();
    // A longer time than is set now was signed under another setting.
    const end = Math.min(Number(claim.expires) * 1000, Number(claim.issued) + ttlMs);
    if (now >= end) return null;
    const row = await db
      .selectFrom('messages')
      .innerJoin('devices', 'devices.id', 'messages.device_id')
      .innerJoin('users', 'users.id', 'devices.user_id')
      .select(['messages.device_id', 'messages.tenant_id', 'devices.user_id', 'users.updated_at'])
      .where('messages.id', '=', claim.recordId)
      .where('messages.revoked_at', 'is', null)
      .where('devices.deleting_at', 'is', null)
      .where('users.deleting_at', 'is', null)
      .where('users.active', '=', 1)
      .executeTakeFirst();
    // Compared also where there is no such message, so that the time tells nothing of that.
    const valid = sameSecret(claim.signature, this.#signature(claim, row?.device_id ?? ''));
    if (!row || !valid || Number(claim.issued) < row.updated_at) return null;
    const caller: Caller = { tenantId: row.tenant_id, userId: row.user_id, role: 'user' };
    return { caller, deviceId: row.device_id };
  }

  #signature(claim: Omit<LinkClaim, 'signature'>, deviceId: DeviceId): string {
    const { recordId, index, expires, issued } = claim;
    const signed = ['media', deviceId, recordId, index, issued, expires].join('\n');
    return createHmac('sha256', this.#key).update(signed).digest('hex');
  }
}

/**
 * What of an event lets its reader link a device is sealed while it is stored, told while it is good for that,
 * and null afterwards. The catalogue says which members those are.
 */
import { type Clock, parseRfc3339 } from '../clock.ts';
import { SEALED } from '../storage/sealed.ts';
import type { Vault } from '../storage/vault.ts';
import type { EventName } from './catalogue/names.ts';
import { EVENT_CATALOGUE } from './catalogue.ts';
import type { EventEnvelope, StoredEvent } from './envelope.ts';
import { type MediaUrls, plainMediaUrls, withMediaUrls } from './media-urls.ts';

/** What the envelope of a stored event is made of. */
export type EnvelopeRow = Pick<
  StoredEvent,
  'id' | 'name' | 'created_at' | 'device_id' | 'user_id' | 'data' | 'sealed'
>;

export interface SealedEventsParts {
  vault: Pick<Vault, 'seal' | 'open'>;
  clock: Clock;
  /** Default: told as they are stored. */
  mediaUrls?: MediaUrls;
}

export class SealedEvents {
  readonly #vault: Pick<Vault, 'seal' | 'open'>;
  readonly #clock: Clock;
  readonly #mediaUrls: MediaUrls;

  constructor(parts: SealedEventsParts) {
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#mediaUrls = parts.mediaUrls ?? plainMediaUrls;
  }

  /** The columns of an event's `data`: JSON that may lie in clear, and the rest of it, sealed. */
  columns(
    event: { id: string; device_id: string; name: EventName },
    data: object,
  ): Pick<StoredEvent, 'data' | 'sealed'> {
    const { secret } = EVENT_CATALOGUE[event.name];
    if (!secret) return { data: JSON.stringify(data), sealed: null };
    const shown: Record<string, unknown> = { ...data };
    const hidden = Object.fromEntries(secret.members.map((member) => [member, shown[member] ?? null]));
    // In their places, so that the order of the members stays the documented one.
    for (const member of secret.members) shown[member] = null;
    const sealed = this.#vault.seal(Buffer.from(JSON.stringify(hidden), 'utf8'), SEALED.event.at(event));
    return { data: JSON.stringify(shown), sealed };
  }

  /** The public object of a stored event, its members in the documented order. */
  envelope(row: EnvelopeRow): EventEnvelope {
    return {
      id: row.id,
      // The column is written from EventName alone.
      event: row.name as EventName,
      timestamp: Math.floor(row.created_at / 1000),
      device_id: row.device_id,
      user_id: row.user_id,
      data: withMediaUrls(this.#data(row), row.device_id, this.#mediaUrls),
    };
  }

  #data(row: EnvelopeRow): object {
    const data = JSON.parse(row.data) as Record<string, unknown>;
    const secret = row.sealed && EVENT_CATALOGUE[row.name as EventName]?.secret;
    if (!row.sealed || !secret) return data;
    const until = data[secret.until];
    const end = typeof until === 'string' ? parseRfc3339(until) : null;
    if (end === null || this.#clock.now() >= end) return data;
    const opened = this.#vault.open(row.sealed, SEALED.event.at(row));
    return { ...data, ...(JSON.parse(Buffer.from(opened).toString('utf8')) as object) };
  }
}

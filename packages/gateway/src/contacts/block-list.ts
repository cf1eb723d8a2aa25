/** Whom an account has blocked: read, and changed. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { identityOf } from '../identity/jid.ts';
import { namesOf, parseRecipient, type Recipients } from '../sending/recipients.ts';
import type { Database } from '../storage/schema.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { BlockedPeople } from '../whatsapp/port/block-list.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { loadBlockList, replaceBlockList } from './block-list-rows.ts';
import { upToDateAt } from './freshness.ts';
import { type Named, nameGiven, personMeant } from './whom.ts';

export interface KnownBlockList extends BlockedPeople {
  /** Milliseconds: until when the list is known to be the account's. */
  asOf: number;
}

export interface BlockChange {
  person: Identity;
  /** How many are blocked now. */
  count: number;
  hash: string | null;
}

export class BlockList {
  readonly #db: Kysely<Database>;
  readonly #devices: Devices;
  readonly #recipients: Recipients;
  readonly #clock: Clock;

  constructor(parts: { db: Kysely<Database>; devices: Devices; recipients: Recipients; clock: Clock }) {
    this.#db = parts.db;
    this.#devices = parts.devices;
    this.#recipients = parts.recipients;
    this.#clock = parts.clock;
  }

  /**
   * The list as it is stored and kept by what WhatsApp tells; WhatsApp is asked when it is not known, and with
   * `refresh`. Throws DEVICE_NOT_READY then, and as `onSession`.
   */
  async read(device: Device, refresh: boolean): Promise<KnownBlockList> {
    const stored = refresh ? null : await loadBlockList(this.#db, device);
    if (stored) return { ...stored, asOf: upToDateAt(this.#devices, device, this.#clock) };
    const session = this.#devices.session(device);
    const list = await onSession(() => session.blockList.read());
    const asOf = this.#clock.now();
    await this.#db.transaction().execute((trx) => replaceBlockList(trx, device, list, asOf));
    return { ...list, asOf };
  }

  /** Throws NOT_ON_WHATSAPP, INVALID_RECIPIENT, DEVICE_NOT_READY, and as `onSession`. */
  async set(device: Device, named: Named, blocked: boolean): Promise<BlockChange> {
    const session = this.#devices.session(device);
    const person =
      (blocked ? null : await this.#blockedAs(device, named)) ??
      (await personMeant(this.#recipients, session, device, named));
    const { people, hash } = await onSession(() => session.blockList.set(person, blocked));
    return { person, count: people.length, hash };
  }

  /** Who is in the list under a name; somebody who left WhatsApp is found there alone. */
  async #blockedAs(device: Device, named: Named): Promise<Identity | null> {
    const { text, field } = nameGiven(named);
    const names = namesOf(parseRecipient(text, field)).map(identityOf);
    const stored = await loadBlockList(this.#db, device);
    const isMeant = ({ jid, lid }: Identity) =>
      names.some(
        (name) => (name.jid !== null && name.jid === jid) || (name.lid !== null && name.lid === lid),
      );
    return stored?.people.find(isMeant) ?? null;
  }
}

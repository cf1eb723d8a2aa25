/** The inbound journal: what was decrypted and is not stored as a message yet, and what was set aside of it. */
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import type { DeviceId, TenantId } from '../ids.ts';
import type { JournalEntry, SealedEntry } from '../whatsapp/port/credentials.ts';
import { HotQuery } from './hot-query.ts';
import { checkedTenant } from './narrowing.ts';
import { chunks } from './row-chunks.ts';
import type { Database } from './schema.ts';
import { SEALED, type SealedPlace } from './sealed.ts';
import type { InboundJournalTable } from './tables/key-tables.ts';
import { type Vault, VaultError } from './vault.ts';

export interface StoredJournalParts {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  device: { id: string; tenantId: TenantId };
}

/** The journal of one device. */
export class StoredJournal {
  readonly #db: Kysely<Database>;
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #deviceId: DeviceId;
  readonly #tenantId: TenantId;

  constructor(parts: StoredJournalParts) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#deviceId = parts.device.id;
    this.#tenantId = parts.device.tenantId;
  }

  /** In the transaction that moves the ratchet on. */
  async add(trx: Transaction<Database>, entries: JournalEntry[]): Promise<void> {
    const rows = entries.map((entry) => ({
      device_id: this.#deviceId,
      tenant_id: this.#tenantId,
      id: entry.id,
      stanza: entry.stanza,
      plaintext: this.#vault.seal(entry.plaintext, this.#place(entry.id)),
      received_at: entry.receivedAt,
    }));
    const [only] = rows;
    if (only && rows.length === 1) return void (await PUT_ENTRY.run(trx, only));
    for (const part of chunks(rows)) {
      await trx
        .insertInto('inbound_journal')
        .values(part)
        // A redelivered stanza that is journaled already: the first entry stays.
        .onConflict((conflict) => conflict.columns(['device_id', 'id']).doNothing())
        .execute();
    }
  }

  /** What waits to be stored, oldest first. */
  async read(): Promise<(JournalEntry | SealedEntry)[]> {
    const rows = await this.#db
      .selectFrom('inbound_journal')
      .select(['id', 'stanza', 'plaintext', 'received_at'])
      .where(checkedTenant(this.#tenantId))
      .where('device_id', '=', this.#deviceId)
      .where('set_aside_at', 'is', null)
      .orderBy('received_at')
      .orderBy('id')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      stanza: row.stanza,
      plaintext: openOrNull(this.#vault, row.plaintext, this.#place(row.id)),
      receivedAt: row.received_at,
    }));
  }

  async setAside(id: string, reason: string): Promise<void> {
    await this.#db
      .updateTable('inbound_journal')
      .set({ set_aside_at: this.#clock.now(), set_aside_reason: reason })
      .where(checkedTenant(this.#tenantId))
      .where('device_id', '=', this.#deviceId)
      .where('id', '=', id)
      .execute();
  }

  async delete(ids: string[]): Promise<void> {
    for (const part of chunks(ids)) {
      await this.#db
        .deleteFrom('inbound_journal')
        .where(checkedTenant(this.#tenantId))
        .where('device_id', '=', this.#deviceId)
        .where('id', 'in', part)
        .execute();
    }
  }

  #place(id: string): SealedPlace {
    return SEALED.journal.at({ device_id: this.#deviceId, id });
  }
}

const PUT_ENTRY = new HotQuery<Omit<InboundJournalTable, 'set_aside_at' | 'set_aside_reason'>, unknown>(
  (db, entry) =>
    db
      .insertInto('inbound_journal')
      .values({
        device_id: entry.device_id,
        tenant_id: entry.tenant_id,
        id: entry.id,
        stanza: entry.stanza,
        plaintext: entry.plaintext,
        received_at: entry.received_at,
      })
      // A redelivered stanza that is journaled already: the first entry stays.
      .onConflict((conflict) => conflict.columns(['device_id', 'id']).doNothing()),
);

/** One row that cannot be opened must not keep the others from being read. */
function openOrNull(vault: Vault, sealed: Uint8Array, place: SealedPlace): Uint8Array | null {
  try {
    return vault.open(sealed, place);
  } catch (error) {
    if (error instanceof VaultError) return null;
    throw error;
  }
}

/** How many rows of all devices wait in the journal, and how many were set aside: for metrics, numbers only. */
export async function journalSize(db: Kysely<Database>): Promise<{ waiting: number; setAside: number }> {
  const { all, setAside } = await db
    .selectFrom('inbound_journal')
    .select((eb) => [
      eb.fn.countAll<number | string>().as('all'),
      eb.fn.count<number | string>('set_aside_at').as('setAside'),
    ])
    .executeTakeFirstOrThrow();
  return { waiting: Number(all) - Number(setAside), setAside: Number(setAside) };
}

/** A journal row that was set aside. */
export interface SetAsideRow {
  tenantId: TenantId;
  deviceId: DeviceId;
  id: string;
  /** Milliseconds. */
  receivedAt: number;
  setAsideAt: number;
  reason: string;
  stanza: Uint8Array;
  /** Null when it cannot be opened; `sealed` is what is stored. */
  plaintext: Uint8Array | null;
  sealed: Uint8Array;
}

/** What was set aside, of one tenant or of all, oldest first. */
export async function* setAsideRows(
  parts: { db: Kysely<Database>; vault: Vault },
  tenantId?: TenantId,
): AsyncGenerator<SetAsideRow> {
  let query = parts.db.selectFrom('inbound_journal').selectAll().where('set_aside_at', 'is not', null);
  if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId);
  for (const row of await query.orderBy('received_at').execute()) {
    yield {
      tenantId: row.tenant_id,
      deviceId: row.device_id,
      id: row.id,
      receivedAt: row.received_at,
      setAsideAt: row.set_aside_at ?? 0,
      reason: row.set_aside_reason ?? '',
      stanza: row.stanza,
      plaintext: openOrNull(parts.vault, row.plaintext, SEALED.journal.at(row)),
      sealed: row.plaintext,
    };
  }
}

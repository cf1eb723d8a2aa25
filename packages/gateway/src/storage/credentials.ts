/** Where one linked device's identity and Signal keys live. Its inbound journal is in `journal.ts`. */
import type { Kysely, Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import { type Clock, pause } from '../clock.ts';
import type { DeviceId, TenantId } from '../ids.ts';
import {
  type CredentialStore,
  type DeviceCredentials,
  type JournalEntry,
  type KeyChange,
  LeaseEnded,
  type SealedEntry,
} from '../whatsapp/port/credentials.ts';
import { deferred, durable } from './database.ts';
import { HotQuery } from './hot-query.ts';
import { StoredJournal, type StoredJournalParts } from './journal.ts';
import { checkedTenant } from './narrowing.ts';
import { chunks } from './row-chunks.ts';
import type { Database } from './schema.ts';
import { SEALED, type SealedPlace } from './sealed.ts';
import type { SignalKeysTable } from './tables/key-tables.ts';
import type { Vault } from './vault.ts';

/**
 * Plaintext of recently used keys, per device. A one-to-one session record is 1–10 KiB and the
 * busy ones of a device are few; a cold read costs one indexed query.
 */
const CACHE_BYTES = 256 * 1024;
/** What an entry costs beside its bytes: key text, map and list slots. */
const ENTRY_OVERHEAD = 200;
export type StoredCredentialsParts = StoredJournalParts;

/** Throws when the writer may not write any more; asked where nothing else can come in between. */
type Guard = () => void;

/**
 * The credentials of one device. One `write` is one transaction: it outlives `kill -9` when the
 * promise resolves, and a power cut once `durable` has. There must be one instance per device and
 * process, for its cache is the truth about what was last written.
 */
export class StoredCredentials implements DeviceCredentials {
  readonly #db: Kysely<Database>;
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #journal: StoredJournal;
  readonly #deviceId: DeviceId;
  readonly #tenantId: TenantId;
  /** `null` stands for "known to be absent": the library asks for missing sessions again and again. */
  readonly #cache = new LRUCache<string, { value: Uint8Array | null }>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (entry, key) => ENTRY_OVERHEAD + key.length + (entry.value?.length ?? 0),
  });
  /** Counts commits, so that what was read before one is not cached after it. */
  #commits = 0;
  /** Moves on with each lease and each `clear`. */
  #generation = 0;
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: StoredCredentialsParts) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#journal = new StoredJournal(parts);
    this.#deviceId = parts.device.id;
    this.#tenantId = parts.device.tenantId;
  }

  async lease(): Promise<CredentialStore> {
    this.#generation += 1;
    const mine = this.#generation;
    const guard = () => {
      if (mine !== this.#generation) throw new LeaseEnded();
    };
    // What an earlier session is writing is there before this one reads.
    await Promise.allSettled([...this.#underWay]);
    return {
      readCredentials: () => this.readCredentials(),
      readKeys: (type, ids) => this.readKeys(type, ids),
      readJournal: () => this.readJournal(),
      durable: () => this.durable(),
      writeCredentials: (value) => this.#guarded(() => this.#writeCredentials(value, guard)),
      write: (changes, journal = []) => this.#guarded(() => this.#write(changes, journal, guard)),
      deleteJournal: async (ids) => {
        guard();
        await this.deleteJournal(ids);
      },
      setAside: async (id, reason) => {
        guard();
        await this.setAside(id, reason);
      },
      clear: async () => {
        guard();
        await this.clear();
      },
    };
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    const running = work();
    this.#underWay.add(running);
    try {
      await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  async readCredentials(): Promise<Uint8Array | null> {
    const row = await this.#db
      .selectFrom('device_credentials')
      .select('value')
      .where(checkedTenant(this.#tenantId))
      .where('device_id', '=', this.#deviceId)
      .executeTakeFirst();
    return row ? this.#vault.open(row.value, SEALED.credentials.at({ device_id: this.#deviceId })) : null;
  }

  writeCredentials(value: Uint8Array): Promise<void> {
    return this.#writeCredentials(value, () => undefined);
  }

  async #writeCredentials(value: Uint8Array, guard: Guard): Promise<void> {
    guard();
    const sealed = this.#vault.seal(value, SEALED.credentials.at({ device_id: this.#deviceId }));
    const updated_at = this.#clock.now();
    await this.#db.transaction().execute(async (trx) => {
      guard();
      await trx
        .insertInto('device_credentials')
        .values({ device_id: this.#deviceId, tenant_id: this.#tenantId, value: sealed, updated_at })
        .onConflict((conflict) => conflict.column('device_id').doUpdateSet({ value: sealed, updated_at }))
        .execute();
    });
  }

  async readKeys(type: string, ids: string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    const unknown: string[] = [];
    for (const id of new Set(ids)) {
      const cached = this.#cache.get(cacheKey(type, id));
      if (!cached) unknown.push(id);
      else if (cached.value) found.set(id, cached.value);
    }
    for (const part of chunks(unknown)) await this.#readStored(type, part, found);
    return found;
  }

  async #readStored(type: string, ids: string[], found: Map<string, Uint8Array>): Promise<void> {
    const commits = this.#commits;
    const rows = await this.#db
      .selectFrom('signal_keys')
      .select(['id', 'value'])
      .where(checkedTenant(this.#tenantId))
      .where('device_id', '=', this.#deviceId)
      .where('type', '=', type)
      .where('id', 'in', ids)
      .execute();
    for (const row of rows) found.set(row.id, this.#vault.open(row.value, this.#keyPlace(type, row.id)));
    if (commits !== this.#commits) return;
    for (const id of ids) this.#cache.set(cacheKey(type, id), { value: found.get(id) ?? null });
  }

  write(changes: KeyChange[], journal: JournalEntry[] = []): Promise<void> {
    return this.#write(changes, journal, () => undefined);
  }

  async #write(changes: KeyChange[], journal: JournalEntry[], guard: Guard): Promise<void> {
    guard();
    // The same key twice: the last value counts, and one statement must not meet a row twice.
    const latest = new Map(changes.map((change) => [cacheKey(change.type, change.id), change]));
    if (latest.size === 0 && journal.length === 0) return;
    const all = [...latest.values()];
    await deferred(this.#db)
      .transaction()
      .execute(async (trx) => {
        guard();
        await this.#upsert(trx, all);
        await this.#delete(trx, all);
        await this.#journal.add(trx, journal);
      });
    this.#commits += 1;
    for (const [key, change] of latest) this.#remember(key, change);
  }

  /** Pre-keys come by the hundred and are used once, if ever: they would only drive the sessions out. */
  #remember(key: string, change: KeyChange): void {
    if (change.type === 'pre-key') this.#cache.delete(key);
    else this.#cache.set(key, { value: change.value });
  }

  async #upsert(trx: Transaction<Database>, changes: KeyChange[]): Promise<void> {
    const rows = changes.flatMap(({ type, id, value }) => {
      if (value === null) return [];
      const sealed = this.#vault.seal(value, this.#keyPlace(type, id));
      return [{ device_id: this.#deviceId, tenant_id: this.#tenantId, type, id, value: sealed }];
    });
    const [only] = rows;
    // As with every message: one session moved on.
    if (only && rows.length === 1) return void (await PUT_KEY.run(trx, only));
    for (const part of chunks(rows)) {
      await trx
        .insertInto('signal_keys')
        .values(part)
        .onConflict((conflict) =>
          conflict
            .columns(['device_id', 'type', 'id'])
            .doUpdateSet((row) => ({ value: row.ref('excluded.value') })),
        )
        .execute();
    }
  }

  async #delete(trx: Transaction<Database>, changes: KeyChange[]): Promise<void> {
    const idsByType = new Map<string, string[]>();
    for (const { type, id, value } of changes) {
      if (value === null) idsByType.set(type, [...(idsByType.get(type) ?? []), id]);
    }
    for (const [type, ids] of idsByType) {
      for (const part of chunks(ids)) {
        await trx
          .deleteFrom('signal_keys')
          .where(checkedTenant(this.#tenantId))
          .where('device_id', '=', this.#deviceId)
          .where('type', '=', type)
          .where('id', 'in', part)
          .execute();
      }
    }
  }

  /**
   * Puts a session in the place of whatever is stored, in the caller's commit; like `clear`, it ends the leases. Others
   * of the process are let go on between the portions, not those who wait for the database.
   */
  async replaceIn(trx: Transaction<Database>, credentials: Uint8Array, keys: KeyChange[]): Promise<void> {
    this.#generation += 1;
    await this.#deleteAll(trx);
    const value = this.#vault.seal(credentials, SEALED.credentials.at({ device_id: this.#deviceId }));
    await trx
      .insertInto('device_credentials')
      .values({ device_id: this.#deviceId, tenant_id: this.#tenantId, value, updated_at: this.#clock.now() })
      .execute();
    for (const part of chunks(keys)) {
      await this.#upsert(trx, part);
      await pause(0);
    }
    this.#commits += 1;
    this.#cache.clear();
  }

  readJournal(): Promise<(JournalEntry | SealedEntry)[]> {
    return this.#journal.read();
  }

  setAside(id: string, reason: string): Promise<void> {
    return this.#journal.setAside(id, reason);
  }

  deleteJournal(ids: string[]): Promise<void> {
    return this.#journal.delete(ids);
  }

  async clear(): Promise<void> {
    this.#generation += 1;
    await this.#db.transaction().execute((trx) => this.#deleteAll(trx));
    this.#commits += 1;
    this.#cache.clear();
  }

  async #deleteAll(trx: Transaction<Database>): Promise<void> {
    for (const table of ['signal_keys', 'inbound_journal', 'device_credentials'] as const) {
      await trx
        .deleteFrom(table)
        .where(checkedTenant(this.#tenantId))
        .where('device_id', '=', this.#deviceId)
        .execute();
    }
  }

  durable(): Promise<void> {
    return durable(this.#db);
  }

  #keyPlace(type: string, id: string): SealedPlace {
    return SEALED.signalKey.at({ device_id: this.#deviceId, type, id });
  }
}

const PUT_KEY = new HotQuery<SignalKeysTable, unknown>((db, key) =>
  db
    .insertInto('signal_keys')
    .values({
      device_id: key.device_id,
      tenant_id: key.tenant_id,
      type: key.type,
      id: key.id,
      value: key.value,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['device_id', 'type', 'id'])
        .doUpdateSet((row) => ({ value: row.ref('excluded.value') })),
    ),
);

function cacheKey(type: string, id: string): string {
  return `${type}/${id}`;
}

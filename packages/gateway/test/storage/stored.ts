import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { systemClock } from '../../src/clock.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import { migrateToLatest, openDatabase } from '../../src/storage/database.ts';
import type { Database } from '../../src/storage/schema.ts';
import { Vault } from '../../src/storage/vault.ts';

export interface DeviceIds {
  id: string;
  tenantId: string;
}

/** A migrated database in a folder of its own. */
export class TestStore {
  readonly dataDir: string;
  readonly db: Kysely<Database>;
  readonly vault = new Vault(randomBytes(32));

  constructor(dataDir: string, db: Kysely<Database>) {
    this.dataDir = dataDir;
    this.db = db;
  }

  static async open(): Promise<TestStore> {
    const dataDir = await mkdtemp(join(tmpdir(), 'wuts-store-'));
    const db = await openDatabase({ dataDir });
    await migrateToLatest(db);
    return new TestStore(dataDir, db);
  }

  async close(): Promise<void> {
    await this.db.destroy();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** A tenant with one user and one device. */
  async device(): Promise<DeviceIds> {
    const [tenantId, userId, id] = [randomUUID(), randomUUID(), randomUUID()];
    const times = { created_at: 1, updated_at: 1 };
    await this.db
      .insertInto('tenants')
      .values({ id: tenantId, name: tenantId, ...times })
      .execute();
    await this.db
      .insertInto('users')
      .values({
        id: userId,
        tenant_id: tenantId,
        email: 'a@b.example',
        password_hash: '',
        role: 'admin',
        token_hash: userId,
        token_preview: '',
        active: 1,
        webhook_url: null,
        ...times,
      })
      .execute();
    await this.db
      .insertInto('devices')
      .values({
        id,
        tenant_id: tenantId,
        user_id: userId,
        name: 'device',
        jid: null,
        lid: null,
        phone_number: null,
        push_name: null,
        platform: null,
        state: 'new',
        state_reason: null,
        state_at: 1,
        wanted: 0,
        last_seen: null,
        ...times,
      })
      .execute();
    return { id, tenantId };
  }

  credentials(device: DeviceIds): StoredCredentials {
    return new StoredCredentials({ db: this.db, vault: this.vault, clock: systemClock, device });
  }
}

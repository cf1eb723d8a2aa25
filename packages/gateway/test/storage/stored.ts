import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { systemClock } from '../../src/clock.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import type { Database } from '../../src/storage/schema.ts';
import { Vault } from '../../src/storage/vault.ts';
import { addDevice, addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';

export interface DeviceIds {
  id: string;
  tenantId: string;
}

/** A migrated database in a folder of its own. */
export class TestStore {
  readonly dataDir: string;
  readonly db: Kysely<Database>;
  readonly vault = new Vault(randomBytes(32));

  readonly close: () => Promise<void>;

  constructor({ db, dataDir, close }: TestDatabase) {
    this.dataDir = dataDir;
    this.db = db;
    this.close = close;
  }

  static async open(): Promise<TestStore> {
    return new TestStore(await openTestDatabase());
  }

  /** A tenant with one user and one device. */
  async device(): Promise<DeviceIds> {
    const tenantId = await addTenant(this.db, 1);
    const id = await addDevice(this.db, 1, await addUser(this.db, 1, { tenantId }));
    return { id, tenantId };
  }

  credentials(device: DeviceIds): StoredCredentials {
    return new StoredCredentials({ db: this.db, vault: this.vault, clock: systemClock, device });
  }
}

/** The database, what is encrypted in it, and the folder of files. */
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Step } from '../steps.ts';
import { type BlobStore, FolderBlobStore } from './blobs.ts';
import {
  type DatabaseOptions,
  migrateToLatest,
  openDatabase,
  PlannerStatistics,
  recoverLog,
} from './database.ts';
import { assertKeyFits } from './encryption-key.ts';
import type { Database } from './schema.ts';
import { Vault } from './vault.ts';

export interface StorageRoom {
  db: Kysely<Database>;
  vault: Vault;
  blobs: BlobStore;
  /** Names of the migrations that this start has run. */
  migrations: string[];
  step: Step;
  /** What the planner knows, kept up to date. */
  statistics: Step;
}

/** Opens and migrates the database. Throws KeyRefused when it was encrypted with another key. */
export async function composeStorage(
  parts: DatabaseOptions & {
    encryptionKey: Uint8Array;
    clock: Clock;
    onStatisticsFailed(error: unknown): void;
  },
): Promise<StorageRoom> {
  const { encryptionKey, clock, onStatisticsFailed: failed, ...options } = parts;
  const db = await openDatabase(options);
  try {
    recoverLog(db);
    const migrations = await migrateToLatest(db);
    const vault = new Vault(encryptionKey);
    // A wrong key would otherwise show as devices that cannot log in, or as values that no key opens together.
    await assertKeyFits(db, vault);
    const statistics = new PlannerStatistics({ db, clock, failed });
    const blobs = new FolderBlobStore(join(options.dataDir, 'blobs'));
    return {
      db,
      vault,
      blobs,
      migrations,
      step: { name: 'database', stop: () => db.destroy(), stopMs: 1000 },
      statistics: { name: 'statistics', start: () => statistics.start(), stop: () => statistics.stop() },
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

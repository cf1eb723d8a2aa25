/** Opens the store of the data folder, and says in the log what the disk does to it. */
import type { Clock } from './clock.ts';
import { type Config, ConfigError } from './config.ts';
import type { Log } from './observability/log.ts';
import { composeStorage, type StorageRoom } from './storage/composition.ts';
import type { DatabaseOptions } from './storage/database.ts';
import { KeyRefused } from './storage/encryption-key.ts';

/** What a test may put in place of the disk. */
export interface StoreOverrides {
  /** How the database's log is put on the disk. */
  syncFile?: DatabaseOptions['syncFile'];
  /** The disk refused to keep what was written: the process must end. */
  onStoreLost?: () => void;
}

/** Throws ConfigError for a key that is not the database's. */
export async function openStorage(
  config: Config,
  { log, clock }: { log: Log; clock: Clock },
  { syncFile, onStoreLost }: StoreOverrides,
): Promise<StorageRoom> {
  const { dataDir, databaseSync: sync, encryptionKey } = config;
  try {
    const storage = await composeStorage({
      dataDir,
      sync,
      encryptionKey,
      clock,
      onStatisticsFailed: (err) => log.warn({ err }, 'the statistics of the database are not up to date'),
      syncFile,
      onSyncFailed: (failure) => {
        log.error(
          { err: failure },
          'the disk refused to keep what was written: nothing is acknowledged any more until the gateway starts anew',
        );
        onStoreLost?.();
      },
    });
    const { migrations } = storage;
    if (migrations.length > 0) log.info({ migrations }, 'the database was migrated');
    return storage;
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    throw new ConfigError([error.message]);
  }
}

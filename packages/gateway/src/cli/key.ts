/** `wuts key rotate`: everything secret in the data folder is sealed with another key. */
import { ConfigError, loadConfig, loadNewEncryptionKey } from '../config.ts';
import { openDataFolder, replaceKeyFile } from '../first-start.ts';
import { lockFolder, migrateToLatest, openDatabase, recoverLog } from '../storage/database.ts';
import { KeyRefused } from '../storage/encryption-key.ts';
import { type RotationParts, type RotationResult, rotateKey } from '../storage/key-rotation.ts';
import { Vault } from '../storage/vault.ts';

/**
 * From the key of the settings or the data folder to `WUTS_NEW_ENCRYPTION_KEY`. Run again with the same two
 * keys it goes on where it was cut short. Throws FolderInUse while a gateway runs, and ConfigError for keys
 * that are not the ones it takes.
 */
export async function rotateEncryptionKey(
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
  pace: Pick<RotationParts, 'batch' | 'onBatch'> = {},
): Promise<void> {
  const settings = loadConfig(env);
  const next = loadNewEncryptionKey(env);
  const { dataDir } = settings;
  const config = await openDataFolder(settings);
  const unlock = lockFolder(dataDir);
  try {
    const result = await sealAnew(dataDir, { old: config.encryptionKey, next }, pace);
    print(result ? told(result) : 'everything is sealed with the new key already');
    if (settings.encryptionKey) {
      print(
        'set WUTS_ENCRYPTION_KEY to the new key, and unset WUTS_NEW_ENCRYPTION_KEY, before the next start',
      );
    } else {
      print(`${await replaceKeyFile(dataDir, next)} holds the new key: keep a copy`);
    }
  } finally {
    unlock();
  }
}

async function sealAnew(
  dataDir: string,
  keys: { old: Uint8Array; next: Uint8Array },
  pace: Pick<RotationParts, 'batch' | 'onBatch'>,
): Promise<RotationResult | null> {
  const db = await openDatabase({ dataDir });
  try {
    recoverLog(db);
    await migrateToLatest(db);
    return await rotateKey({ db, from: new Vault(keys.old), to: new Vault(keys.next), ...pace });
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    throw new ConfigError([error.message]);
  } finally {
    // The last one that closes the database leaves no log behind, in which the old values would still stand.
    await db.destroy();
  }
}

function told({ values, unreadable }: RotationResult): string {
  const sealed = `${values} values were sealed with the new key`;
  if (unreadable === 0) return sealed;
  return `${sealed}; ${unreadable} were left as they are: the old key did not open them either`;
}

/** How much the data folder takes of its disk. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DATABASE_FILE, LOG_FILE } from './database.ts';

/** Bytes. What is not there, or is not told, counts as 0. */
export async function storageSizes(
  dataDir: string,
): Promise<{ database: number; wal: number; diskFree: number }> {
  const sizeOf = (name: string): Promise<number> =>
    stat(join(dataDir, name)).then(
      ({ size }) => size,
      () => 0,
    );
  const free = statfs(dataDir).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  const [database, wal, diskFree] = await Promise.all([sizeOf(DATABASE_FILE), sizeOf(LOG_FILE), free]);
  return { database, wal, diskFree };
}

/** What is in a folder, there after a power cut. */
import { open } from 'node:fs/promises';

/**
 * Puts the names in a folder on the disk: a file that was synced is there after a power cut, but only its
 * folder says under which name (fsync(2)). Windows opens no folders, and keeps names by itself.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

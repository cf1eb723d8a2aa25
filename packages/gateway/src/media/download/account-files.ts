import type { Clock } from '../../clock.ts';
import type { MediaHttp } from '../../net/media-http.ts';
import type { BlobStore } from '../../storage/blobs.ts';
import {
  type AccountFile,
  AccountFileLost,
  type AccountFileSource,
  type OpenedAccountFile,
} from '../../whatsapp/port/account-files.ts';
import type { MediaConnection } from '../../whatsapp/port/media.ts';
import { downloadMedia } from './download.ts';

/** Phones send history in files of some megabytes; far larger ones are not from a phone. */
const MAX_BYTES = 256 * 1024 ** 2;
/** A hundred messages of a group with their thumbnails, from anybody in it. */
const MAX_SHARED_BYTES = 16 * 1024 ** 2;

/**
 * Downloads history and app-state files as media are: from the hosts that the server named, decrypted and
 * verified on the way, onto the disk. They are read from there and never enter the cache.
 */
export class AccountFiles implements AccountFileSource {
  readonly #parts: {
    http: MediaHttp;
    clock: Clock;
    blobs: Pick<BlobStore, 'stage'>;
    timeoutMs: number;
  };

  constructor(parts: {
    http: MediaHttp;
    clock: Clock;
    blobs: Pick<BlobStore, 'stage'>;
    /** Milliseconds for one file. */
    timeoutMs: number;
  }) {
    this.#parts = parts;
  }

  async open(
    file: AccountFile,
    connection: MediaConnection,
    signal: AbortSignal,
  ): Promise<OpenedAccountFile> {
    const { http, clock, blobs, timeoutMs } = this.#parts;
    const staged = await blobs.stage();
    try {
      const result = await downloadMedia({
        http,
        clock,
        hosts: http.allowedHosts(connection),
        directPath: file.directPath,
        promise: file,
        staged,
        maxBytes: file.kind === 'group_history' ? MAX_SHARED_BYTES : MAX_BYTES,
        timeoutMs,
        signal,
      });
      signal.throwIfAborted();
      if (result.outcome === 'unreachable') throw new Error(`the media hosts: ${result.detail}`);
      if (result.outcome !== 'ok') throw new AccountFileLost(result.outcome);
    } catch (error) {
      await staged.discard();
      throw error;
    }
    return { read: () => staged.reread(), close: () => staged.discard() };
  }
}

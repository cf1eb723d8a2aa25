/**
 * Files on the media hosts that are no media: chunks of history and large app-state patches for this device alone, and
 * what a member of a group shared of its past.
 */
import type { Readable } from 'node:stream';
import type { MediaConnection } from './media.ts';

export interface AccountFile {
  kind: 'history' | 'app_state' | 'group_history';
  directPath: string;
  /** 32 bytes. A secret. */
  mediaKey: Uint8Array;
  fileSha256: Uint8Array | null;
  fileEncSha256: Uint8Array | null;
  /** Bytes, as announced. */
  fileLength: number | null;
}

/** A downloaded and verified file, on disk. */
export interface OpenedAccountFile {
  /** From the first byte, as often as wanted. */
  read(): Promise<Readable>;
  /** Throws the file away. */
  close(): Promise<void>;
}

/** No further try can bring this file: it expired, is not what was announced, or is too large. */
export class AccountFileLost extends Error {
  constructor(detail: string) {
    super(`the file cannot be had any more: ${detail}`);
    this.name = 'AccountFileLost';
  }
}

/**
 * Where a session gets such files. The library's own download is not used: it always asks the default media
 * host (its history notification carries no other), checks no hash, and holds the whole file in memory.
 */
export interface AccountFileSource {
  /** Throws AccountFileLost when it is of no use to try again; other errors may pass. */
  open(file: AccountFile, connection: MediaConnection, signal: AbortSignal): Promise<OpenedAccountFile>;
}

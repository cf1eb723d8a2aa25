/** Reads what `power-cut.c` has noted. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The numbers stand in `power-cut.c`. */
const KINDS = {
  1: 'write',
  2: 'resize',
  3: 'sync-begin',
  4: 'sync-end',
  5: 'create',
  6: 'rename',
  7: 'unlink',
  8: 'mkdir',
  9: 'rmdir',
} as const;

/** A change of a file's bytes or length, and what was there before. */
export interface DataChange {
  readonly kind: 'write' | 'resize';
  readonly offset: number;
  readonly length: number;
  /** The file's size before. */
  readonly size: number;
  readonly before: Buffer;
}

/** A change of a folder's entries. */
export interface EntryChange {
  readonly kind: 'create' | 'rename' | 'unlink' | 'mkdir' | 'rmdir';
  readonly path: string;
  /** Where a rename leads to. */
  readonly to: string;
  /** Under which number that which was removed or replaced is kept; 0 when nothing was. */
  readonly grave: bigint;
}

/** What no sync has covered. */
export interface Unsynced {
  /** By inode, in the order of doing. */
  readonly data: ReadonlyMap<bigint, readonly DataChange[]>;
  readonly entries: readonly EntryChange[];
}

interface LogRecord {
  readonly kind: (typeof KINDS)[keyof typeof KINDS];
  readonly file: bigint;
  readonly number: bigint;
  readonly length: number;
  readonly size: number;
  readonly first: Buffer;
  readonly second: Buffer;
}

const MAGIC = 0x54554350;
const HEAD_BYTES = 48;

export function readUnsynced(logFile: string): Unsynced {
  const records = recordsOf(readFileSync(logFile));
  const covered = coverage(records);
  const data = new Map<bigint, DataChange[]>();
  const entries: EntryChange[] = [];
  for (const [at, record] of records.entries()) {
    const { kind, file, number, length, size, first, second } = record;
    switch (kind) {
      case 'write':
      case 'resize': {
        if (at < (covered.files.get(file) ?? 0)) break;
        const change = { kind, offset: Number(number), length, size, before: first };
        data.set(file, [...(data.get(file) ?? []), change]);
        break;
      }
      case 'create':
      case 'rename':
      case 'unlink':
      case 'mkdir':
      case 'rmdir': {
        const [path, to] = [first.toString(), second.toString()];
        const folder = dirname(kind === 'rename' ? to : path);
        if (at >= (covered.folders.get(folder) ?? 0)) entries.push({ kind, path, to, grave: number });
        break;
      }
      case 'sync-begin':
      case 'sync-end':
    }
  }
  return { data, entries };
}

/** Up to which record each file and folder is on the disk: where its latest finished sync had begun. */
function coverage(records: readonly LogRecord[]) {
  const begun = new Map<bigint, number>();
  const files = new Map<bigint, number>();
  const folders = new Map<string, number>();
  for (const [at, { kind, file, number, first }] of records.entries()) {
    if (kind === 'sync-begin') begun.set(number, at);
    if (kind !== 'sync-end') continue;
    const from = begun.get(number) ?? 0;
    files.set(file, Math.max(files.get(file) ?? 0, from));
    const path = first.toString();
    folders.set(path, Math.max(folders.get(path) ?? 0, from));
  }
  return { files, folders };
}

/** The last one may be cut off: what it was to tell of has not happened then. */
function recordsOf(bytes: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    if (bytes.readUInt32LE(at) !== MAGIC) throw new Error(`the log of the disk is broken at byte ${at}`);
    const kind = KINDS[bytes.readUInt32LE(at + 4) as keyof typeof KINDS];
    const firstBytes = bytes.readUInt32LE(at + 40);
    const secondBytes = bytes.readUInt32LE(at + 44);
    const first = at + HEAD_BYTES;
    const next = first + firstBytes + secondBytes;
    if (next > bytes.length) break;
    records.push({
      kind,
      file: bytes.readBigUInt64LE(at + 8),
      number: bytes.readBigUInt64LE(at + 16),
      length: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      first: bytes.subarray(first, first + firstBytes),
      second: bytes.subarray(first + firstBytes, next),
    });
    at = next;
  }
  return records;
}

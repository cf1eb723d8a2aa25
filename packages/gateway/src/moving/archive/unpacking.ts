/** Takes the files of an archive, and refuses what no folder of a session would hold: such an archive is of something else, or was made to do harm. */
import { AppError } from '../../errors.ts';
import type { HandedFiles } from '../format.ts';

/** Of all files together. A session with ten thousand contacts is some 50 MB. */
export const MOST_BYTES = 128 * 1024 * 1024;
/** Pre-keys, sessions, LID mappings: each contact has a handful of files. */
export const MOST_FILES = 200_000;
const LONGEST_PATH = 1024;
/** What programs keep beside a session, and can be large: messages of WAHA and of GOWA, marks of file managers. */
const BESIDE = [
  /(^|\/)store\.sqlite3/,
  /(^|\/)chatstorage\.db/,
  /(^|\/)\.DS_Store$/,
  /(^|\/)__MACOSX\//,
  /(^|\/)\._[^/]*$/,
];

/** Not an archive, or one that is damaged. */
export class ArchiveUnreadable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ArchiveUnreadable';
  }
}

export interface ArchivedFile {
  path: string;
  writtenAt: number | null;
  bytes: Uint8Array;
}

/** Throws ArchiveUnreadable, and IMPORT_TOO_LARGE. */
export class Unpacking {
  readonly #files = new Map<string, { bytes: Uint8Array; writtenAt: number | null }>();
  #bytes = 0;
  #seen = 0;

  /** Whether the file is worth to be unpacked; refuses it by its name and its announced size. */
  wants(path: string, size: number): boolean {
    this.#seen += 1;
    if (this.#seen > MOST_FILES) throw tooLarge(`it has more than ${MOST_FILES} files`);
    const refused = refusalOf(path);
    if (refused) this.refuse(path, refused);
    if (BESIDE.some((each) => each.test(path))) return false;
    if (this.#bytes + size > MOST_BYTES) throw tooLarge(`its files have more than ${MOST_BYTES} bytes`);
    return true;
  }

  /** One that is wanted. */
  file({ path, writtenAt, bytes }: ArchivedFile): void {
    this.#bytes += bytes.length;
    const plain = plainPath(path);
    if (this.#files.has(plain)) this.refuse(path, 'is there twice');
    this.#files.set(plain, { bytes, writtenAt });
  }

  refuse(path: string, why: string): never {
    throw new ArchiveUnreadable(`${JSON.stringify(path.slice(0, 100))} ${why}`);
  }

  done(): HandedFiles {
    const files = this.#files;
    return {
      paths: [...files.keys()].sort(),
      bytes: (path) => files.get(path)?.bytes,
      writtenAt: (path) => files.get(path)?.writtenAt ?? null,
    };
  }
}

function refusalOf(path: string): string | null {
  if (path.length > LONGEST_PATH) return 'has a name that is too long';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.includes('\\')) return 'has no relative path';
  if (path.includes('\0') || path.split('/').includes('..')) return 'leads out of the archive';
  return null;
}

function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

export function tooLarge(reason: string): AppError {
  return new AppError('IMPORT_TOO_LARGE', {
    message: `file is too large to be a session: ${reason}`,
    validation: [{ field: 'file', message: reason }],
  });
}

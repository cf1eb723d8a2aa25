/** Reads a zip archive that is in memory. Each entry is inflated up to the size it announces and no further. */
import { promisify } from 'node:util';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';
import { AppError } from '../../errors.ts';
import { ArchiveUnreadable, type Unpacking } from './unpacking.ts';

/** Windows PowerShell 5 writes `\\` between folders (Microsoft.PowerShell.Archive issue 71): the library takes it for `/`. */
const open = promisify((bytes: Buffer, done: (error: Error | null, zip?: ZipFile) => void) =>
  fromBuffer(bytes, { lazyEntries: true, autoClose: false, strictFileNames: false }, done),
);

/** How Unix keeps what an entry is, in the upper half of its attributes (zip APPNOTE 4.4.15). */
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;
const MADE_ON_UNIX = 3;
/** An entry's time in UTC; the one that every entry has is that of some time zone (APPNOTE 4.5, Info-ZIP "UT"). */
const UNIX_TIME = 0x5455;

export function isZip(bytes: Uint8Array): boolean {
  const signature = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  // An archive without entries begins with its end.
  return signature === 'PK\u0003\u0004' || signature === 'PK\u0005\u0006';
}

/** Hands each file to `unpacking`. Throws ArchiveUnreadable. */
export async function readZip(bytes: Uint8Array, unpacking: Unpacking): Promise<void> {
  try {
    const zip = await open(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    if (!zip) return;
    for await (const entry of entriesOf(zip)) await take(zip, entry, unpacking);
  } catch (error) {
    if (error instanceof ArchiveUnreadable || error instanceof AppError) throw error;
    // Names, offsets and sizes, as the library words them: nothing of what is in the files.
    throw new ArchiveUnreadable('the zip archive is damaged or holds what no archive of files does', error);
  }
}

async function take(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<void> {
  const path = entry.fileName;
  if (path.endsWith('/')) return;
  if (entry.isEncrypted()) return unpacking.refuse(path, 'is encrypted');
  const type =
    entry.versionMadeBy >> 8 === MADE_ON_UNIX ? (entry.externalFileAttributes >>> 16) & FILE_TYPE : 0;
  if (type === FOLDER) return;
  if (type !== 0 && type !== REGULAR) return unpacking.refuse(path, 'is a link or a device, and no file');
  if (!unpacking.wants(path, entry.uncompressedSize)) return;
  const writtenAt = entry.extraFields.some(({ id }) => id === UNIX_TIME)
    ? entry.getLastModDate().getTime()
    : null;
  unpacking.file({ path, writtenAt, bytes: await inflated(zip, entry) });
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | null>((resolve, reject) => {
      zip
        .once('entry', resolve)
        .once('end', () => resolve(null))
        .once('error', reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (entry === null) return;
    yield entry;
  }
}

/** The library ends with an error when more bytes come than the entry announces. */
async function inflated(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  const stream = await promisify((done: Parameters<ZipFile['openReadStream']>[1]) =>
    zip.openReadStream(entry, done),
  )();
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

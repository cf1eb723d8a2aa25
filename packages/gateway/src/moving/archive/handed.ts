/** What was handed in as one file: an archive, compressed or not, or the file of a session itself. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AppError } from '../../errors.ts';
import type { HandedFiles } from '../format.ts';
import { isTar, readTar } from './tar.ts';
import { ArchiveUnreadable, MOST_BYTES, tooLarge, Unpacking } from './unpacking.ts';
import { isZip, readZip } from './zip.ts';

/** Of the upload. Sessions compress to a third. */
export const MOST_UPLOADED_BYTES = 64 * 1024 * 1024;
/** Headers and padding of a tar archive beside the bytes of its files. */
const MOST_TAR_BYTES = MOST_BYTES * 2;

/** The path of a file that came alone. */
const SINGLE = 'file';

const inflate = promisify(gunzip);

/** Throws IMPORT_UNREADABLE, IMPORT_TOO_LARGE. */
export async function handedFiles(bytes: Uint8Array): Promise<HandedFiles> {
  try {
    return await unpacked(bytes);
  } catch (error) {
    if (!(error instanceof ArchiveUnreadable)) throw error;
    throw new AppError('IMPORT_UNREADABLE', {
      message: `file cannot be read: ${error.message}`,
      validation: [{ field: 'file', message: error.message }],
      cause: error,
    });
  }
}

async function unpacked(bytes: Uint8Array): Promise<HandedFiles> {
  const unpacking = new Unpacking();
  if (isZip(bytes)) await readZip(bytes, unpacking);
  else {
    const plain = isGzip(bytes) ? await gunzipped(bytes) : bytes;
    if (isTar(plain)) readTar(plain, unpacking);
    else if (unpacking.wants(SINGLE, plain.length)) {
      unpacking.file({ path: SINGLE, writtenAt: null, bytes: plain });
    }
  }
  return unpacking.done();
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function gunzipped(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: MOST_TAR_BYTES });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(`it unpacks to more than ${MOST_TAR_BYTES} bytes`);
    throw new ArchiveUnreadable('the gzip archive is damaged or ends too early', error);
  }
}

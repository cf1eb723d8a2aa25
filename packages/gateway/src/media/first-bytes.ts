/** What the first bytes say of a file. */
import { open } from 'node:fs/promises';
import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type';

/** Of the formats that `file-type` knows, those that are written in characters, beside everything of `text/`. */
const WRITTEN: ReadonlySet<string> = new Set([
  'application/pdf',
  'application/xml',
  'application/rtf',
  'application/postscript',
  'application/eps',
  'application/pgp-encrypted',
  'application/x-ms-regedit',
  'model/stl',
]);

/** Bytes of which a binary format has some that are no characters. */
const SAMPLE_BYTES = 4096;

/** The type of a file in memory; null when its bytes are of no known format. */
export async function typeOfBytes(bytes: Uint8Array): Promise<string | null> {
  const type = (await fileTypeFromBuffer(bytes))?.mime ?? null;
  return isDoubtful(type) && isText(bytes.subarray(0, SAMPLE_BYTES)) ? null : type;
}

/** The same of a file on the disk. */
export async function typeOfFile(path: string): Promise<string | null> {
  const type = (await fileTypeFromFile(path))?.mime ?? null;
  return isDoubtful(type) && isText(await beginningOf(path)) ? null : type;
}

/**
 * Some formats are known by two to four letters alone, with which texts begin as well: FORM (AIFF) "FORMULARIO…",
 * PARE (PAR2) "PARECER…", BM (BMP) "BMI;…", GIF, MZ, BZh.
 */
function isDoubtful(type: string | null): boolean {
  return type !== null && !type.startsWith('text/') && !WRITTEN.has(type);
}

/** In any encoding that leaves ASCII as it is. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x1b);
}

async function beginningOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

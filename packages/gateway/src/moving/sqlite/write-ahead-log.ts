/**
 * A database with what its write-ahead log has added, in memory (sqlite.org/fileformat2.html, "The Write-Ahead Log").
 * SQLite itself would need both as files in a folder of their own: a copy of somebody's keys on the disk.
 */

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const LITTLE_ENDIAN = 0x377f0682;
const BIG_ENDIAN = 0x377f0683;
const FORMAT = 3_007_000;
/** In the database's header: how it is written and read. 1 is without a log, 2 with one. */
const VERSIONS_AT = [18, 19];

/** A copy of the database as it would be without its log, and with what was committed in it. */
export function withLog(database: Uint8Array, log: Uint8Array | undefined): Buffer {
  const pages = log ? committedPages(Buffer.from(log.buffer, log.byteOffset, log.length)) : null;
  let merged: Buffer;
  // No more pages than are there: the number is the file's word.
  if (pages && pages.total * pages.size <= database.length + (log?.length ?? 0)) {
    merged = Buffer.alloc(pages.total * pages.size);
    merged.set(database.subarray(0, merged.length));
    for (const [number, page] of pages.byNumber) {
      if (number <= pages.total) merged.set(page, (number - 1) * pages.size);
    }
  } else merged = Buffer.from(database);
  for (const at of VERSIONS_AT) if (merged[at] === 2) merged[at] = 1;
  return merged;
}

interface CommittedPages {
  size: number;
  /** How many the database has after the last commit. */
  total: number;
  byNumber: Map<number, Uint8Array>;
}

/** What the log holds up to its last whole commit; null when nothing. What is behind a damaged frame never happened. */
function committedPages(log: Buffer): CommittedPages | null {
  const magic = log.length >= HEADER_BYTES ? log.readUInt32BE(0) : 0;
  if ((magic !== LITTLE_ENDIAN && magic !== BIG_ENDIAN) || log.readUInt32BE(4) !== FORMAT) return null;
  const size = log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  const sum = new RunningSum(magic === LITTLE_ENDIAN);
  sum.add(log.subarray(0, 24));
  if (!isPageSize(size) || !sum.is(log.subarray(24, 32))) return null;
  const byNumber = new Map<number, Uint8Array>();
  let since: [number, Uint8Array][] = [];
  let total = 0;
  const step = FRAME_HEADER_BYTES + size;
  for (let at = HEADER_BYTES; at + step <= log.length; at += step) {
    const header = log.subarray(at, at + FRAME_HEADER_BYTES);
    const page = log.subarray(at + FRAME_HEADER_BYTES, at + step);
    // A log that was begun anew still has the frames of the last time behind those of now.
    if (!header.subarray(8, 16).equals(salts)) break;
    sum.add(header.subarray(0, 8));
    sum.add(page);
    const number = header.readUInt32BE(0);
    if (!sum.is(header.subarray(16, 24)) || number === 0) break;
    since.push([number, page]);
    const after = header.readUInt32BE(4);
    if (after === 0) continue;
    for (const [each, content] of since) byNumber.set(each, content);
    since = [];
    total = after;
  }
  return total === 0 ? null : { size, total, byNumber };
}

function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65_536 && (size & (size - 1)) === 0;
}

/** The log's checksum, which goes on from frame to frame. */
class RunningSum {
  readonly #littleEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  /** @param bytes a multiple of 8 */
  add(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 8) {
      this.#first = (this.#first + view.getUint32(at, this.#littleEndian) + this.#second) >>> 0;
      this.#second = (this.#second + view.getUint32(at + 4, this.#littleEndian) + this.#first) >>> 0;
    }
  }

  is(stored: Buffer): boolean {
    return stored.readUInt32BE(0) === this.#first && stored.readUInt32BE(4) === this.#second;
  }
}

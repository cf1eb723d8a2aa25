/** The boxes that an MP4 is made of (ISO/IEC 14496-12 §4.2). What a file says of itself is bounded here. */
import { SoundProblem } from './libav.ts';

/** A file that is read where it is asked for. */
export interface Bytes {
  size: number;
  /** Fewer at the end of the file. */
  read(position: number, length: number): Uint8Array;
}

export interface Box {
  type: string;
  /** Of what is inside. */
  start: number;
  end: number;
  /** Bytes before it: 8 or 16. */
  header: number;
  size: number;
}

/** A recording of hours in parts of a second has some ten thousand. */
const MOST_BOXES = 200_000;
/** The largest table that is read at once: an index of days. */
const MOST_PAYLOAD = 32 * 1024 ** 2;

/** The boxes from `start` to `end`, one after the other; ends before one that does not fit. */
export function* boxes(file: Bytes, start: number, end: number): Generator<Box> {
  let at = start;
  for (let count = 0; at + 8 <= end; count += 1) {
    if (count === MOST_BOXES) throw damaged();
    const bytes = file.read(at, 16);
    if (bytes.length < 8) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const said = view.getUint32(0);
    if (said === 1 && bytes.length < 16) return;
    const header = said === 1 ? 16 : 8;
    const size = said === 1 ? Number(view.getBigUint64(8)) : said === 0 ? end - at : said;
    if (size < header) return;
    // A download that broke off has its last box cut.
    const stop = Math.min(at + size, end);
    const type = String.fromCharCode(...bytes.subarray(4, 8));
    yield { type, start: at + header, end: stop, header, size };
    at += size;
  }
}

type Path = [...string[], { optional: true }];

/** The first box of that way inwards. Throws SoundProblem, or gives null for what may be missing. */
export function find(file: Bytes, from: Box, ...path: string[]): Box;
export function find(file: Bytes, from: Box, ...path: Path): Box | null;
export function find(file: Bytes, from: Box, ...path: (string | { optional: true })[]): Box | null {
  let box: Box = from;
  for (const type of path) {
    if (typeof type !== 'string') break;
    const next = firstOf(file, box, type);
    if (!next) {
      if (typeof path.at(-1) !== 'string') return null;
      throw damaged();
    }
    box = next;
  }
  return box;
}

function firstOf(file: Bytes, { start, end }: Box, type: string): Box | null {
  for (const box of boxes(file, start, end)) if (box.type === type) return box;
  return null;
}

/** What is inside. Reading beyond its end throws RangeError, which is a damaged file's. */
export function payload(file: Bytes, { start, end }: Box): DataView {
  if (end - start > MOST_PAYLOAD) throw damaged();
  const bytes = file.read(start, end - start);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(): SoundProblem {
  return new SoundProblem('its index is damaged', { unsupported: false });
}

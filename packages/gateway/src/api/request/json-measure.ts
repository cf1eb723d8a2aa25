/** What a JSON text would cost to parse, found in one pass over its bytes. */
import { plainName } from '../../nearest-name.ts';

/** Levels of arrays and objects. What is documented nests five deep; a recursive reader overflows at thousands. */
export const DEEPEST_JSON = 64;
/** Bytes of a body, its files in base64 not counted. */
export const LARGEST_JSON_BYTES = 1024 * 1024;
/** Items of one list, members of one object. The longest documented list has 2048. */
export const MOST_JSON_ITEMS = 10_000;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** No member that takes a file has a longer name. */
const LONGEST_NAME_BYTES = 64;

/** A file in base64 from this length on is decoded by a thread. */
const LONG_FILE_BYTES = 64 * 1024;

export interface JsonMeasure {
  /** Nests deeper, or has more items in a row, than any reader here is to see. */
  excess: 'depth' | 'items' | 'bytes' | null;
  /** Texts that are long files in base64, without their quotes. */
  files: { member: string; start: number; end: number }[];
}

/**
 * `fileMembers` names the members whose texts are files, as `plainName` has them. Whether the bytes are valid JSON is
 * left to the parser; what is none is refused anyway.
 */
export function measureJson(bytes: Uint8Array, fileMembers: ReadonlySet<string>): JsonMeasure {
  let depth = 0;
  const items = new Uint32Array(DEEPEST_JSON + 1);
  const measured = (excess: JsonMeasure['excess']): JsonMeasure => ({ excess, files });
  const files: JsonMeasure['files'] = [];
  let fileBytes = 0;
  let text: readonly [number, number] = [0, 0];
  let member = '';
  for (let at = 0; at < bytes.length; at += 1) {
    if (at - fileBytes > LARGEST_JSON_BYTES) return measured('bytes');
    switch (bytes[at]) {
      case QUOTE: {
        const end = endOfText(bytes, at);
        if (end - at > LONG_FILE_BYTES && fileMembers.has(plainName(member))) {
          files.push({ member, start: at + 1, end });
          fileBytes += end - at;
        }
        text = [at + 1, end];
        at = end;
        break;
      }
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > DEEPEST_JSON) return measured('depth');
        items[depth] = 1;
        member = '';
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth = Math.max(depth - 1, 0);
        break;
      case 0x3a: // :
        member = nameAt(bytes, text);
        break;
      case 0x2c: // ,
        member = '';
        items[depth] = (items[depth] ?? 0) + 1;
        if ((items[depth] ?? 0) > MOST_JSON_ITEMS) return measured('items');
        break;
      default:
        break;
    }
  }
  return measured(bytes.length - fileBytes > LARGEST_JSON_BYTES ? 'bytes' : null);
}

function nameAt(bytes: Uint8Array, [start, end]: readonly [number, number]): string {
  if (end - start > LONGEST_NAME_BYTES) return '';
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** The place of the closing quote; the end of the bytes where there is none, and where no file is so full of quotes. */
function endOfText(bytes: Uint8Array, start: number): number {
  let from = start + 1;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, from);
    if (quote === -1) return bytes.length;
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    from = quote + 1;
    if (from - start > LARGEST_JSON_BYTES) return bytes.length;
  }
}

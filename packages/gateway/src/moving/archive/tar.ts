/**
 * Reads a tar archive that is in memory: ustar with the extensions that GNU tar, BSD tar and Node's packages write (pax
 * headers, GNU long names). Files alone; whatever is neither a file nor a folder is refused.
 */
import { ArchiveUnreadable, MOST_FILES, tooLarge, type Unpacking } from './unpacking.ts';

const BLOCK = 512;
/** Names, sizes and times of one file; longer than any path that a system takes. */
const MOST_EXTENSION_BYTES = 64 * 1024;

/** A file has up to two extensions before it. */
const MOST_HEADERS = 3 * MOST_FILES;

/** What an extension says of the file that follows it. */
interface Said {
  path?: string;
  size?: number;
  writtenAt?: number;
}

/** True for bytes that begin with a header of tar: its sum is right. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= BLOCK && sumFits(bytes.subarray(0, BLOCK));
}

/** Hands each file to `unpacking`. Throws ArchiveUnreadable. */
export function readTar(bytes: Uint8Array, unpacking: Unpacking): void {
  let said: Said = {};
  let headers = 0;
  for (let at = 0; at < bytes.length; ) {
    headers += 1;
    if (headers > MOST_HEADERS) throw tooLarge(`it has more than ${MOST_FILES} files`);
    const header = bytes.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw cutShort();
    if (header.every((byte) => byte === 0)) return;
    if (!sumFits(header)) throw new ArchiveUnreadable('a header of the tar archive is damaged');
    const kind = String.fromCharCode(header[156] ?? 0);
    const extension = kind === 'x' || kind === 'L' || kind === 'g' || kind === 'K';
    const size = (extension ? undefined : said.size) ?? numberAt(header, 124, 12);
    const begin = at + BLOCK;
    if (begin + size > bytes.length) throw cutShort();
    const content = bytes.subarray(begin, begin + size);
    at = begin + Math.ceil(size / BLOCK) * BLOCK;
    if (extension) {
      if (size > MOST_EXTENSION_BYTES) throw new ArchiveUnreadable('a name in the tar archive is too long');
      said = { ...said, ...saidBy(kind, content) };
      continue;
    }
    const path = said.path ?? pathOf(header);
    if (kind === '0' || kind === '\0' || kind === '7') {
      const writtenAt = said.writtenAt ?? numberAt(header, 136, 12) * 1000;
      if (unpacking.wants(path, size)) unpacking.file({ path, writtenAt, bytes: content });
    } else if (kind !== '5') unpacking.refuse(path, 'is a link or a device, and no file');
    said = {};
  }
  throw cutShort();
}

function cutShort(): ArchiveUnreadable {
  return new ArchiveUnreadable('the tar archive ends too early: was it uploaded as a whole?');
}

function saidBy(kind: string, content: Uint8Array): Said {
  if (kind === 'L') return { path: textAt(content, 0, content.length) };
  return kind === 'x' ? saidByPax(content) : {};
}

/** `<length> <name>=<value>\n`, one after the other (POSIX pax, "pax Header Block"). */
function saidByPax(content: Uint8Array): Said {
  const said: Said = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number(textAt(content, at, space - at));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > content.length) {
      throw new ArchiveUnreadable('an extended header of the tar archive is damaged');
    }
    const record = textAt(content, space + 1, length - (space - at) - 2);
    at += length;
    const sign = record.indexOf('=');
    const [name, value] = [record.slice(0, sign), record.slice(sign + 1)];
    if (name === 'path') said.path = value;
    if (name === 'size') said.size = sizeIn(value);
    if (name === 'mtime' && Number.isFinite(Number(value))) said.writtenAt = Number(value) * 1000;
  }
  return said;
}

function sizeIn(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ArchiveUnreadable('a size in the tar archive is no number');
}

function pathOf(header: Uint8Array): string {
  const name = textAt(header, 0, 100);
  const prefix = textAt(header, 257, 5) === 'ustar' ? textAt(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Up to the first zero byte. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

/** Octal digits, or bytes of a number after one with its highest bit set (GNU). */
function numberAt(header: Uint8Array, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if ((field[0] ?? 0) & 0x80) {
    const number = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    if (!Number.isSafeInteger(number)) throw new ArchiveUnreadable('a size in the tar archive is too large');
    return number;
  }
  const text = textAt(field, 0, length).trim();
  if (text === '') return 0;
  if (!/^[0-7]{1,12}$/.test(text)) throw new ArchiveUnreadable('a header of the tar archive is damaged');
  return Number.parseInt(text, 8);
}

/** The sum of the header's bytes, its own field counted as spaces. */
function sumFits(header: Uint8Array): boolean {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  const text = textAt(header, 148, 8).trim();
  return /^[0-7]{1,7}$/.test(text) && Number.parseInt(text, 8) === sum && sum > 8 * 0x20;
}

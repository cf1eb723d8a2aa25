/** HTTP details of serving a stranger's file: type, name, ranges, conditions. */
import type { ByteRange } from '../media/cache/cache.ts';

/** More than any registered type with its parameters; a sender may write a megabyte here. */
const LONGEST_TYPE = 256;

/**
 * The content type a file is served with: the sender's when it is of a kind that browsers only show or play,
 * `application/octet-stream` for everything else. SVG and every XML or HTML flavour can carry scripts, and a
 * sender must not be able to run one from our origin.
 */
export function servedType(mimeType: string): string {
  const [essence = '', ...parameters] = mimeType
    .slice(0, LONGEST_TYPE)
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (essence === 'application/pdf') return essence;
  if (!/^(?:image|video|audio)\/[a-z0-9][a-z0-9.+-]{0,63}$/.test(essence)) return 'application/octet-stream';
  if (/svg|xml|html|script/.test(essence)) return 'application/octet-stream';
  const codecs = parameters.find((part) => /^codecs="?[a-z0-9., -]{1,64}"?$/.test(part));
  return codecs ? `${essence}; ${codecs}` : essence;
}

/** Usual extensions; a name is only made up when the sender gave none. */
const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'application/pdf': 'pdf',
};
const MAX_NAME_LENGTH = 200;
/** We look at so many UTF-16 units of the beginning of a sender's file name, and of its end for the extension. */
const NAME_HEAD = 1000;
const NAME_TAIL = 200;
/** Controls, path separators, and the marks that make `gpj.exe` read as `exe.jpg`. */
const UNSAFE_IN_NAME = /[\p{Cc}\p{Cs}\\/:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** The sender's file name made safe, or one from kind and type. */
export function servedName(fileName: string | null, kind: string, mimeType: string): string {
  const cleaned = withoutEdges(headAndTail(fileName ?? '').replace(UNSAFE_IN_NAME, '_'));
  if (cleaned !== '') return shorten(cleaned);
  const extension = EXTENSIONS[mimeType.slice(0, LONGEST_TYPE).toLowerCase().split(';')[0]?.trim() ?? ''];
  return extension ? `${kind}.${extension}` : kind;
}

/** Without the blanks and dots at both ends. */
function withoutEdges(name: string): string {
  let [start, end] = [0, name.length];
  while (start < end && /[\s.]/.test(name.charAt(start))) start += 1;
  while (start < end && /[\s.]/.test(name.charAt(end - 1))) end -= 1;
  return name.slice(start, end);
}

/** Half of a surrogate pair that a cut leaves is replaced as unsafe. */
function headAndTail(name: string): string {
  return name.length <= NAME_HEAD + NAME_TAIL ? name : name.slice(0, NAME_HEAD) + name.slice(-NAME_TAIL);
}

/** Cuts a long name in the middle of its stem, so that the extension stays. */
function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= MAX_NAME_LENGTH) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? [...name.slice(dot)].slice(0, 20) : [];
  return [...characters.slice(0, MAX_NAME_LENGTH - extension.length), ...extension].join('');
}

/** RFC 6266: an ASCII name for old clients, and the real one as RFC 5987 `filename*`. */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_');
  const header = `attachment; filename="${ascii}"`;
  if (ascii === name) return header;
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${header}; filename*=UTF-8''${encoded}`;
}

/** Two positions of twenty digits and what stands around them. */
const LONGEST_RANGE = 100;

/**
 * Reads a `Range` header (RFC 9110 §14.2). Null: none, malformed, another unit or several ranges, which a
 * server may ignore; the whole file is the answer then.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  if (header === undefined || header.length > LONGEST_RANGE) return null;
  const match = /^bytes ?= ?(\d*) ?- ?(\d*)$/i.exec(header.trim());
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** Does an `If-None-Match` list name the tag? Weak comparison (RFC 9110 §13.1.2). */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}

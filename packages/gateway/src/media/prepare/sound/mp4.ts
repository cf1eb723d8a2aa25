/**
 * The AAC track of an MP4 (ISO/IEC 14496-12, 14496-14): where each of its frames lies. The index may be at the
 * beginning, at the end, or in pieces before each part (as MediaRecorder of Safari writes).
 */
import { type AacShape, aacShape } from './adts.ts';
import { SoundProblem } from './libav.ts';
import { type Box, type Bytes, boxes, find, payload } from './mp4-boxes.ts';

export interface AacTrack {
  shape: AacShape;
  /** Null when the index does not tell. */
  seconds: number | null;
  /** Samples (of the track's own time) before the first one that is heard: what the encoder needed to begin. */
  skip: { units: number; perSecond: number };
  frames: Iterable<{ position: number; size: number }>;
}

/** Larger ones would take more memory than an index of days of sound. */
const MOST_INDEX = 32 * 1024 ** 2;

/** Throws SoundProblem. */
export function aacTrack(file: Bytes): AacTrack {
  const top = [...boxes(file, 0, file.size)];
  const moov = top.find(({ type }) => type === 'moov');
  if (!moov) throw new SoundProblem('its index is missing', { unsupported: false });
  if (moov.size > MOST_INDEX) throw new SoundProblem('its index is too large', { unsupported: true });
  const tracks = [...boxes(file, moov.start, moov.end)].filter(({ type }) => type === 'trak');
  const track = tracks.find((each) => kindOf(file, each) === 'soun');
  if (!track) throw new SoundProblem('there is no sound in it', { unsupported: false });
  const header = payload(file, find(file, track, 'mdia', 'mdhd'));
  const long = header.getUint8(0) === 1;
  const perSecond = header.getUint32(long ? 20 : 12) || 1;
  const units = long ? Number(header.getBigUint64(24)) : header.getUint32(16);
  const shape = aacShape(audioConfig(file, find(file, track, 'mdia', 'minf', 'stbl', 'stsd')));
  const fragments = top.filter(({ type }) => type === 'moof');
  return {
    shape,
    seconds: units > 0 && fragments.length === 0 ? units / perSecond : null,
    skip: { units: editStart(file, track), perSecond },
    frames: within(file, places(file, track, fragments)),
  };
}

function kindOf(file: Bytes, track: Box): string {
  const view = payload(file, find(file, track, 'mdia', 'hdlr'));
  return String.fromCharCode(...[8, 9, 10, 11].map((at) => view.getUint8(at)));
}

function idOf(file: Bytes, track: Box): number {
  const view = payload(file, find(file, track, 'tkhd'));
  return view.getUint32(view.getUint8(0) === 1 ? 20 : 12);
}

/** The `media_time` of the first edit that plays something (§8.6.6). */
function editStart(file: Bytes, track: Box): number {
  const list = find(file, track, 'edts', 'elst', { optional: true });
  if (!list) return 0;
  const view = payload(file, list);
  const long = view.getUint8(0) === 1;
  const count = Math.min(view.getUint32(4), 4);
  for (let entry = 0; entry < count; entry += 1) {
    const at = 8 + entry * (long ? 20 : 12);
    const start = long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4);
    if (start >= 0) return start;
  }
  return 0;
}

/** Bytes of a sample entry before its boxes: §12.2.3, and QuickTime's versions 1 and 2. */
const ENTRY = [28, 44, 64] as const;
/** MPEG-4 AAC, and the three profiles of MPEG-2 (the MP4 registration authority's object types). */
const AAC_TYPES = [0x40, 0x66, 0x67, 0x68];

function audioConfig(file: Bytes, stsd: Box): Uint8Array {
  const [entry] = boxes(file, stsd.start + 8, stsd.end);
  if (entry?.type !== 'mp4a') {
    throw new SoundProblem(`there is no decoder for ${entry?.type ?? 'it'}`, { unsupported: true });
  }
  const version = payload(file, entry).getUint16(8);
  const inside = { ...entry, start: entry.start + (ENTRY[version] ?? ENTRY[0]) };
  const wave = find(file, inside, 'wave', { optional: true });
  const esds = find(file, wave ?? inside, 'esds');
  return decoderConfig(file.read(esds.start + 4, esds.end - esds.start - 4));
}

/** ISO/IEC 14496-1 §7.2.6: descriptors in descriptors, each a tag, a length in up to four bytes, a body. */
function decoderConfig(bytes: Uint8Array): Uint8Array {
  let at = 0;
  const enter = (): { tag: number; length: number } => {
    const tag = bytes[at++] ?? 0;
    let length = 0;
    for (let more = true, count = 0; more && count < 4; count += 1) {
      const byte = bytes[at++] ?? 0;
      length = (length << 7) | (byte & 0x7f);
      more = byte >= 0x80;
    }
    return { tag, length };
  };
  if (enter().tag === 3) {
    const flags = bytes[at + 2] ?? 0;
    at += 3 + (flags & 0x80 ? 2 : 0) + (flags & 0x20 ? 2 : 0);
    if (flags & 0x40) at += 1 + (bytes[at] ?? 0);
  }
  const config = enter();
  const type = bytes[at] ?? 0;
  if (config.tag === 4 && !AAC_TYPES.includes(type)) {
    throw new SoundProblem(`there is no decoder for object type ${type}`, { unsupported: true });
  }
  at += 13;
  const { tag, length } = enter();
  if (tag === 5 && length > 0) return bytes.subarray(at, at + length);
  throw new SoundProblem('it does not say how it is coded', { unsupported: false });
}

interface Place {
  position: number;
  size: number;
}

/** One after the other and never as a list: an index of a few bytes may claim billions. */
function* places(file: Bytes, track: Box, fragments: readonly Box[]): Generator<Place> {
  yield* indexed(file, track);
  yield* fragmented(file, fragments, idOf(file, track));
}

/** Places by the index at one place (§8.7). */
function* indexed(file: Bytes, track: Box): Generator<Place> {
  const table = find(file, track, 'mdia', 'minf', 'stbl');
  const sizes = payload(file, find(file, table, 'stsz'));
  const runs = payload(file, find(file, table, 'stsc'));
  const short = find(file, table, 'stco', { optional: true });
  const offsets = payload(file, short ?? find(file, table, 'co64'));
  const common = sizes.getUint32(4);
  const count = sizes.getUint32(8);
  const chunks = offsets.getUint32(4);
  const runCount = runs.getUint32(4);
  let frame = 0;
  for (let run = 0; run < runCount; run += 1) {
    const first = runs.getUint32(8 + run * 12) - 1;
    const perChunk = runs.getUint32(12 + run * 12);
    const next = run + 1 < runCount ? runs.getUint32(8 + (run + 1) * 12) - 1 : chunks;
    for (let chunk = first; chunk < Math.min(next, chunks); chunk += 1) {
      let position = short ? offsets.getUint32(8 + chunk * 4) : Number(offsets.getBigUint64(8 + chunk * 8));
      for (let each = 0; each < perChunk && frame < count && position < file.size; each += 1, frame += 1) {
        const size = common || sizes.getUint32(12 + frame * 4);
        yield { position, size };
        position += size;
      }
    }
  }
}

/** Places by an index before each part (§8.8). */
function* fragmented(file: Bytes, fragments: readonly Box[], trackId: number): Generator<Place> {
  for (const moof of fragments) {
    for (const traf of boxes(file, moof.start, moof.end)) {
      if (traf.type !== 'traf') continue;
      const header = payload(file, find(file, traf, 'tfhd'));
      if (header.getUint32(4) !== trackId) continue;
      const flags = header.getUint32(0);
      let at = 8;
      const base = flags & 1 ? Number(header.getBigUint64(at)) : moof.start - moof.header;
      at += (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0) + (flags & 8 ? 4 : 0);
      const common = flags & 0x10 ? header.getUint32(at) : 0;
      for (const trun of boxes(file, traf.start, traf.end)) {
        if (trun.type === 'trun') yield* run(payload(file, trun), { base, common, end: file.size });
      }
    }
  }
}

function* run(
  view: DataView,
  { base, common, end }: { base: number; common: number; end: number },
): Generator<Place> {
  const flags = view.getUint32(0);
  const count = view.getUint32(4);
  let at = 8;
  let position = base + (flags & 1 ? view.getInt32(at) : 0);
  at += (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  const step = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
  const sizeAt = flags & 0x100 ? 4 : 0;
  const each = (flags & 0x200) !== 0;
  if (!each && common === 0) return;
  for (let frame = 0; frame < count && position < end; frame += 1, at += step) {
    const size = each ? view.getUint32(at + sizeAt) : common;
    yield { position, size };
    position += size;
  }
}

/** Those that are in the file; what an index says beyond its end was never there. */
function* within(file: Bytes, places: Iterable<Place>): Generator<Place> {
  for (const place of places) {
    if (place.size > 0 && place.position >= 0 && place.position + place.size <= file.size) yield place;
  }
}

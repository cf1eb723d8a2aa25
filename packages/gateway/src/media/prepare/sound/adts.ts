/** AAC as a stream of frames that describe themselves (ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 §1.A.3.2). */
import { SoundProblem } from './libav.ts';

const RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
const HEADER = 7;
/** 13 bits. */
const LONGEST_FRAME = 0x1fff;
/** Object types of ISO/IEC 14496-3 table 1.17: SBR and PS wrap another, which decodes alone. */
const WRAPPERS = [5, 29];
/** Main, LC, SSR, LTP: what the two bits of the header can say. */
const MOST_TYPE = 4;

export interface AacShape {
  objectType: number;
  rateIndex: number;
  channelConfiguration: number;
}

/** True when the file begins with a frame's header. */
export function isAdts(head: Uint8Array): boolean {
  return head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0;
}

/** What an MP4's AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) says. Throws SoundProblem. */
export function aacShape(config: Uint8Array): AacShape {
  let at = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (const end = at + count; at < end; at += 1) {
      value = value * 2 + (((config[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
  const type = (): number => {
    const short = bits(5);
    return short === 31 ? 32 + bits(6) : short;
  };
  const rate = (): number => {
    const index = bits(4);
    return index === 15 ? RATES.indexOf(bits(24)) : index;
  };
  let objectType = type();
  const rateIndex = rate();
  const channelConfiguration = bits(4);
  if (WRAPPERS.includes(objectType)) {
    rate();
    objectType = type();
  }
  const known = RATES[rateIndex] !== undefined && channelConfiguration > 0 && channelConfiguration < 8;
  if (objectType === 0 || objectType > MOST_TYPE || !known) {
    throw new SoundProblem('it is a kind of AAC that has no decoder here', { unsupported: true });
  }
  return { objectType, rateIndex, channelConfiguration };
}

/** Samples per second as the header says; those of SBR are twice as many. */
export function rateOf(shape: AacShape): number {
  return RATES[shape.rateIndex] ?? 0;
}

/** One frame of an MP4 with the header that it lacks. Throws SoundProblem when it is too long for one. */
export function withHeader(frame: Uint8Array, shape: AacShape): Uint8Array {
  const length = frame.length + HEADER;
  if (length > LONGEST_FRAME) throw new SoundProblem('a frame is too long', { unsupported: false });
  const { objectType, rateIndex, channelConfiguration } = shape;
  const whole = new Uint8Array(length);
  whole.set([
    0xff,
    // MPEG-4, no checksum.
    0xf1,
    ((objectType - 1) << 6) | (rateIndex << 2) | (channelConfiguration >> 2),
    ((channelConfiguration & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ]);
  whole.set(frame, HEADER);
  return whole;
}

/** The frames of a file that is read by `read`; what is between them is passed over. */
export function* adtsFrames(read: (position: number, length: number) => Uint8Array): Generator<Uint8Array> {
  let position = 0;
  let block = new Uint8Array(0);
  let at = 0;
  for (;;) {
    if (block.length - at < LONGEST_FRAME + HEADER) {
      position += at;
      at = 0;
      block = Uint8Array.from(read(position, BLOCK));
    }
    if (block.length - at < HEADER) return;
    const rest = block.subarray(at);
    const length = isAdts(rest) ? frameLength(rest) : 0;
    if (length < HEADER) at += 1;
    else {
      if (length > rest.length) return;
      yield rest.slice(0, length);
      at += length;
    }
  }
}

const BLOCK = 256 * 1024;

function frameLength(header: Uint8Array): number {
  const [, , , third = 0, fourth = 0, fifth = 0] = header;
  return ((third & 3) << 11) | (fourth << 3) | (fifth >> 5);
}

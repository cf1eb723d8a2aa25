/**
 * AAC, alone or in an MP4, by `audio-file-decoder` (FFmpeg's decoder as WebAssembly). That decodes a file as a
 * whole, into memory; here it gets a part of some seconds at a time.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { adtsFrames, isAdts, rateOf, withHeader } from './adts.ts';
import { type LibAV, type PcmFrame, SoundProblem, type SoundSource } from './libav.ts';
import { aacTrack } from './mp4.ts';
import type { Bytes } from './mp4-boxes.ts';
import { channelLayout } from './resample.ts';

/** About 20 s: some 8 MB of samples. */
const FRAMES_PER_PART = 1024;
/** Frames overlap, and SBR looks back: the first ones of a part are decoded for those after them alone. */
const FRAMES_BEFORE = 5;
/** Samples; with SBR twice as many. */
const FRAME = 1024;

/** Throws SoundProblem. */
export function aacSource(libav: LibAV, path: string): SoundSource {
  const file = openSync(path, 'r');
  const close = (): void => closeSync(file);
  try {
    const { size } = fstatSync(file);
    const bytes: Bytes = {
      size,
      read: (position, length) => {
        const block = new Uint8Array(Math.max(0, Math.min(length, size - position)));
        return block.subarray(0, block.length > 0 ? readSync(file, block, 0, block.length, position) : 0);
      },
    };
    const { seconds, skip, frames } = isAdts(bytes.read(0, 2)) ? ofStream(bytes) : ofTrack(bytes);
    return { seconds, frames: () => decoded(libav, frames, skip), close };
  } catch (error) {
    close();
    // The index said to look where nothing is.
    if (error instanceof RangeError) throw new SoundProblem('its index is damaged', { unsupported: false });
    throw error;
  }
}

interface Coded {
  seconds: number | null;
  /** Seconds at the beginning that are not heard. */
  skip: number;
  frames: Iterable<Uint8Array>;
}

function ofStream(bytes: Bytes): Coded {
  return { seconds: null, skip: 0, frames: adtsFrames((position, length) => bytes.read(position, length)) };
}

function ofTrack(bytes: Bytes): Coded {
  const track = aacTrack(bytes);
  const { units, perSecond } = track.skip;
  // A longer one is no start of an encoder but a cut, which would need the rest of the edit list.
  const skip = units / perSecond < MOST_START_FRAMES * (FRAME / rateOf(track.shape)) ? units / perSecond : 0;
  return { seconds: track.seconds, skip, frames: framesOf(bytes, track) };
}

const MOST_START_FRAMES = 8;

function* framesOf(bytes: Bytes, { frames, shape }: ReturnType<typeof aacTrack>): Generator<Uint8Array> {
  for (const { position, size } of frames) yield withHeader(bytes.read(position, size), shape);
}

async function* decoded(
  libav: LibAV,
  frames: Iterable<Uint8Array>,
  skip: number,
): AsyncGenerator<PcmFrame[]> {
  const decode = await partDecoder();
  let before: Uint8Array[] = [];
  let skipped = 0;
  for (const part of parts(frames)) {
    // The first one is lost: it is taken to look what the file is.
    const coded = before.length > 0 ? [...before, ...part] : [...part.slice(0, 1), ...part];
    const { samples, rate, channels } = await decode(Buffer.concat(coded));
    const perFrame = Math.round(samples.length / channels / (coded.length - 1) / FRAME) * FRAME * channels;
    let heard = samples.subarray(Math.max(0, samples.length - part.length * perFrame));
    if (skipped === 0 && skip > 0) {
      skipped = Math.min(heard.length, Math.round(skip * rate) * channels);
      heard = heard.subarray(skipped);
    }
    before = part.slice(-FRAMES_BEFORE);
    yield [
      {
        data: heard,
        format: libav.AV_SAMPLE_FMT_FLT,
        sample_rate: rate,
        channels,
        channel_layout: channelLayout(channels),
        nb_samples: heard.length / channels,
        pts: 0,
        ptshi: 0,
      },
    ];
  }
}

function* parts(frames: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let part: Uint8Array[] = [];
  for (const frame of frames) {
    part.push(frame);
    if (part.length < FRAMES_PER_PART) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

type Package = typeof import('audio-file-decoder');
/** Decodes one part. Throws SoundProblem. */
type Decode = (part: Buffer) => Promise<{ samples: Float32Array; rate: number; channels: number }>;

/**
 * One instance for all parts of a file. The package makes one for each call, and those of ten minutes lie about
 * until they are collected: 0.9 GB.
 */
async function partDecoder(): Promise<Decode> {
  const { code, wasm } = await loaded();
  let instance: unknown = null;
  const opened = async (data: ArrayBuffer): Promise<InstanceType<Package['AudioDecoder']>> => {
    if (instance) return new code.AudioDecoder(instance, data);
    const decoder = await code.getAudioDecoder(wasm, data);
    // The only way to it.
    instance = Reflect.get(decoder, '_module');
    return decoder;
  };
  return async (part) => {
    try {
      const decoder = await opened(new Uint8Array(part).buffer);
      try {
        const samples = decoder.decodeAudioData(0, -1, { multiChannel: true });
        return { samples, rate: decoder.sampleRate, channels: decoder.channelCount };
      } finally {
        decoder.dispose();
      }
    } catch (cause) {
      // It throws texts.
      const reason = String(cause).slice(0, 200);
      throw new SoundProblem(`it cannot be decoded (${reason})`, { unsupported: false });
    }
  };
}

async function loaded(): Promise<{ code: Package; wasm: string }> {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('audio-file-decoder'));
  // Compiled for Node and browsers at once: it takes its file by `fetch` where that exists, and asks for these
  // two of CommonJS from an ES module, which has none. This thread does nothing else.
  Object.assign(globalThis, { require, __dirname: folder, fetch: undefined });
  return { code: await import('audio-file-decoder'), wasm: join(folder, '..', 'decode-audio.wasm') };
}

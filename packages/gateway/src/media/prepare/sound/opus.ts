/** Samples to an Ogg/Opus file, by libopus and FFmpeg's muxer. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { type LibAV, type Packet, SoundProblem } from './libav.ts';
import { channelLayout, type Wanted } from './resample.ts';

export interface OpusSettings extends Wanted {
  /** Per second. */
  bits: number;
  application: 'voip' | 'audio';
}

/** Phones' own voice notes are wideband, mono, in frames of 20 ms; FFmpeg's path has the same figures. */
export const VOICE: OpusSettings = { rate: 16_000, channels: 1, bits: 24_000, application: 'voip' };
export const MUSIC: OpusSettings = { rate: 48_000, channels: 2, bits: 96_000, application: 'audio' };

const FRAMES_PER_SECOND = 50;
/** How many are encoded at a time. */
const BATCH = 100;

export interface OpusFile {
  write(samples: Int16Array): Promise<void>;
  /** Seconds that were written. */
  end(): Promise<number>;
  close(): void;
}

/** Starts the file `path`. Its `write` throws SoundProblem once it has grown beyond `maxBytes`. */
export async function opusFile(
  libav: LibAV,
  { path, maxBytes, settings }: { path: string; maxBytes: number; settings: OpusSettings },
): Promise<OpusFile> {
  const { rate, channels, bits, application } = settings;
  const shape = {
    sample_rate: rate,
    sample_fmt: libav.AV_SAMPLE_FMT_S16,
    channel_layout: channelLayout(channels),
  };
  const [, context, frame, packet] = await libav.ff_init_encoder('libopus', {
    ctx: { ...shape, bit_rate: bits, channels },
    time_base: [1, rate],
    options: { application, frame_duration: String(1000 / FRAMES_PER_SECOND) },
  });
  const file = openSync(path, 'wx', 0o600);
  let largest = 0;
  libav.onwrite = (_name, position, data) => {
    writeSync(file, data, 0, data.length, position);
    largest = Math.max(largest, position + data.length);
  };
  const muxer = { format_name: 'ogg', filename: 'out.ogg', open: true, device: true };
  const [format] = await libav.ff_init_muxer(muxer, [[context, 1, rate]]);
  await libav.avformat_write_header(format, 0);
  const written = async (packets: Packet[]): Promise<void> => {
    await libav.ff_write_multi(format, packet, packets);
    // It ends there, without an error, as FFmpeg's `-fs` does: who asked looks at the size.
    if (largest >= maxBytes) throw new SoundProblem('it is too large once converted', { unsupported: false });
  };
  const pieces = new Pieces((rate / FRAMES_PER_SECOND) * channels);
  let pts = 0;
  const encode = async (chunks: Int16Array[], fin: boolean): Promise<void> => {
    const frames = chunks.map((data) => {
      const nb_samples = data.length / channels;
      const made = { data, format: shape.sample_fmt, ...shape, channels, nb_samples, pts, ptshi: 0 };
      pts += nb_samples;
      return made;
    });
    await written(await libav.ff_encode_multi(context, frame, packet, frames, fin));
  };
  return {
    write: async (samples) => {
      pieces.add(samples);
      if (pieces.ready() >= BATCH) await encode(pieces.take(), false);
    },
    end: async () => {
      await encode([...pieces.take(), ...pieces.rest()], true);
      await libav.av_write_trailer(format);
      return pts / rate;
    },
    close: () => closeSync(file),
  };
}

/** Samples cut into pieces of one length. */
class Pieces {
  readonly #length: number;
  #whole: Int16Array[] = [];
  #begun: Int16Array;
  #filled = 0;

  constructor(length: number) {
    this.#length = length;
    this.#begun = new Int16Array(length);
  }

  add(samples: Int16Array): void {
    for (let at = 0; at < samples.length; ) {
      const part = samples.subarray(at, at + this.#length - this.#filled);
      this.#begun.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#length) continue;
      this.#whole.push(this.#begun);
      this.#begun = new Int16Array(this.#length);
      this.#filled = 0;
    }
  }

  ready(): number {
    return this.#whole.length;
  }

  take(): Int16Array[] {
    const whole = this.#whole;
    this.#whole = [];
    return whole;
  }

  /** What fills no piece. */
  rest(): Int16Array[] {
    return this.#filled > 0 ? [this.#begun.slice(0, this.#filled)] : [];
  }
}

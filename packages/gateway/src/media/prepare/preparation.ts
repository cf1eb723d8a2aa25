/**
 * Files made fit for WhatsApp: sound to Opus, videos to MP4, and what is measured of them. The system's ffmpeg does
 * it; where there is none, `sounds.ts` does what concerns sound.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { Work } from '../../quotas/fair-slots.ts';
import type { Scratch } from '../../storage/scratch.ts';
import type { OpenedSource } from '../outgoing/fetch-source.ts';
import { type FileFacts, probe } from './facts.ts';
import { ConversionFailed, type Ffmpeg, type FfmpegRuns } from './ffmpeg.ts';
import type { SoundResult, SoundTask } from './sound-tasks.ts';
import { type Sounds, SoundUnsupported } from './sounds.ts';
import { waveform } from './waveform.ts';

export type { FileFacts } from './facts.ts';

export interface PreparationParts {
  ffmpeg: Ffmpeg;
  sounds: Sounds;
  scratch: Scratch;
  /** Bytes: what a conversion may make. */
  maxBytes: number;
  work: Work;
}

interface Target {
  name: string;
  mimeType: string;
  args: string[];
}

/** What `sounds.ts` has decoders for, by the first bytes. What has none of the types is tried as well. */
const READ_HERE = [
  ...['audio/mpeg', 'audio/aac', 'audio/mp4', 'audio/x-m4a', 'video/mp4', 'video/quicktime', 'video/3gpp'],
  ...['audio/ogg', 'video/ogg', 'application/ogg', 'audio/webm', 'video/webm', 'video/matroska'],
  ...['audio/wav', 'audio/flac', 'audio/x-flac'],
];

/**
 * Voice notes of official clients are mono, 16 kHz into the encoder, 16–32 kbit/s; at 48 kHz some phones refuse them
 * (seen by users of others: Baileys pull request 2648, openclaw issue 144502, quepasa issue 4). Music gets more.
 */
const OPUS = (voice: boolean): Target => ({
  name: 'out.ogg',
  mimeType: 'audio/ogg',
  args: [
    ...['-map', '0:a:0', '-vn', '-map_metadata', '-1', '-c:a', 'libopus'],
    ...(voice
      ? ['-ar', '16000', '-ac', '1', '-b:a', '24k', '-application', 'voip']
      : ['-ar', '48000', '-ac', '2', '-b:a', '96k']),
    ...['-f', 'ogg'],
  ],
});

/** Longer side of a converted video, in pixels: what official clients send as "HD". */
const LONGEST_SIDE = 1280;
const SCALE = `scale=w='min(${LONGEST_SIDE},iw)':h='min(${LONGEST_SIDE},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2`;
const MP4_STREAMS = [
  '-map',
  '0:v:0',
  '-map',
  '0:a:0?',
  '-map_metadata',
  '-1',
  '-movflags',
  '+faststart',
  '-f',
  'mp4',
];
const MP4: Target = {
  name: 'out.mp4',
  mimeType: 'video/mp4',
  args: [
    ...['-vf', SCALE, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '26', '-pix_fmt', 'yuv420p'],
    ...['-c:a', 'aac', '-b:a', '96k', '-ac', '2', ...MP4_STREAMS],
  ],
};
/** What the phones play already needs another container alone. */
const MP4_COPY: Target = { ...MP4, args: ['-c', 'copy', ...MP4_STREAMS] };

export class MediaPreparation {
  readonly #ffmpeg: FfmpegRuns;
  readonly #sounds: Sounds;
  readonly #scratch: Scratch;
  readonly #maxBytes: number;
  readonly #work: Work;

  constructor({ ffmpeg, sounds, scratch, maxBytes, work }: PreparationParts) {
    this.#ffmpeg = ffmpeg.for(work);
    this.#sounds = sounds;
    this.#scratch = scratch;
    this.#maxBytes = maxBytes;
    this.#work = work;
  }

  /** What can be measured; null without ffmpeg, and for what it cannot read. */
  async facts(file: OpenedSource, signal?: AbortSignal): Promise<FileFacts | null> {
    if (!(await this.#ffmpeg.available())) return null;
    return this.#courtesy(file, (path) => probe(this.#ffmpeg, path, signal));
  }

  /** How long sound plays, with or without ffmpeg; null for what cannot be read, and where there is no sound. */
  async sound(file: OpenedSource, signal?: AbortSignal): Promise<{ seconds: number | null } | null> {
    if (!(await this.#ffmpeg.available())) {
      return this.#courtesy(file, (path) => this.#ask(file, { kind: 'facts', path }, signal));
    }
    const facts = await this.facts(file, signal);
    return facts?.audio ? { seconds: facts.seconds } : null;
  }

  /** 64 bars of 0–100; null for what cannot be read. */
  async waveform(file: OpenedSource, signal?: AbortSignal): Promise<Uint8Array | null> {
    if (await this.#ffmpeg.available()) {
      return this.#courtesy(file, (path) => waveform(this.#ffmpeg, path, signal));
    }
    const { longestSeconds } = this.#ffmpeg;
    const measured = await this.#courtesy(file, (path) =>
      this.#ask(file, { kind: 'waveform', path, longestSeconds }, signal),
    );
    return measured?.bars ?? null;
  }

  /** A picture out of a video, as JPEG; null without ffmpeg, and for what it cannot read. */
  async frame(file: OpenedSource, seconds: number | null, signal?: AbortSignal): Promise<Uint8Array | null> {
    // The very first picture is often black.
    const at = Math.min(1, (seconds ?? 0) / 2);
    if (!(await this.#ffmpeg.available())) return null;
    return this.#courtesy(file, async (path, folder) => {
      const out = join(folder, 'frame.jpg');
      const one = [
        '-frames:v',
        '1',
        '-vf',
        'scale=w=320:h=320:force_original_aspect_ratio=decrease',
        '-f',
        'mjpeg',
      ];
      await this.#ffmpeg.ffmpeg(
        [...this.#ffmpeg.guard, '-ss', String(at), '-i', `file:${path}`, ...one, out],
        { signal },
      );
      return readFile(out);
    });
  }

  /**
   * Ogg/Opus, for voice notes mono. Throws INVALID_MEDIA, or CONVERSION_UNAVAILABLE for what only ffmpeg reads
   * where there is none; dispose of the result.
   */
  async toOpus(
    file: OpenedSource,
    options: { voice: boolean; field: string; signal?: AbortSignal | undefined },
  ): Promise<OpenedSource> {
    const { voice, field, signal } = options;
    const target = OPUS(voice);
    if (await this.#ffmpeg.available()) return this.#convert(file, target, options);
    const { longestSeconds } = this.#ffmpeg;
    return this.#made(file, target, field, async (path, out) => {
      this.#assertShort((await this.#ask(file, { kind: 'facts', path }, signal)).seconds, field);
      const limits = { maxBytes: this.#maxBytes, longestSeconds };
      await this.#ask(file, { kind: 'opus', path, out, voice, ...limits }, signal);
    });
  }

  /**
   * MP4 with H.264 and AAC, at most 1280 pixels long; streams that are so already are copied. Throws
   * CONVERSION_UNAVAILABLE or INVALID_MEDIA; dispose of the result.
   */
  toMp4(
    file: OpenedSource,
    facts: FileFacts | null,
    options: { field: string; signal?: AbortSignal | undefined },
  ): Promise<OpenedSource> {
    return this.#convert(file, playsEverywhere(facts) ? MP4_COPY : MP4, options);
  }

  async #convert(
    file: OpenedSource,
    target: Target,
    { field, signal }: { field: string; signal?: AbortSignal | undefined },
  ): Promise<OpenedSource> {
    await this.#ffmpeg.demand(`converting ${field}`);
    return this.#made(file, target, field, async (input, out) => {
      this.#assertShort((await probe(this.#ffmpeg, input, signal)).seconds, field);
      const limit = ['-fs', String(this.#maxBytes)];
      const read = [...this.#ffmpeg.guard, '-i', `file:${input}`];
      await this.#ffmpeg.ffmpeg([...read, ...target.args, ...limit, out], { signal });
    });
  }

  /** Throws SoundUnsupported and what `Sounds.run` throws. */
  #ask({ detectedType }: OpenedSource, task: SoundTask, signal?: AbortSignal): Promise<SoundResult> {
    const type = detectedType?.split(';')[0] ?? null;
    if (type && !READ_HERE.includes(type)) throw new SoundUnsupported(`it is ${type}`);
    return this.#sounds.run(task, { ...this.#work, signal: signal ?? this.#work.signal });
  }

  async #made(
    file: OpenedSource,
    { name, mimeType }: Target,
    field: string,
    make: (input: string, out: string) => Promise<void>,
  ): Promise<OpenedSource> {
    const { path: folder, dispose } = await this.#scratch.folder();
    try {
      const out = join(folder, name);
      await make(await pathOf(file, folder), out);
      const { size } = await stat(out);
      if (size === 0) throw new ConversionFailed('nothing came out');
      // `-fs` ends the file there without an error.
      if (size >= this.#maxBytes) {
        throw new AppError('PAYLOAD_TOO_LARGE', {
          message: `${field} is larger than ${this.#maxBytes} bytes once converted`,
        });
      }
      return {
        content: { path: out },
        size,
        declaredType: mimeType,
        detectedType: mimeType,
        downloadMs: file.downloadMs,
        dispose,
      };
    } catch (error) {
      await dispose();
      if (error instanceof ConversionFailed) throw unreadable(field, error);
      if (error instanceof SoundUnsupported) await this.#ffmpeg.demand(`converting ${field}`);
      throw error;
    }
  }

  /** For what a message is better with and can be sent without. */
  async #courtesy<T>(
    file: OpenedSource,
    work: (path: string, folder: string) => Promise<T>,
  ): Promise<T | null> {
    try {
      return await this.#scratch.during(async (folder) => work(await pathOf(file, folder), folder));
    } catch (error) {
      if (error instanceof ConversionFailed || error instanceof SoundUnsupported) return null;
      throw error;
    }
  }

  /** Hours of silence are a small file and hold a slot as long as hours of music. */
  #assertShort(seconds: number | null, field: string): void {
    const { longestSeconds } = this.#ffmpeg;
    if (seconds === null || seconds <= longestSeconds) return;
    const problem = `is longer than ${longestSeconds} seconds`;
    throw new AppError('INVALID_MEDIA', {
      message: `${field} ${problem}`,
      validation: [{ field, message: problem }],
    });
  }
}

/** True for H.264 in the pixel format of phones, with AAC or without sound. */
export function playsEverywhere(facts: FileFacts | null): boolean {
  const { video, audio } = facts ?? { video: null, audio: null };
  return video?.codec === 'h264' && video.pixelFormat === 'yuv420p' && (!audio || audio.codec === 'aac');
}

async function pathOf(file: OpenedSource, folder: string): Promise<string> {
  if ('path' in file.content) return file.content.path;
  const path = join(folder, 'in');
  await writeFile(path, file.content.bytes, { mode: 0o600 });
  return path;
}

function unreadable(field: string, cause: Error): AppError {
  const problem = `cannot be converted: ${cause.message}`;
  return new AppError('INVALID_MEDIA', {
    message: `${field} ${problem}`,
    validation: [{ field, message: problem }],
    cause,
  });
}

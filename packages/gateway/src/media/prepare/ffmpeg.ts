/**
 * The system's ffmpeg and ffprobe as child processes: a few at a time, bounded in time and output, and with
 * as little of them as converting one file takes.
 */

import { dirname, join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import type { FfmpegConfig } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { Work } from '../../quotas/fair-slots.ts';
import { HelperFailed, ProcessPool } from './process-pool.ts';

export interface FfmpegTask {
  program: string;
  args: string[];
  /** True: the output is sent back, in chunks. */
  output: boolean;
}

export interface FfmpegReply {
  /** Null: it could not be started, or was killed. */
  code: number | null;
}

export interface Run {
  signal?: AbortSignal | undefined;
  /** Takes the output; without it the output is dropped. */
  onOutput?: (chunk: Uint8Array) => void;
}

/**
 * Formats that are read. A playlist (HLS, DASH, concat) is none of them: it could name other files of this
 * machine or addresses of its network, and ffmpeg would read those.
 */
const FORMATS = [
  'aac,aiff,amr,amrnb,amrwb,asf,avi,caf,flac,flv,gif,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2',
  'mp3,mpeg,mpegts,ogg,opus,wav',
].join(',');

/** Before each input: what may be opened, and by which demuxer. */
export const GUARD = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', FORMATS];

/** Runs on behalf of one tenant. They throw ConversionFailed, QUOTA_EXCEEDED, or the signal's reason. */
export interface FfmpegRuns {
  available(): Promise<boolean>;
  demand(purpose: string): Promise<void>;
  ffmpeg(args: string[], run?: Run): Promise<void>;
  ffprobe(args: string[], run?: Run): Promise<void>;
  /** Before an input: what may be opened, and how much of it is read. */
  readonly guard: readonly string[];
  /** Seconds of sound or video that are converted. */
  readonly longestSeconds: number;
}

/** The work of looking which programs are installed belongs to no tenant. */
const NOBODY: Work = { tenantId: '' };

/** The program could not read the file, or took too long over it. */
export class ConversionFailed extends Error {}

export class Ffmpeg {
  readonly #settings: FfmpegConfig;
  readonly #pool: ProcessPool<FfmpegTask, FfmpegReply>;
  #available: Promise<boolean> | null = null;

  constructor(settings: FfmpegConfig, clock: Clock = systemClock) {
    this.#settings = settings;
    this.#pool = new ProcessPool({ ...settings, clock, program: 'ffmpeg-process', what: 'conversions' });
  }

  /** Ends the processes and what they are at. */
  close(): void {
    this.#pool.close();
  }

  /** The same, on behalf of somebody. */
  for(work: Work): FfmpegRuns {
    const run = (program: string, args: string[], { signal = work.signal, onOutput }: Run): Promise<void> =>
      this.#run(program, args, { ...work, signal }, onOutput);
    const longestSeconds = this.#settings.longestMs / 1000;
    return {
      longestSeconds,
      guard: [...GUARD, '-t', String(longestSeconds)],
      available: () => this.available(),
      demand: (purpose) => this.demand(purpose),
      ffmpeg: (args, options = {}) =>
        run(this.#settings.path, ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args], options),
      ffprobe: (args, options = {}) =>
        run(this.#probePath, ['-hide_banner', '-loglevel', 'error', ...args], options),
    };
  }

  /** True when the programs are there. Looked up once. */
  available(): Promise<boolean> {
    this.#available ??= Promise.all(
      [this.#settings.path, this.#probePath].map((program) => this.#run(program, ['-version'], NOBODY)),
    ).then(
      () => true,
      () => false,
    );
    return this.#available;
  }

  /** Throws CONVERSION_UNAVAILABLE where ffmpeg is not installed; `purpose` completes "… needs ffmpeg". */
  async demand(purpose: string): Promise<void> {
    if (await this.available()) return;
    throw new AppError('CONVERSION_UNAVAILABLE', {
      message: `${purpose} needs ffmpeg: install it (Debian: apt-get install ffmpeg) or set WUTS_FFMPEG_PATH`,
    });
  }

  get #probePath(): string {
    const { path } = this.#settings;
    return path.includes('/') ? join(dirname(path), 'ffprobe') : 'ffprobe';
  }

  async #run(
    program: string,
    args: string[],
    work: Work,
    onOutput?: (chunk: Uint8Array) => void,
  ): Promise<void> {
    const task = { program, args, output: onOutput !== undefined };
    const { code } = await this.#pool.run(task, work, onOutput).catch((error: unknown) => {
      throw error instanceof HelperFailed ? new ConversionFailed(error.message, { cause: error }) : error;
    });
    if (code === null) throw new ConversionFailed('it cannot be started');
    if (code !== 0) throw new ConversionFailed(`exit code ${code}`);
  }
}

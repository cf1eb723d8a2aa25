/**
 * The system's ffmpeg and ffprobe as child processes: a few at a time, bounded in time and output, and with
 * as little of them as converting one file takes.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { FairSlots, type Work } from '../../quotas/fair-slots.ts';

export interface FfmpegSettings {
  /** Program name or path; ffprobe is looked for beside it. */
  path: string;
  /** Milliseconds for one run. */
  timeoutMs: number;
  /** Runs at a time; further ones wait. */
  concurrency: number;
}

export interface Run {
  signal?: AbortSignal | undefined;
  /** Takes the output; without it the output is dropped. */
  onOutput?: (chunk: Buffer) => void;
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
}

const WAITING_PER_TENANT = 500;

/** The program could not read the file, or took too long over it. */
export class ConversionFailed extends Error {}

export class Ffmpeg {
  readonly #settings: FfmpegSettings;
  readonly #slots: FairSlots;
  #available: Promise<boolean> | null = null;

  constructor(settings: FfmpegSettings) {
    this.#settings = settings;
    this.#slots = new FairSlots({
      capacity: settings.concurrency,
      waitingPerTenant: WAITING_PER_TENANT,
      what: 'conversions',
    });
  }

  /** The same, on behalf of somebody. */
  for(work: Work): FfmpegRuns {
    const queued = (program: string, args: string[], run: Run): Promise<void> => {
      const signal = run.signal ?? work.signal;
      return this.#slots.run({ ...work, signal }, () => this.#spawn(program, args, { ...run, signal }));
    };
    return {
      available: () => this.available(),
      demand: (purpose) => this.demand(purpose),
      ffmpeg: (args, run = {}) =>
        queued(this.#settings.path, ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args], run),
      ffprobe: (args, run = {}) =>
        queued(this.#probePath, ['-hide_banner', '-loglevel', 'error', ...args], run),
    };
  }

  /** True when the programs are there. Looked up once. */
  available(): Promise<boolean> {
    this.#available ??= Promise.all(
      [this.#settings.path, this.#probePath].map((program) => this.#spawn(program, ['-version'], {})),
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

  #spawn(program: string, args: string[], { signal, onOutput }: Run): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      // No variable of ours is any of its business; PATH and the locale are.
      const { PATH, LANG } = process.env;
      const child = spawn(program, args, {
        stdio: ['ignore', onOutput ? 'pipe' : 'ignore', 'ignore'],
        env: { PATH, LANG },
      });
      // A program that hangs in a decoder does not listen to anything gentler.
      const stop = (): boolean => child.kill('SIGKILL');
      const timer = setTimeout(stop, this.#settings.timeoutMs);
      signal?.addEventListener('abort', stop);
      if (onOutput) child.stdout?.on('data', onOutput);
      const done = (outcome: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        outcome();
      };
      child.on('error', (cause) => done(() => reject(new ConversionFailed('cannot be started', { cause }))));
      child.on('close', (code) =>
        done(() => {
          if (signal?.aborted) reject(signal.reason);
          else if (code === 0) resolve();
          else reject(new ConversionFailed(code === null ? 'it took too long' : `exit code ${code}`));
        }),
      );
    });
  }
}

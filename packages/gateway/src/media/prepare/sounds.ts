/** Sound read and converted without ffmpeg, in processes of their own: bounded in time, shared between tenants. */
import { type Clock, systemClock } from '../../clock.ts';
import type { Work } from '../../quotas/fair-slots.ts';
import { ConversionFailed } from './ffmpeg.ts';
import { HelperFailed, ProcessPool } from './process-pool.ts';
import type { SoundReply, SoundResult, SoundTask } from './sound-tasks.ts';

export interface SoundSettings {
  /** Milliseconds for one conversion, from when its turn comes. */
  timeoutMs: number;
  /** Conversions at a time. */
  concurrency: number;
}

/** Nothing here reads that format; ffmpeg may. */
export class SoundUnsupported extends Error {}

export class Sounds {
  readonly #pool: ProcessPool<SoundTask, SoundReply>;

  constructor({ timeoutMs, concurrency }: SoundSettings, clock: Clock = systemClock) {
    const program = 'sound-process';
    this.#pool = new ProcessPool({ timeoutMs, concurrency, clock, program, what: 'conversions' });
  }

  /** Throws SoundUnsupported, ConversionFailed, QUOTA_EXCEEDED, or the signal's reason. */
  async run(task: SoundTask, work: Work): Promise<SoundResult> {
    const reply = await this.#pool.run(task, work).catch((error: unknown) => {
      throw error instanceof HelperFailed ? new ConversionFailed(error.message, { cause: error }) : error;
    });
    if ('result' in reply) return reply.result;
    throw reply.unsupported ? new SoundUnsupported(reply.problem) : new ConversionFailed(reply.problem);
  }

  /** Ends the processes and what they are at. */
  close(): void {
    this.#pool.close();
  }
}

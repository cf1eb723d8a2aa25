/** The worker: sends what is due, one message per device at a time, and tries again what could not leave. */
import { type Clock, rfc3339 } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import type { Caller } from '../../tenancy/caller.ts';
import type { Sending, SentMessage } from '../pipeline.ts';
import type { SendJob } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { KeptFiles } from './kept-files.ts';
import type { SendOperations } from './operations.ts';
import { failureOf, retryPause } from './retry-policy.ts';
import type { SendJobs } from './send-jobs.ts';

export interface JobRunnerParts {
  store: JobStore;
  jobs: Pick<SendJobs, 'end'>;
  operations: SendOperations;
  sending: Pick<Sending, 'send'>;
  files: KeptFiles;
  clock: Clock;
  log: Log;
  /** The user who asked, with the rights of today; null when gone or inactive. */
  callerOf(job: SendJob): Promise<Caller | null>;
  /** Milliseconds after its time during which a job is still tried. */
  lateMs: number;
}

/** Jobs at a time, all devices together. */
const MOST_AT_ONCE = 16;
/** Looked at least so often, whatever timers say. */
const LONGEST_SLEEP_MS = 60_000;
const SWEEP_EVERY_MS = 3600_000;

export class JobRunner {
  readonly #parts: JobRunnerParts;
  /** Device ids with a job under way, and the job's end. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #cancelTimer: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /** Takes up what an earlier process left, then works until `stop`. */
  async start(): Promise<void> {
    const { store, files, log } = this.#parts;
    const recovered = await store.recover();
    if (recovered > 0) log.info({ jobs: recovered }, 'sends that were under way are taken up again');
    await files.sweep((jobId) => store.isLive(jobId));
    this.wake();
  }

  /** What is under way is left for the next start, unless it ends by itself at once. */
  async stop(): Promise<void> {
    this.#stop.abort(new AppError('SHUTTING_DOWN'));
    this.#cancelTimer();
    await this.#looking;
    await Promise.all(this.#running.values());
  }

  /** Looks for due jobs now. Never throws. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#look()
      .catch((err) => this.#parts.log.error({ err }, 'due sends could not be looked for'))
      .finally(() => {
        this.#looking = null;
        if (this.#lookAgain) {
          this.#lookAgain = false;
          this.wake();
        }
      });
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#parts;
    this.#cancelTimer();
    this.#cancelTimer = clock.after(LONGEST_SLEEP_MS, () => this.wake());
    await this.#sweep();
    const free = MOST_AT_ONCE - this.#running.size;
    if (free > 0) {
      for (const job of await store.due(free, [...this.#running.keys()])) {
        if (this.#stop.signal.aborted || this.#running.has(job.deviceId)) continue;
        this.#run(job);
      }
    }
    const next = await store.nextDue();
    if (next === null || this.#stop.signal.aborted) return;
    // What is due but waits for its device's turn is woken by the end of the other.
    const wait = Math.min(Math.max(next - clock.now(), this.#running.size > 0 ? 1000 : 0), LONGEST_SLEEP_MS);
    this.#cancelTimer();
    this.#cancelTimer = clock.after(wait, () => this.wake());
  }

  #run(job: SendJob): void {
    const ended = this.#send(job)
      .catch((err) =>
        this.#parts.log.error({ err, job_id: job.id, device_id: job.deviceId }, 'a job could not be run'),
      )
      .finally(() => {
        this.#running.delete(job.deviceId);
        this.wake();
      });
    this.#running.set(job.deviceId, ended);
  }

  async #send(job: SendJob): Promise<void> {
    const { store, clock, lateMs } = this.#parts;
    const request = await store.take(job);
    if (!request) return;
    if (clock.now() > job.sendAt + lateMs) return this.#end(job, tooLate(job, lateMs));
    let release = (): void => undefined;
    try {
      const restored = await this.#parts.files.restore(request);
      release = restored.release;
      const sent = await this.#attempt(job, restored.body);
      await this.#end(job, sent);
    } catch (error) {
      await this.#failed(job, error);
    } finally {
      release();
    }
  }

  async #attempt(job: SendJob, body: Record<string, unknown>): Promise<SentMessage> {
    const { store, operations, sending, callerOf } = this.#parts;
    const caller = await callerOf(job);
    if (!caller) {
      throw new AppError('FORBIDDEN', { message: 'the user who asked for it is no longer active' });
    }
    const operation = operations.find(job.kind);
    if (!operation) throw new AppError('NOT_FOUND', { message: `there is no kind ${job.kind} any more` });
    return sending.send(caller, {
      ...operation.read(body),
      deviceId: job.deviceId,
      signal: this.#stop.signal,
      attempt: {
        messageId: job.messageId,
        claim: (messageId) => store.claim(job, messageId),
      },
    });
  }

  async #failed(job: SendJob, error: unknown): Promise<void> {
    const { store, clock, lateMs, log } = this.#parts;
    // The next start takes it up, under the id it has claimed.
    if (this.#stop.signal.aborted) return;
    const failure = failureOf(error);
    if (failure.code === 'INTERNAL_ERROR')
      log.error({ err: error, job_id: job.id }, 'a job failed unexpectedly');
    const pause = retryPause(failure, job.attempts);
    const retryAt = clock.now() + (pause ?? 0);
    if (pause !== null && retryAt <= job.sendAt + lateMs) return store.postpone(job, retryAt);
    await this.#end(job, failure);
  }

  async #end(job: SendJob, result: SentMessage | AppError): Promise<void> {
    await this.#parts.jobs.end(
      job,
      result instanceof AppError
        ? { state: 'failed', error: { code: result.code, message: result.message } }
        : { state: 'sent', messageId: result.messageId },
    );
  }

  async #sweep(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    while (await this.#parts.store.sweep());
  }
}

function tooLate(job: SendJob, lateMs: number): AppError {
  return new AppError('SEND_TIME_PASSED', {
    message:
      `it was to be sent at ${rfc3339(job.sendAt)}, and the gateway could not for ` +
      `${Math.round(lateMs / 60_000)} minutes: send it again if it still matters`,
  });
}

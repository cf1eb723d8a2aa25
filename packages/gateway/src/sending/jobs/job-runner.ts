/** The worker: sends what is due, one message per device at a time, and tries again what could not leave. */
import { type Clock, SetBacks } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import type { Caller } from '../../tenancy/caller.ts';
import type { Claim } from '../delivery.ts';
import type { Sending } from '../pipeline.ts';
import type { AlbumSends } from './album-sends.ts';
import { claimOf, deadlineOf, type SendJob } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { KeptFiles } from './kept-files.ts';
import type { SendOperations } from './operations.ts';
import { afterFailure, failureOf, type NextStep, tooLate } from './retry-policy.ts';
import type { SendJobs } from './send-jobs.ts';
import { untilStored } from './until-stored.ts';

export interface JobRunnerParts {
  store: JobStore;
  jobs: Pick<SendJobs, 'end'>;
  operations: SendOperations;
  sending: Pick<Sending, 'send' | 'stateOf'>;
  albums: Pick<AlbumSends, 'attempt'>;
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
/** Before the next look, when a job could not even be taken up: it would fail again at once. */
const AFTER_FAILURE_MS = 1000;
/** How long past its deadline a job whose stanza may have arrived is asked for. */
const LONGEST_UNKNOWN_MS = 24 * 3600_000;

export class JobRunner {
  readonly #parts: JobRunnerParts;
  /** Device ids with a job under way, and the job's end. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #setBacks: SetBacks;
  #cancelTimer: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
    this.#setBacks = new SetBacks(parts.clock);
  }

  /** Takes up what an earlier process left, then works until `stop`. */
  async start(): Promise<void> {
    const { store, files, log } = this.#parts;
    const recovered = await store.recover();
    if (recovered > 0) log.info({ jobs: recovered }, 'sends that were under way are taken up again');
    // It may have been set back while no process was there to notice.
    await this.#followSetBack();
    await files.sweep();
    this.wake();
  }

  /** A send that is under way is left for the next start, unless it ends by itself at once. */
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
    await this.#setBacks.follow(() => this.#followSetBack());
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
      .then(() => 0)
      .catch((err) => {
        this.#parts.log.error({ err, job_id: job.id, device_id: job.deviceId }, 'a job could not be run');
        return AFTER_FAILURE_MS;
      })
      .then((pause) => {
        this.#running.delete(job.deviceId);
        if (pause === 0) this.wake();
        else this.#parts.clock.after(pause, () => this.wake());
      });
    this.#running.set(job.deviceId, ended);
  }

  /** Sends a job that is due, and writes the result until the store takes it. */
  async #send(job: SendJob): Promise<void> {
    const { store, clock, jobs } = this.#parts;
    const { signal } = this.#stop;
    const sealed = await untilStored(clock, () => store.take(job), signal);
    if (!sealed) return;
    const next = await this.#attempt(job, sealed);
    // The next start takes it up, under the id it has claimed.
    if (next === null) return;
    await untilStored(
      clock,
      () => ('over' in next ? jobs.end(job, next.over) : store.postpone(job, next.again, next.heldUntil)),
      signal,
    );
  }

  /** Null when the gateway is stopping. Never throws. */
  async #attempt(job: SendJob, sealed: Uint8Array): Promise<NextStep | null> {
    const { clock, lateMs, log } = this.#parts;
    try {
      const late = clock.now() > deadlineOf(job, lateMs) ? tooLate(job, lateMs) : null;
      if (late) await this.#assertMayStillArrive(job, late);
      const next = await this.#sent(job, sealed, late);
      return 'again' in next && this.#stop.signal.aborted ? null : next;
    } catch (error) {
      if (this.#stop.signal.aborted) return null;
      const failure = failureOf(error);
      if (failure.code === 'INTERNAL_ERROR') {
        log.error({ err: error, job_id: job.id }, 'a job failed unexpectedly');
      }
      return afterFailure(job, failure, clock.now(), lateMs);
    }
  }

  /**
   * What is late is not sent any more. But a stanza that has left in time may have arrived: it is asked for, or
   * sent once more under its id, and not called failed for being late.
   */
  async #assertMayStillArrive(job: SendJob, late: AppError): Promise<void> {
    const { sending, clock, lateMs } = this.#parts;
    const state = await sending.stateOf(job.tenantId, claimOf(job));
    if (state === 'sent') return;
    const unknown = state === 'pending' && clock.now() <= deadlineOf(job, lateMs) + LONGEST_UNKNOWN_MS;
    if (!unknown) throw late;
  }

  /** `late`: what has not left is not sent any more. */
  async #sent(job: SendJob, sealed: Uint8Array, late: AppError | null): Promise<NextStep> {
    const { store, operations, sending, albums, callerOf, files } = this.#parts;
    const caller = await callerOf(job);
    if (!caller) {
      throw new AppError('FORBIDDEN', { message: 'the user who asked for it is no longer active' });
    }
    const operation = operations.find(job.kind);
    if (!operation) throw new AppError('NOT_FOUND', { message: `there is no kind ${job.kind} any more` });
    const { body, release } = await files.restore(job.tenantId, store.open(job, sealed));
    try {
      const stop = this.#stop.signal;
      const how = {
        deviceId: job.deviceId,
        account: job.account,
        signal: stop,
        attempt: { claimed: claimOf(job), claim: (claim: Claim) => store.claim(job, claim) },
      };
      if (operation.post) return isSent(await operation.post(caller, body, how));
      const request = { ...operation.read(body), ...how };
      if ('items' in request) return await albums.attempt(caller, job, { request, stop, late });
      return isSent(await sending.send(caller, request));
    } finally {
      release();
    }
  }

  async #followSetBack(): Promise<void> {
    const jobs = await this.#parts.store.followSetBack();
    if (jobs > 0)
      this.#parts.log.warn({ jobs }, 'the clock was set back: jobs are tried by what it says now');
  }

  async #sweep(): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    while (await this.#parts.store.sweep());
  }
}

function isSent({ messageId }: { messageId: string }): NextStep {
  return { over: { state: 'sent', messageId } };
}

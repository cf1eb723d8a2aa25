/** A send that takes longer than its caller should wait becomes a job: it goes on, and the caller asks later. */
import type { Clock } from '../../clock.ts';
import type { Log } from '../../observability/log.ts';
import type { Caller } from '../../tenancy/caller.ts';
import type { SendAttempt } from '../delivery.ts';
import type { SentMessage } from '../pipeline.ts';
import type { SendJob } from './job.ts';
import type { JobStore } from './job-store.ts';
import { afterFailure, failureOf, type NextStep } from './retry-policy.ts';
import type { LaterSend, SendJobs } from './send-jobs.ts';
import { untilStored } from './until-stored.ts';

export type LongAnswer<T> = { sent: T } | { job: SendJob; ended: Promise<unknown> };

export interface LongWork<T> {
  /** `job` tells the job that it has become by now; null as long as its caller waits. */
  send(attempt: SendAttempt, job: () => Promise<SendJob> | null): Promise<T>;
  /** What follows for the job when it came to that. */
  next(job: SendJob, sent: T): NextStep;
}

/** For what is one message. */
export function oneMessage(send: LongWork<SentMessage>['send']): LongWork<SentMessage> {
  return { send, next: (_job, { messageId }) => ({ over: { state: 'sent', messageId } }) };
}

export class LongSends {
  readonly #jobs: SendJobs;
  readonly #store: JobStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #patienceMs: number;
  readonly #lateMs: number;
  readonly #wake: () => void;

  constructor(parts: {
    jobs: SendJobs;
    store: JobStore;
    clock: Clock;
    log: Log;
    /** Milliseconds before the caller is given a job instead of an answer. */
    patienceMs: number;
    lateMs: number;
    wake(): void;
  }) {
    this.#jobs = parts.jobs;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#patienceMs = parts.patienceMs;
    this.#lateMs = parts.lateMs;
    this.#wake = parts.wake;
  }

  /** Runs `work.send`. Its errors are thrown as long as the caller waits; a job keeps them. */
  async run<T>(caller: Caller, later: LaterSend, work: LongWork<T>): Promise<LongAnswer<T>> {
    const { attempt } = later;
    let claimed = attempt?.claimed ?? null;
    let adopted: Promise<SendJob> | null = null;
    const own: SendAttempt = {
      claimed,
      claim: async (claim) => {
        claimed = claim;
        await attempt?.claim(claim);
        const job = await adopted?.catch(() => null);
        if (job) await this.#store.claim(job, claim);
      },
    };
    const result = work.send(own, () => adopted);
    const sent = await this.#inTime(result);
    if (sent) return { sent };
    try {
      adopted = this.#jobs.adopt(caller, later, () => claimed);
      const job = await adopted;
      const next = result.then((sent) => work.next(job, sent));
      return { job, ended: this.#finish(job, next) };
    } catch (error) {
      // It cannot be kept: then the caller has to wait after all.
      this.#log.warn({ err: error, kind: later.operation.kind }, 'a long send could not become a job');
      return { sent: await result };
    }
  }

  async #inTime<T>(result: Promise<T>): Promise<T | null> {
    let cancel: () => void = () => undefined;
    const late = new Promise<null>((resolve) => {
      cancel = this.#clock.after(this.#patienceMs, () => resolve(null));
    });
    return Promise.race([result, late]).finally(cancel);
  }

  /** What could not leave for now is left to the worker, under the same message id. Never throws. */
  async #finish(job: SendJob, step: Promise<NextStep>): Promise<void> {
    const next = await step.catch((error) =>
      afterFailure(job, failureOf(error), this.#clock.now(), this.#lateMs),
    );
    try {
      await untilStored(this.#clock, () =>
        'over' in next
          ? this.#jobs.end(job, next.over)
          : this.#store.postpone(job, next.again, next.heldUntil),
      );
      this.#wake();
    } catch (err) {
      // The row says `processing`: the next start takes it up.
      this.#log.warn({ err, job_id: job.id }, 'the end of a job could not be stored');
    }
  }
}

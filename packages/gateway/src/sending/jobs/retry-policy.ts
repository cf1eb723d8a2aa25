/** What follows for a job when a try of it failed: another try, or its end. */
import { rfc3339 } from '../../clock.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import { isStorageFailure } from '../../storage/failure.ts';
import { sendFailure } from '../send-failure.ts';
import { deadlineOf, type SendJob } from './job.ts';
import type { JobOutcome } from './job-store.ts';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** What may be over in a while. Anything else would fail the same way again. */
const PASSING: readonly ErrorCode[] = [
  'DEVICE_NOT_READY',
  'WHATSAPP_TIMEOUT',
  'WHATSAPP_ERROR',
  'UPLOAD_FAILED',
  'RATE_LIMITED',
  'ACCOUNT_LIMITED',
  'STORAGE_UNAVAILABLE',
  'SHUTTING_DOWN',
];

/** What holds for the other messages of a bulk as well: each of them would only find it out anew. */
const OF_BULK: readonly ErrorCode[] = [
  'ACCOUNT_CHANGED',
  'FORBIDDEN',
  'DEVICE_NOT_FOUND',
  'SEND_TIME_PASSED',
];

/** `heldUntil`: WhatsApp named that time, and the job is not late before. */
export type NextStep = { again: number; heldUntil: number | null } | { over: JobOutcome };

/** The catalogued error of a failed send. */
export function failureOf(error: unknown): AppError {
  if (isStorageFailure(error)) return new AppError('STORAGE_UNAVAILABLE', { cause: error });
  return error instanceof AppError ? error : new AppError('INTERNAL_ERROR', { cause: error });
}

/** Milliseconds to wait before the next attempt; null when there should be none. */
export function retryPause(error: AppError, attempts: number): number | null {
  if (!PASSING.includes(error.code)) return null;
  // A 463 without a limit: the contact has to write first, and trying again makes it worse.
  if (error.code === 'ACCOUNT_LIMITED' && !error.detail.extra?.limited_until) return null;
  const backOff = Math.min(FIRST_PAUSE_MS * 2 ** attempts, LONGEST_PAUSE_MS);
  return Math.max(backOff, (error.detail.retryAfterSeconds ?? 0) * 1000);
}

/** `now` and `lateMs` in milliseconds. */
export function afterFailure(job: SendJob, failure: AppError, now: number, lateMs: number): NextStep {
  const pause = retryPause(failure, job.attempts);
  if (pause === null) return { over: failed(failure, OF_BULK.includes(failure.code)) };
  const again = now + pause;
  // The account's limit has an end that WhatsApp told: waiting for it is not being late.
  if (failure.code === 'ACCOUNT_LIMITED') return { again, heldUntil: again };
  if (again <= deadlineOf(job, lateMs)) return { again, heldUntil: job.heldUntil };
  // The bulk has waited as long as its first one: the others do not each wait anew.
  return { over: failed(failure, true) };
}

function failed(failure: AppError, ofBulk: boolean): JobOutcome {
  const error = sendFailure(failure);
  return { state: 'failed', error, restOfBulk: ofBulk ? error : null };
}

export function tooLate(job: SendJob, lateMs: number): AppError {
  return new AppError('SEND_TIME_PASSED', {
    message:
      `it was to be sent at ${rfc3339(job.sendAt)}, and the gateway could not for ` +
      `${Math.round(lateMs / 60_000)} minutes: send it again if it still matters`,
  });
}

/** When a send that failed is tried again. */
import { AppError, type ErrorCode } from '../../errors.ts';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** What may be over in a while. Anything else would fail the same way again. */
const PASSING: readonly ErrorCode[] = [
  'DEVICE_NOT_READY',
  'WHATSAPP_TIMEOUT',
  'UPLOAD_FAILED',
  'RATE_LIMITED',
  'ACCOUNT_LIMITED',
  'STORAGE_UNAVAILABLE',
  'SHUTTING_DOWN',
];

/** The catalogued error of a failed send. */
export function failureOf(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('INTERNAL_ERROR', { cause: error });
}

/** Milliseconds to wait before the next attempt; null when there should be none. */
export function retryPause(error: AppError, attempts: number): number | null {
  if (!PASSING.includes(error.code)) return null;
  const backOff = Math.min(FIRST_PAUSE_MS * 2 ** attempts, LONGEST_PAUSE_MS);
  return Math.max(backOff, (error.detail.retryAfterSeconds ?? 0) * 1000);
}

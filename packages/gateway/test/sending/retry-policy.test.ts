import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { failureOf, retryPause } from '../../src/sending/jobs/retry-policy.ts';

test.each([
  ['DEVICE_NOT_READY', 0, 2_000],
  ['DEVICE_NOT_READY', 1, 4_000],
  ['WHATSAPP_TIMEOUT', 4, 32_000],
  ['UPLOAD_FAILED', 5, 60_000],
  ['WHATSAPP_ERROR', 0, 2_000],
  ['STORAGE_UNAVAILABLE', 50, 60_000],
  ['SHUTTING_DOWN', 0, 2_000],
  ['REJECTED_BY_WHATSAPP', 0, null],
  ['NOT_ON_WHATSAPP', 0, null],
  ['INTERNAL_ERROR', 0, null],
] as const)('%s after %i attempts: %j ms', (code, attempts, pause) => {
  expect(retryPause(new AppError(code), attempts)).toBe(pause);
});

test.each([
  ['RATE_LIMITED', 1, 2_000],
  ['RATE_LIMITED', 2, 2_000],
  ['ACCOUNT_LIMITED', 3_600, 3_600_000],
] as const)('%s that asks for %i s: %i ms', (code, retryAfterSeconds, pause) => {
  const extra = { limited_until: '2026-06-15T12:00:00.000Z' };
  expect(retryPause(new AppError(code, { retryAfterSeconds, extra }), 0)).toBe(pause);
});

test('a refusal to begin a chat that names no end is not tried again', () => {
  expect(retryPause(new AppError('ACCOUNT_LIMITED', { retryAfterSeconds: 3_600 }), 0)).toBeNull();
});

test('what is in no catalogue is an internal error, with its cause', () => {
  const known = new AppError('UPLOAD_FAILED');
  expect(failureOf(known)).toBe(known);
  const unknown = new Error('a mistake of ours');
  expect(failureOf(unknown)).toMatchObject({ code: 'INTERNAL_ERROR', cause: unknown });
});

import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { SendJob } from '../../src/sending/jobs/job.ts';
import { afterFailure, failureOf, retryPause, tooLate } from '../../src/sending/jobs/retry-policy.ts';

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

const SEND_AT = Date.UTC(2026, 5, 15, 12);
const LATE_MS = 600_000;
const job = (more: Partial<SendJob> = {}): SendJob => ({
  id: 'job_1',
  tenantId: 't',
  deviceId: 'd',
  account: null,
  userId: 'u',
  bulkId: 'bulk_1',
  position: 0,
  kind: 'text',
  recipient: '5511999990002',
  state: 'processing',
  sendAt: SEND_AT,
  dueAt: SEND_AT,
  reckonedAt: null,
  heldUntil: null,
  attempts: 0,
  messageId: null,
  items: null,
  error: null,
  createdAt: SEND_AT,
  finishedAt: null,
  ...more,
});

test('a job is tried again until it would be late, counted from when WhatsApp let it go', () => {
  const silence = new AppError('WHATSAPP_TIMEOUT');
  const last = SEND_AT + LATE_MS - 2_000;
  expect(afterFailure(job(), silence, last, LATE_MS)).toEqual({ again: last + 2_000, heldUntil: null });
  const error = { code: silence.code, reason: null, whatsappCode: null, message: silence.message };
  // The bulk waits no longer for its others.
  const over = { over: { state: 'failed', error, restOfBulk: error } };
  expect(afterFailure(job(), silence, last + 1, LATE_MS)).toEqual(over);
  const held = job({ heldUntil: SEND_AT + 1 });
  const next = { again: last + 2_001, heldUntil: SEND_AT + 1 };
  expect(afterFailure(held, silence, last + 1, LATE_MS)).toEqual(next);
});

test('until the end of a limit that WhatsApp set nothing is late', () => {
  const limited = new AppError('ACCOUNT_LIMITED', {
    retryAfterSeconds: 7200,
    extra: { limited_until: '2026-06-15T14:00:00.000Z' },
  });
  const again = SEND_AT + 7_200_000;
  expect(afterFailure(job(), limited, SEND_AT, LATE_MS)).toEqual({ again, heldUntil: again });
});

test.each([
  ['ACCOUNT_CHANGED', true],
  ['FORBIDDEN', true],
  ['DEVICE_NOT_FOUND', true],
  ['SEND_TIME_PASSED', true],
  ['NOT_ON_WHATSAPP', false],
  ['REJECTED_BY_WHATSAPP', false],
] as const)('%s ends the job, and the rest of its bulk: %s', (code, rest) => {
  const failure = new AppError(code);
  const error = { code, reason: null, whatsappCode: null, message: failure.message };
  const restOfBulk = rest ? error : null;
  expect(afterFailure(job(), failure, SEND_AT, LATE_MS)).toEqual({
    over: { state: 'failed', error, restOfBulk },
  });
});

test('one that is too late says when it was to be sent, and how long it had', () => {
  expect(tooLate(job(), LATE_MS)).toMatchObject({
    code: 'SEND_TIME_PASSED',
    message: expect.stringMatching(/2026-06-15T12:00:00.*for 10 minutes/),
  });
});

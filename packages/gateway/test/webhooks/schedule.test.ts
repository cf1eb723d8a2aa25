import { describe, expect, test } from 'vitest';
import { retryAfter, waitAfter } from '../../src/webhooks/schedule.ts';

describe('waitAfter', () => {
  test('stays within 20 % of the schedule', () => {
    for (const [attempt, wait] of [
      [1, 5000],
      [2, 30_000],
      [3, 300_000],
      [5, 7_200_000],
      [6, 18_000_000],
      [4, 1_800_000],
      [7, 36_000_000],
      [8, 36_000_000],
      [50, 36_000_000],
    ] as const) {
      expect(waitAfter(attempt, () => 0)).toBe(wait * 0.8);
      expect(waitAfter(attempt, () => 0.5)).toBe(wait);
      expect(waitAfter(attempt, () => 1)).toBeCloseTo(wait * 1.2);
    }
  });
});

describe('retryAfter', () => {
  const now = Date.UTC(2026, 5, 15, 12);

  test.each([
    ['0', 0],
    ['7', 7000],
    [' 7 ', 7000],
    ['86400', 86_400_000],
    ['86401', 86_400_000],
    ['9999999999', 86_400_000],
    ['10000000000', null],
    ['Mon, 15 Jun 2026 12:00:30 GMT', 30_000],
    ['Monday, 15-Jun-26 12:01:00 GMT', 60_000],
    ['Mon, 15 Jun 2026 11:00:00 GMT', 0],
    ['Mon, 15 Jun 2037 12:00:00 GMT', 86_400_000],
    ['-5', null],
    ['1.5', null],
    ['', null],
    ['later', null],
    ['5 minutes', null],
    ['on Mon, 15 Jun 2026 12:00:30 GMT', null],
    ['Monday', null],
    ['2026-06-15', null],
  ])('%j', (header, wait) => {
    expect(retryAfter(header, now)).toBe(wait);
  });

  test('none', () => expect(retryAfter(undefined, now)).toBeNull());

  test('several: the first', () => expect(retryAfter(['7', '9'], now)).toBe(7000));
});

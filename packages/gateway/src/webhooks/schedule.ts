/** When a failed delivery is tried again. All times in milliseconds. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Waits after the first, second, … failed attempt; the last one repeats. */
const WAITS = [5000, 30_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR];
/** Spreads the retries of deliveries that failed together: ±20 %. */
const JITTER = 0.2;
/** A receiver may ask for more patience than the schedule has, but not for ever. */
const LONGEST_RETRY_AFTER = 24 * HOUR;

/** `random` gives numbers from 0 to 1. `attempts`: how many have failed so far, at least 1. */
export function waitAfter(attempts: number, random: () => number): number {
  const wait = WAITS[Math.min(attempts, WAITS.length) - 1] ?? 10 * HOUR;
  return Math.round(wait * (1 - JITTER + 2 * JITTER * random()));
}

/**
 * What a `Retry-After` header asks for, from `now` on: seconds or an HTTP date (RFC 9110, 10.2.3), capped
 * at 24 hours. Null when there is none or it cannot be read.
 */
export function retryAfter(header: string | string[] | undefined, now: number): number | null {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (text === undefined) return null;
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_RETRY_AFTER);
  // All three date formats of HTTP begin with a weekday; `Date.parse` alone would take much else.
  const at = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.min(Math.max(at - now, 0), LONGEST_RETRY_AFTER);
}

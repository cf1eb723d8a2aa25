/** The end of the year 9999, after which RFC 3339 has no times. */
const LAST_SECOND = 253_402_300_799;

/** The time that a stanza or message names in Unix seconds, in milliseconds; null for what is no time. */
export function stampedTime(seconds: unknown): number | null {
  // 64-bit numbers of protobufs come as objects that write themselves.
  const at = Number(seconds ?? 0);
  return at > 0 && at <= LAST_SECOND ? Math.floor(at * 1000) : null;
}

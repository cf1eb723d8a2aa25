import { isDeepStrictEqual } from 'node:util';
import { checked, shortJson } from './printer.ts';

/** The story went another way than it is told: the demo ends with exit code 1 and this reason. */
export class Surprise extends Error {
  constructor(what: string, expected: unknown, got: unknown) {
    super(`${what}\n  expected: ${shortJson(expected)}\n  got:      ${shortJson(got)}`);
    this.name = 'Surprise';
  }
}

/** Prints a tick, or ends the demo. */
export function check(what: string, got: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(got, expected)) throw new Surprise(what, expected, got);
  checked(what);
}

/** Longest time anything in the story may take; a slow machine needs a second or two. */
const DEADLINE_MS = 60_000;
const POLL_MS = 25;

/** Asks again until the answer is there; ends the demo after a minute. */
export async function until<T>(
  what: string,
  ask: () => T | false | null | undefined | Promise<T | false | null | undefined>,
): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > deadline)
      throw new Surprise(what, `within ${DEADLINE_MS / 1000} s`, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

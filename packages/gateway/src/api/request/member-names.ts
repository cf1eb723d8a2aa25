/**
 * Which member a name means. A Go server reads the names of JSON members without looking at their case, and programs
 * write them in camelCase or snake_case as their language does: all of these mean the same member here.
 */
import { plainName } from '../../nearest-name.ts';

/** No member has a longer name. */
const LONGEST_NAME = 64;

const FOLDED = new WeakMap<object, ReadonlyMap<string, string>>();

/** The member of `known` that `written` means; undefined when there is none. */
export function memberNamed(known: Readonly<Record<string, unknown>>, written: string): string | undefined {
  if (Object.hasOwn(known, written)) return written;
  return written.length > LONGEST_NAME ? undefined : plainNames(known).get(plainName(written));
}

function plainNames(known: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const found = FOLDED.get(known);
  if (found) return found;
  // Of two that are written alike, the first is the documented one.
  const names = new Map(
    Object.keys(known)
      .reverse()
      .map((name) => [plainName(name), name]),
  );
  FOLDED.set(known, names);
  return names;
}

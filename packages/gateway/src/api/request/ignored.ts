/** Members and parameters of a request that nobody knows: they are ignored, and said to be. */
import { nearestName } from '../../nearest-name.ts';

/** One line of `warnings` in an answer. */
export interface Warning {
  field: string;
  message: string;
  did_you_mean?: string;
}

/** More would help nobody, and make the answer larger than the request. */
const MOST_WARNINGS = 20;
const LONGEST_FIELD = 200;
const NOBODY_KNOWS = 'is not known here and was ignored';

/** What was ignored of one value, gathered while it is read. */
export class Ignored {
  readonly #found: Warning[] = [];

  /** `known` are the members that may stand where `name` stands, in the object at `path`. */
  add(path: readonly string[], name: string, known: readonly string[]): void {
    if (this.#found.length >= MOST_WARNINGS) return;
    const meant = nearestName(known, name);
    this.#found.push({
      field: cut([...path, name].join('.')),
      message: NOBODY_KNOWS,
      ...(meant === null ? {} : { did_you_mean: [...path, meant].join('.') }),
    });
  }

  get warnings(): readonly Warning[] {
    return this.#found;
  }
}

const OF_VALUE = new WeakMap<object, readonly Warning[]>();

/** Remembers with a value that was read, or with the errors in its place, what of it was ignored. */
export function rememberIgnored(value: unknown, ignored: Ignored): void {
  if (typeof value !== 'object' || value === null || ignored.warnings.length === 0) return;
  OF_VALUE.set(value, ignored.warnings);
}

/** What was ignored when the value was read. */
export function ignoredIn(value: unknown): readonly Warning[] {
  return (typeof value === 'object' && value !== null && OF_VALUE.get(value)) || [];
}

/** All of them, each field once. */
export function gathered(...lists: (readonly Warning[])[]): Warning[] {
  const byField = new Map(lists.flat().map((warning) => [`${warning.field} ${warning.message}`, warning]));
  return [...byField.values()].slice(0, MOST_WARNINGS);
}

/** The same, of a value that stands at `place` in a larger one. */
export function placedWarning(warning: Warning, place: string): Warning {
  const { field, did_you_mean: meant } = warning;
  return {
    ...warning,
    field: `${place}.${field}`,
    ...(meant === undefined ? {} : { did_you_mean: `${place}.${meant}` }),
  };
}

function cut(field: string): string {
  const whole = field.toWellFormed();
  return whole.length > LONGEST_FIELD ? `${whole.slice(0, LONGEST_FIELD).toWellFormed()}…` : whole;
}

/** Makes texts fit to be stored and answered: well-formed Unicode, without U+0000. */

/** The character U+0000 somewhere in a request. */
export class ForbiddenCharacter extends Error {
  readonly path: string[];

  constructor(path: string[]) {
    super(`${path.join('.')} contains the character U+0000`);
    this.path = path;
  }
}

/**
 * The value with half emojis (lone surrogates, which have no UTF-8) replaced by U+FFFD. Throws
 * `ForbiddenCharacter` for U+0000: PostgreSQL stores none, no keyboard makes one, and cutting it out would
 * send something else than was asked for. Values nest no deeper than the edge reads.
 */
export function cleanTexts(value: unknown, path: string[] = []): unknown {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new ForbiddenCharacter(path);
    return value.toWellFormed();
  }
  if (Array.isArray(value)) return value.map((each, index) => cleanTexts(each, [...path, String(index)]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      String(cleanTexts(name, path)),
      cleanTexts(each, [...path, name]),
    ]),
  );
}

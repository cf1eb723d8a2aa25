/** Texts of strangers as they may be stored and told. */

/**
 * The value with every text well-formed and without U+0000, at any depth. Protobuf texts may hold half an emoji
 * (a surrogate in three bytes) and stanza attributes any character; JSON of the first is refused by strict
 * readers, and PostgreSQL stores no U+0000. Bytes stay as they are.
 */
export function cleanTexts<T>(value: T): T {
  return cleaned(value) as T;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed();
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cleaned(each)]));
}

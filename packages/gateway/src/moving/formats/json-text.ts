/** JSON that others have written. */

/** Of one text: the export of all rows of a large session. Parsing it takes a second, in which nobody else is served. */
const MOST_BYTES = 64 * 1024 * 1024;
/** JSON within JSON: Evolution API keeps the text of a text. */
const MOST_LAYERS = 3;
const BEGINS = /^\s*["[{]/;

/** The value; undefined for what is no JSON. */
function parsedJson(source: Uint8Array | string): unknown {
  if (source.length > MOST_BYTES) return undefined;
  try {
    return JSON.parse(typeof source === 'string' ? source : Buffer.from(source).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** As `parsedJson`, also of texts whose value is JSON again; a value that is no text is taken as it is. */
export function unwrappedJson(source: unknown): unknown {
  let value = source;
  // A text of digits is a text: a LID mapping is no more than that.
  for (let layer = 0; layer < MOST_LAYERS && typeof value === 'string' && BEGINS.test(value); layer += 1) {
    value = parsedJson(value);
  }
  return value;
}

/** Rows of an export: a list, one alone, or one a line, as `psql` prints `row_to_json`. */
export function jsonRows(bytes: Uint8Array): unknown[] {
  const whole = parsedJson(bytes);
  if (whole !== undefined) return Array.isArray(whole) ? whole : [whole];
  const rows: unknown[] = [];
  for (const line of Buffer.from(bytes).toString('utf8').trim().split('\n')) {
    const row = parsedJson(line);
    if (row === undefined) return [];
    rows.push(row);
  }
  return rows;
}

/** Whether the bytes may be JSON that begins with a list or an object. */
export function looksLikeJson(bytes: Uint8Array): boolean {
  return /^\ufeff?\s*[[{]/.test(Buffer.from(bytes.subarray(0, 64)).toString('utf8'));
}

/** A member of an object's own; undefined for anything else. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** As `memberOf`, where it is a text. */
export function textOf(value: unknown, name: string): string | null {
  const text = memberOf(value, name);
  return typeof text === 'string' ? text : null;
}

/**
 * Where a body stops being JSON, and why, for whoever wrote it: templates of workflow tools put a text into the place
 * of `{{…}}` as it is, with its line breaks and quotes. Only asked when the parser has refused the body.
 */

export interface JsonFault {
  /** In characters from the start. */
  at: number;
  why: string;
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
/** After a backslash. */
const ESCAPED = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

const NAMES_OF_CONTROLS: Readonly<Record<string, string>> = {
  '\n': 'a line break within a text must be written as \\n',
  '\r': 'a line break within a text must be written as \\r\\n',
  '\t': 'a tab within a text must be written as \\t',
};

type Expected = 'value' | 'first value' | 'name' | 'first name' | 'colon' | 'more' | 'end';

/** Null for a text that is JSON. */
export function jsonFault(text: string): JsonFault | null {
  const open: ('{' | '[')[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let expected: Expected = 'value';
  const after = (): Expected => (open.length === 0 ? 'end' : 'more');
  for (;;) {
    at += lengthAt(SPACE, text, at);
    const next = text[at];
    if (next === undefined) return expected === 'end' ? null : { at, why: 'it ends too early' };
    const inside = open.at(-1);
    const closes = inside !== undefined && next === (inside === '{' ? '}' : ']');
    if (closes && (expected === 'more' || expected === 'first name' || expected === 'first value')) {
      open.pop();
      expected = after();
      at += 1;
    } else if (expected === 'end') {
      return { at, why: 'something stands behind its end' };
    } else if (expected === 'more') {
      if (next !== ',')
        return { at, why: 'a comma is missing, or a quote within a text that is not written as \\"' };
      expected = inside === '{' ? 'name' : 'value';
      at += 1;
    } else if (expected === 'colon') {
      if (next !== ':') return { at, why: 'a colon is missing' };
      expected = 'value';
      at += 1;
    } else if (expected === 'name' || expected === 'first name') {
      if (next !== '"') return { at, why: closes ? COMMA_AT_THE_END : 'a name in double quotes is missing' };
      const end = endOfText(text, at);
      if (typeof end !== 'number') return end;
      expected = 'colon';
      at = end;
    } else if (next === '{' || next === '[') {
      open.push(next);
      expected = next === '{' ? 'first name' : 'first value';
      at += 1;
    } else {
      const end = endOfScalar(text, at);
      if (typeof end !== 'number') return closes && inside === '[' ? { at, why: COMMA_AT_THE_END } : end;
      expected = after();
      at = end;
    }
  }
}

const COMMA_AT_THE_END = 'a comma stands before the end of an object or list';

function endOfScalar(text: string, at: number): number | JsonFault {
  if (text[at] === '"') return endOfText(text, at);
  const length = lengthAt(WORD, text, at) || lengthAt(NUMBER, text, at);
  if (length > 0) return at + length;
  return { at, why: 'a value is missing, or a text that is not in double quotes' };
}

/** Behind the closing quote of the text that begins there. */
function endOfText(text: string, start: number): number | JsonFault {
  let at = start + 1;
  for (;;) {
    const character = text[at];
    if (character === undefined) return { at: start, why: 'a text does not end' };
    if (character === '"') return at + 1;
    if (character === '\\') {
      const length = lengthAt(ESCAPED, text, at + 1);
      if (length === 0) return { at, why: 'a backslash within a text must be written as \\\\' };
      at += length;
    } else if (character < ' ') {
      return {
        at,
        why: NAMES_OF_CONTROLS[character] ?? 'a control character within a text must be written as \\u00…',
      };
    }
    at += 1;
  }
}

function lengthAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

/** The place in a text as editors count: lines and columns from 1 on. */
export function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

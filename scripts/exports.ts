/** What is exported and needs not be, because nobody else names it; and what is exported and says not what it is. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = 'packages/*/{src,bin}/**/*.{ts,js}';
/** Whoever may name what `src` exports. */
const READERS = [SOURCES, 'packages/*/{test,interop}/**/*.ts', '{bench,demo,docs,scripts}/**/*.ts'];
const WORD = /[A-Za-z_$][\w$]*/g;
const VALUE = /^export (?:async )?(?:function\*?|const|class) (\w+)/gm;
const TYPE = /^export (?:interface|type) (\w+)/gm;

/**
 * One line for each function, class or value that is exported from a `src` and named in no other file, and for each
 * type that is named nowhere at all. Names are compared, not resolved: one that stands elsewhere for another thing
 * is missed, and none is told wrongly.
 */
export function unusedExports(root: string): string[] {
  const texts = new Map(
    READERS.flatMap((pattern) => globSync(pattern, { cwd: root })).map((file) => [
      file,
      readFileSync(join(root, file), 'utf8'),
    ]),
  );
  const namedIn = new Map<string, number>();
  for (const text of texts.values()) {
    for (const word of new Set(text.match(WORD))) namedIn.set(word, (namedIn.get(word) ?? 0) + 1);
  }
  const alone = (name: string): boolean => namedIn.get(name) === 1;
  return globSync(SOURCES, { cwd: root }).flatMap((file) => {
    const text = texts.get(file) ?? '';
    const values = names(text, VALUE).filter(alone);
    const types = names(text, TYPE).filter((name) => alone(name) && occurrences(text, name) === 1);
    return [
      ...values.map((name) => `${file}: ${name} is exported, and no other file names it`),
      ...types.map((name) => `${file}: nothing names the type ${name}`),
    ];
  });
}

/** What follows a description, or stands in a file that begins with one. */
const DESCRIBED = /^\/\*\*|\*\/\n$/;
const DEFINED = /^export (?:async )?(?:function\*?|class) (\w+)/gm;
const MIGRATIONS = '/migrations/';

/** One line for each function or class of a `src` that neither its own words nor the first ones of its file describe. */
export function undescribedExports(root: string): string[] {
  const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !file.includes(MIGRATIONS),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(DEFINED)]
      .filter(({ index }) => !DESCRIBED.test(text.slice(0, index)))
      .map(([, name]) => `${file}: ${name} is exported, and nothing says what it is`);
  });
}

function names(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap((match) => match[1] ?? []);
}

function occurrences(text: string, name: string): number {
  return (text.match(WORD) ?? []).filter((word) => word === name).length;
}

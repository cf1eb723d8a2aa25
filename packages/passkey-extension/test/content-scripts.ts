/** The extension's files without a browser: run in a realm of their own, one after the other, as a browser does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';

export const EXTENSION = join(import.meta.dirname, '..');

/** What `expression` is once these files have run; `globals` are all that they find there. */
export function inExtension<T>(
  files: readonly string[],
  expression: string,
  globals: Record<string, unknown>,
): T {
  const context = createContext({ URL, TextDecoder, TextEncoder, atob, btoa, ...globals });
  for (const file of files) runInContext(readFileSync(join(EXTENSION, file), 'utf8'), context);
  return runInContext(expression, context) as T;
}

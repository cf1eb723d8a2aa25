/**
 * The files of the page that helps with a passkey, in `pages/passkey` beside `src`, and the lines to paste into the
 * console of web.whatsapp.com, which `wuts pair` prints as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../pages/passkey');
const INDEX = 'index.html';
const SNIPPET = 'snippet.js';

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript' } as const;

export interface PageFile {
  /** Where it stands below the page; empty for the page itself. */
  path: string;
  /** As a header has it. */
  type: string;
  text: string;
}

const NAMES = [INDEX, 'page.css', 'page.js', 'show.js', 'base64url.js', 'texts.js', SNIPPET];

export function passkeyPageFiles(): PageFile[] {
  return NAMES.map((name) => {
    const type = TYPES[name.split('.').at(-1) as keyof typeof TYPES];
    return { path: name === INDEX ? '' : name, type: `${type}; charset=utf-8`, text: read(name) };
  });
}

/** Lines for the console of web.whatsapp.com that sign these request options and print the answer. */
export function consoleSnippet(options: Record<string, unknown>): string {
  return read(SNIPPET).replace('__OPTIONS__', () => JSON.stringify(options));
}

function read(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}

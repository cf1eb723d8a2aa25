/**
 * Writes the tables of docs/events.md from the catalogue: `node scripts/events-page.ts`.
 * `docs/events.test.ts` fails when the page is not what this makes of it.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DOCUMENTED_EVENTS,
  EVENT_NAMES,
  type EventName,
} from '../packages/gateway/src/events/catalogue/names.ts';
import { EVENT_CATALOGUE } from '../packages/gateway/src/events/catalogue.ts';

const ROOT = join(import.meta.dirname, '..');
export const PAGE = join(ROOT, 'docs/events.md');
const TESTS = 'packages/gateway/test';
const BEGIN = '<!-- from the catalogue: node scripts/events-page.ts -->';
const END = '<!-- end -->';

/** Where an event is caused over real sockets: the first of these folders' tests that names it. */
const DRIVEN = ['events/traffic.test.ts', 'end-to-end', 'webhooks'];

/** The page with its generated part made anew. */
export function eventsPage(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost its marks`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${generated()}\n\n${page.slice(end)}`;
}

/** The test that causes the event over real sockets, relative to the repository; null when there is none. */
export function testedBy(name: EventName): string | null {
  const names = (text: string): boolean => text.includes(`'${name}'`) || text.includes(`event=${name}`);
  return driven().find((path) => names(readFileSync(join(ROOT, path), 'utf8'))) ?? null;
}

function driven(): string[] {
  return DRIVEN.flatMap((entry) =>
    entry.endsWith('.ts')
      ? [`${TESTS}/${entry}`]
      : globSync(`${TESTS}/${entry}/**/*.test.ts`, { cwd: ROOT }).sort(),
  );
}

function generated(): string {
  const rows = EVENT_NAMES.map((name) => {
    const { summary, cause, occurs } = EVENT_CATALOGUE[name];
    const test = testedBy(name);
    const cells = [
      `[\`${name}\`](#${anchor(name)})${DOCUMENTED_EVENTS.some((each) => each === name) ? '' : ' *'}`,
      summary,
      cause,
      occurs === true ? 'yes' : `no: ${occurs}`,
      test === null ? '' : `[${test.slice(TESTS.length + 1)}](../${test})`,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const table = ['| Event | What | Cause | Occurs | Tested by |', '| --- | --- | --- | --- | --- |', ...rows];
  const examples = EVENT_NAMES.map((name) => {
    const data = JSON.stringify(EVENT_CATALOGUE[name].example, null, 2);
    return `### ${name}\n\n\`\`\`json\n${data}\n\`\`\``;
  });
  return `${table.join('\n')}\n\n## Examples of \`data\`\n\n${examples.join('\n\n')}`;
}

/** GitHub's anchor of a heading: dots go, underscores stay. */
function anchor(name: string): string {
  return name.replaceAll('.', '');
}

if (process.argv[1] === import.meta.filename) writeFileSync(PAGE, eventsPage(readFileSync(PAGE, 'utf8')));

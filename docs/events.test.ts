import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { EVENT_NAMES, type EventName } from '../packages/gateway/src/events/catalogue/names.ts';
import { EVENT_CATALOGUE } from '../packages/gateway/src/events/catalogue.ts';
import { problems } from '../packages/gateway/test/events/schema.ts';
import { eventsPage, PAGE, testedBy } from '../scripts/events-page.ts';

const page = () => readFile(PAGE, 'utf8');

test('docs/events.md is what the catalogue says: node scripts/events-page.ts', async () => {
  expect(await page()).toBe(eventsPage(await page()));
});

test('every event has a row and an example that fits its schema', async () => {
  const text = await page();
  const rows = [...text.matchAll(/^\| \[`([a-z_.]+)`\]/gm)].map((match) => match[1]);
  expect(rows).toEqual([...EVENT_NAMES]);
  const examples = [...text.matchAll(/^### ([a-z_.]+)\n\n```json\n([\s\S]*?)\n```/gm)];
  expect(examples.map((match) => match[1])).toEqual([...EVENT_NAMES]);
  for (const [, name, json = ''] of examples) {
    expect(problems(name as EventName, JSON.parse(json)), name).toEqual([]);
  }
});

test('every event that occurs is caused over real sockets by a test', () => {
  const untested = EVENT_NAMES.filter(
    (name) => EVENT_CATALOGUE[name].occurs === true && testedBy(name) === null,
  );
  expect(untested).toEqual([]);
});

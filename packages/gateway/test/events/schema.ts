import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import { EVENT_NAMES, type EventName } from '../../src/events/catalogue/names.ts';
import { EVENT_CATALOGUE } from '../../src/events/catalogue.ts';

const ajv = new Ajv({ strict: false, allErrors: true });
ajvFormats.default(ajv);

const checks = new Map(EVENT_NAMES.map((name) => [name, ajv.compile(EVENT_CATALOGUE[name].schema)]));

/** What is wrong with the `data` of an event; empty when it is as its schema says, and says nothing more. */
export function problems(name: EventName, data: object): string[] {
  const check = checks.get(name);
  if (!check) return [`no schema of ${name}`];
  const wrong = check(data)
    ? []
    : (check.errors ?? []).map((each) => `${each.instancePath} ${each.message ?? ''}`);
  const known = Object.keys((EVENT_CATALOGUE[name].schema as { properties?: object }).properties ?? {});
  const unknown = Object.keys(data).filter((member) => !known.includes(member));
  return [...wrong, ...unknown.map((member) => `/${member} is not in the schema`)];
}

/** `npm run bench`: what WUTS costs, as ratios within one run. See README.md. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { report, reportRow } from './report.ts';
import type { Row } from './rounds.ts';
import { chats } from './scenarios/chats.ts';
import { contactLists, numberCheck } from './scenarios/contacts.ts';
import { fsync } from './scenarios/fsync.ts';
import { groups } from './scenarios/groups.ts';
import { inbound } from './scenarios/inbound.ts';
import { media } from './scenarios/media.ts';
import { memory } from './scenarios/memory.ts';
import { outbound } from './scenarios/outbound.ts';
import { status } from './scenarios/status.ts';
import { STORED_SCENARIOS, stored } from './scenarios/stored.ts';
import { stories } from './scenarios/stories.ts';
import { startWorld, type World } from './world.ts';

const SCENARIOS = [
  'inbound',
  'outbound',
  'media',
  'memory',
  'fsync',
  'status',
  'groups',
  'contacts',
  'check',
  'chats',
  'stories',
] as const;
type Scenario = (typeof SCENARIOS)[number];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    stored: { type: 'string' },
    devices: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '300' },
    people: { type: 'string', default: '2000' },
    json: { type: 'string' },
    huge: { type: 'boolean', default: false },
    profile: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`npm run bench -- [options]
  --only ${SCENARIOS.join(',')}
  --stored N     inbound, outbound, media and start instead, each with N messages stored against none
  --devices N    the same with N further devices and their sessions in the tenant
  --rounds N     rounds of each scenario that count (default 5)
  --messages N   messages per round, inbound and outbound (default 300)
  --people N     who sees the story of stories (default 2000)
  --json FILE    write every round's figures
  --huge         status with 10,000,000 messages too (minutes, and gigabytes in the temporary folder)
  --profile DIR  write a CPU profile of each process
  --set KEY=VALUE  a setting for the gateway, for example WUTS_DATABASE_SYNC=normal`);
  process.exit(0);
}

const muchStored = values.stored !== undefined || values.devices !== undefined;
const rounds = wholeNumber('rounds');
const messages = wholeNumber('messages');
const people = wholeNumber('people');
const settings = Object.fromEntries(
  values.set.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
);

const onNetwork: Partial<Record<Scenario, (world: World) => Promise<Row[]>>> = {
  inbound: (world) => inbound(world, { rounds, messages }),
  outbound: (world) => outbound(world, { rounds, messages }),
  media: (world) => media(world, { rounds }),
  check: (world) => numberCheck(world, { rounds }),
  stories: (world) => stories(world, { people }),
};
const alone: Partial<Record<Scenario, () => Promise<Row[]>>> = {
  memory: () => memory({ rounds, settings }),
  fsync: () => fsync({ rounds }),
  groups: () => groups({ rounds }),
  contacts: () => contactLists({ rounds }),
  chats: () => chats({ rounds }),
  status: () => status({ rounds, stored: values.huge ? [100_000, 10_000_000] : [100_000] }),
};

const startedAt = new Date();
const rows: Row[] = [];
if (muchStored) {
  const only = chosen(STORED_SCENARIOS);
  const much = { messages: wholeNumber('stored', 0), devices: wholeNumber('devices', 0) };
  const profileDir = values.profile ?? null;
  rows.push(...(await stored({ rounds, messages, settings, only, stored: much, profileDir, told })));
}
for (const name of muchStored ? [] : chosen(SCENARIOS)) {
  const run = onNetwork[name];
  // A world of its own for each scenario: none pays for what another one stored.
  const world = run ? await startWorld({ settings, profileDir: values.profile ?? null }) : null;
  try {
    const found = world && run ? await run(world) : ((await alone[name]?.()) ?? []);
    for (const row of found) told(row);
    rows.push(...found);
  } finally {
    await world?.stop();
  }
}
const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  load: loadavg(),
};
console.log(report(rows, machine));
if (values.json) {
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1000);
  const written = { startedAt, seconds, machine, options: { rounds, messages, settings }, rows };
  await writeFile(values.json, `${JSON.stringify(written, null, 2)}\n`);
}

function told(row: Row): void {
  console.error(reportRow(row));
}

/** Those of `--only`; without it all of them. */
function chosen<S extends string>(scenarios: readonly S[]): S[] {
  if (values.only === undefined) return [...scenarios];
  return values.only.split(',').map((name) => {
    const known = scenarios.find((each) => each === name.trim());
    if (!known) throw new Error(`--only: one or more of ${scenarios.join(', ')}`);
    return known;
  });
}

function wholeNumber(name: 'rounds' | 'messages' | 'people' | 'stored' | 'devices', least = 1): number {
  const number = Number(values[name] ?? least);
  if (!Number.isInteger(number) || number < least) throw new Error(`--${name}: a whole number from ${least}`);
  return number;
}

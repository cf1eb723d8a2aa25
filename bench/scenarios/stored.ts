/** What much stored data costs: the same work on a gateway that has it, against one that has next to nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATABASE_FILE } from '../../packages/gateway/src/storage/database.ts';
import { fillStore, type Stored } from '../fill.ts';
import { cpuMs, nowMs } from '../processes/calls.ts';
import { inLanes } from '../processes/lanes.ts';
import { compete, type Figure, quantile, type Row } from '../rounds.ts';
import { CONTACTS, startWorld, type World, WUTS_PHONE } from '../world.ts';
import { burst, calm, wutsSide } from './inbound.ts';
import { downloads } from './media.ts';

export const STORED_SCENARIOS = ['inbound', 'outbound', 'media', 'start'] as const;
type Scenario = (typeof STORED_SCENARIOS)[number];

const LANES = 16;
const FILE_BYTES = 100_000;
const FILE_REQUESTS = 400;

interface Options {
  rounds: number;
  messages: number;
  stored: Stored;
  only: readonly Scenario[];
  settings: Record<string, string>;
  /** Where CPU profiles go, those of each gateway in a folder of its own. */
  profileDir: string | null;
  /** Hears of each row as soon as it is known. */
  told(row: Row): void;
}

export async function stored(options: Options): Promise<Row[]> {
  const { rounds, messages, settings, profileDir } = options;
  const full = await startWorld({ settings, profileDir: profileDir && join(profileDir, 'full') });
  const empty = await startWorld({ settings, profileDir: profileDir && join(profileDir, 'empty') });
  const folder = await mkdtemp(join(tmpdir(), 'wuts-bench-files-'));
  const paths = new Map<World, string>();
  const measures: Record<Scenario, { unit: string; of: (world: World, round: number) => Promise<Figure> }> = {
    inbound: {
      unit: 'messages/s',
      of: (world, round) => burst(world.network, wutsSide(world), round, messages),
    },
    outbound: { unit: 'messages/s', of: (world) => outbound(world, messages) },
    media: {
      unit: 'requests/s',
      of: (world) =>
        downloads(world.api, paths.get(world) ?? '', {
          bytes: FILE_BYTES,
          requests: FILE_REQUESTS,
          pid: world.gateway.pid,
        }),
    },
    start: { unit: 'starts/s', of: start },
  };
  try {
    // Both in the same way: a gateway that has just been started has warm code nowhere.
    await full.restart(async () => fillStore(join(full.dataDir, DATABASE_FILE), options.stored));
    await empty.restart();
    for (const world of [full, empty]) {
      await indexed(world);
      await calm(world.network, wutsSide(world), 'first', CONTACTS.length);
      paths.set(world, await file(world, join(folder, 'file.bin')));
    }
    const rows: Row[] = [];
    for (const name of options.only) {
      const { unit, of } = measures[name];
      const { messages: count, devices } = options.stored;
      const row = await compete({
        scenario: `${name}, ${count} messages and ${devices} devices stored`,
        unit,
        subject: 'WUTS with all that stored',
        against: 'WUTS with nothing stored',
        rounds,
        measureSubject: (round) => of(full, round),
        measureAgainst: (round) => of(empty, round),
      });
      options.told(row);
      rows.push(row);
    }
    return rows;
  } finally {
    await full.stop();
    await empty.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The words of what was filled in are indexed behind the start: that is no part of what is measured. */
async function indexed({ api }: World): Promise<void> {
  while ((await api.ok('GET', '/messages/search?q=nothing')).body.complete !== true) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function file({ network, api }: World, path: string): Promise<string> {
  const order = { from: CONTACTS[0], to: WUTS_PHONE, file: path, bytes: FILE_BYTES };
  const served = `/messages/${await network.call<string>('document', order)}/media`;
  while ((await api.call('GET', served)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return served;
}

/** Every answer is a message of its own, and every message reaches its phone. */
async function outbound({ api, gateway, network }: World, count: number): Promise<Figure> {
  const before = cpuMs(gateway.pid);
  const sent = new Map<string, string>();
  const { tookMs, latencies } = await inLanes(count, LANES, async (index) => {
    const number = CONTACTS[index % CONTACTS.length] ?? '';
    const { body } = await api.ok('POST', '/send/text', { number, text: `message ${index}` });
    sent.set(String(body.message_id), number);
  });
  const cpu = (cpuMs(gateway.pid) - before) / count;
  if (sent.size !== count) throw new Error(`${sent.size} different ids for ${count} messages`);
  for (const number of CONTACTS) {
    const ids = [...sent].filter(([, to]) => to === number).map(([id]) => id);
    await network.call('arrived', { number, ids });
  }
  return {
    rate: (count * 1000) / tookMs,
    cpuMs: cpu,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** From the start of the process until it answers with the device online and knows its last message. */
async function start(world: World): Promise<Figure> {
  const [before] = (await world.api.ok('GET', '/messages?limit=1')).body.messages;
  const begun = await world.restart();
  const tookMs = nowMs() - begun;
  const [after] = (await world.api.ok('GET', '/messages?limit=1')).body.messages;
  if (after?.message_id !== before?.message_id)
    throw new Error('the last message is another one after the start');
  return { rate: 1000 / tookMs, p50: tookMs };
}

import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../end-to-end/harness.ts';
import { Chance } from './chance.ts';
import { ChildWorld } from './child-world.ts';
import { countOpenWork, StoredState } from './stored-state.ts';

const SEED = 7;
const CUTS = 4;
const LONGEST_MS = 240_000;

let world: ChildWorld;

beforeEach(async () => {
  world = await ChildWorld.create();
});
afterEach(() => world.destroy());

/** Ends the companion's connection each time that it is there, so often. */
async function disturb(cut: (companion: string) => void): Promise<void> {
  const { sandbox, companion } = world;
  for (let n = 1; n <= CUTS; n += 1) {
    await sandbox.waitForOnline(companion, LONGEST_MS);
    cut(companion);
    await sandbox.waitForOffline(companion, LONGEST_MS);
  }
}

test.each([
  ['between two stanzas', (companion: string) => world.sandbox.faults.drop(companion)],
  ['in the middle of a stanza', (companion: string) => world.sandbox.faults.tearNext(companion)],
])('connections that are cut %s lose, double and reorder nothing', async (_where, cut) => {
  const { sandbox, shop, contact, companion, deviceId, dataDir } = world;
  const chance = new Chance(SEED);
  let disturbed = true;
  const calm = disturb(cut).finally(() => {
    disturbed = false;
  });
  const sent: { id: string; text: string }[] = [];
  for (let n = 1; disturbed; n += 1) {
    const text = `message ${n}`;
    const { id } = await contact.sendText(shop, text);
    sent.push({ id, text });
    await new Promise((resolve) => setTimeout(resolve, chance.between(0, 100)));
  }
  await calm;
  await sandbox.waitForOnline(companion, LONGEST_MS);
  await sandbox.waitForAcknowledged(companion, LONGEST_MS);
  await until('the journal is empty', async () => countOpenWork(dataDir).journal === 0);

  const stored = new StoredState(dataDir);
  const rows = stored.messages().filter((row) => row.device_id === deviceId);
  const events = stored.events().filter((event) => event.name === 'message.received');
  stored.close();
  const told = events.map(({ data }) => JSON.parse(data) as { message_id: string; content: string });
  expect(told.map(({ message_id: id, content: text }) => ({ id, text }))).toEqual(sent);
  expect(rows.map((row) => row.message_id).sort()).toEqual(sent.map(({ id }) => id).sort());
});

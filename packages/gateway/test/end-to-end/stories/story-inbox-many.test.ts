/** A busy account: a thousand stories in the inbox, in pages, each once, and gone when their day is over. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { inbound } from '../../messages/archive-world.ts';
import { type Api, type Json, World } from '../harness.ts';

const HOUR = 3600_000;
const CONTACTS = 46;
const EACH = 20;
/** One of them posts all day. */
const BUSY = 100;

let world: World;
let clock: AdvancingClock;
let token: string;

const api = (): Api => world.as(token);
const number = (index: number): string => String(5_511_977_000_000 + index);

beforeAll(async () => {
  clock = new AdvancingClock();
  world = await World.create({ clock });
  token = await world.tenant('busy');
  const shop = await world.sandbox.createPhone({ number: '5511999998901', name: 'Shop' });
  const id = await world.linkByQr(token, shop);
  await fill(id, shop);
});
afterAll(() => world.destroy());

/** Stored as they are when they come, without a phone for each of those who post them. */
async function fill(id: string, { jid, lid }: Phone): Promise<void> {
  const { archive, db } = world.gateway.parts;
  const row = await db
    .selectFrom('devices')
    .select(['id', 'tenant_id', 'user_id'])
    .where('id', '=', id as never);
  const device = await row.executeTakeFirstOrThrow();
  let at = Math.floor(clock.now() / 1000) * 1000 - HOUR;
  for (let contact = 0; contact < CONTACTS; contact += 1) {
    for (let story = 0; story < (contact === 0 ? BUSY : EACH); story += 1) {
      at += 1000;
      const sender = { jid: `${number(contact)}@s.whatsapp.net`, lid: `${70_000_000_000_000 + contact}@lid` };
      const message = inbound({
        chat: { jid: 'status@broadcast', lid: null },
        sender,
        timestamp: at,
        pushName: `Contact ${contact}`,
        content: { text: `Story ${story} of ${contact}` },
      });
      await archive.storeInbound(
        { id: device.id, tenantId: device.tenant_id, userId: device.user_id, jid, lid },
        message,
      );
    }
  }
}

async function page(query: string): Promise<Json> {
  const answer = await api().get(`/stories?${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  // Each is read and answered as a whole: it has to stay small.
  expect(answer.bytes.length).toBeLessThan(200_000);
  return answer.body;
}

test('all contacts are found page by page, each once, the newest first', async () => {
  const found: Json[] = [];
  let cursor = '';
  do {
    const { contacts, next_cursor } = await page(
      `limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    found.push(...contacts);
    cursor = next_cursor ?? '';
    expect(contacts.flatMap(({ stories }: Json) => stories).length).toBeLessThanOrEqual(200);
  } while (cursor !== '');
  expect(found.map(({ contact }) => contact.phone_number)).toEqual(
    Array.from({ length: CONTACTS }, (_, index) => number(CONTACTS - 1 - index)),
  );
  expect(found.map(({ count }) => count).reduce((all, each) => all + each, 0)).toBe(
    BUSY + (CONTACTS - 1) * EACH,
  );
  expect(new Set(found.flatMap(({ stories }) => stories.map((each: Json) => each.message_id))).size).toBe(
    (CONTACTS - 1) * EACH + 30,
  );
});

test('who posts all day is shown with the newest, and with more when asked for alone', async () => {
  const busy = (await page(`contact=${number(0)}`)).contacts;
  expect(busy).toHaveLength(1);
  expect([busy[0].count, busy[0].unseen_count, busy[0].stories.length]).toEqual([BUSY, BUSY, BUSY]);
  expect(busy[0].stories[0].content).toBe(`Story ${BUSY - 1} of 0`);
});

test('they are gone from the list when their day is over, and found for a month', async () => {
  clock.advance(25 * HOUR);
  expect(await page('limit=100')).toMatchObject({ contacts: [], count: 0, next_cursor: null });
  const after = encodeURIComponent(new Date(clock.now() - 48 * HOUR).toISOString());
  expect((await page(`after=${after}`)).count).toBeGreaterThan(0);
  clock.advance(30 * 24 * HOUR);
  const long = encodeURIComponent(new Date(clock.now() - 60 * 24 * HOUR).toISOString());
  expect((await page(`after=${long}`)).count).toBe(0);
});

import { type CompiledQuery, type KyselyPlugin, type RootOperationNode, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MessageFinder } from '../../src/messages/finding.ts';
import type { MessageFilter } from '../../src/messages/message-places.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { ArchiveWorld, BOB, CAROL, GROUP, inbound, NOW, type TestDevice } from './archive-world.ts';

let world: ArchiveWorld;
let admin: Caller;
let clerk: Caller;
let shop: TestDevice;
let till: TestDevice;

beforeAll(async () => {
  world = await ArchiveWorld.create();
  admin = await world.tenant();
  clerk = await world.user(admin.tenantId, 'user');
  shop = await world.device(admin);
  till = await world.device(clerk);
});
afterAll(() => world.destroy());

const PAGE = { order: 'desc', limit: 10 } as const;

/** A finder for whose callers there are these devices; every statement that it makes goes to `seen`. */
function finder(devices: TestDevice[], seen: CompiledQuery[] = []): MessageFinder {
  const { archive } = world;
  const db = world.db.withPlugin(recording(seen));
  return new MessageFinder({
    db,
    archive,
    devices: { resolve: async () => shop, list: async () => devices },
  });
}

function recording(seen: CompiledQuery[]): KyselyPlugin {
  return {
    transformQuery({ node, queryId }): RootOperationNode {
      seen.push(world.db.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

async function texts(filter: Partial<MessageFilter> = {}, devices = [shop]): Promise<(string | null)[]> {
  const page = await finder(devices).list(admin, { ...PAGE, ...filter });
  return page.messages.map(({ message }) => message.text);
}

test('one chat under both of its names, whichever is asked for', async () => {
  const early = inbound({
    chat: { ...CAROL, jid: null },
    sender: { ...CAROL, jid: null },
    content: { text: 'by LID' },
  });
  await world.archive.storeInbound(shop, early);
  const late = inbound({ chat: CAROL, sender: CAROL, timestamp: NOW + 1000, content: { text: 'by both' } });
  await world.archive.storeInbound(shop, late);
  await world.archive.storeInbound(shop, inbound({ chat: BOB, sender: BOB }));
  for (const name of [CAROL.jid, CAROL.lid]) {
    expect(await texts({ chat: [name as string] })).toEqual(['by both', 'by LID']);
  }
});

test('within one second the order is that of arrival', async () => {
  const chat = { jid: '120363039000000009@g.us', lid: null };
  const written = Array.from({ length: 25 }, (_, index) => `${index}`);
  for (const text of written) {
    world.clock.advance(1);
    await world.archive.storeInbound(shop, inbound({ chat, isGroup: true, content: { text } }));
  }
  const filter = { chat: [chat.jid], order: 'asc', limit: 4 } as const;
  const read: (string | null)[] = [];
  let cursor: string | null = null;
  do {
    const page = await finder([shop]).list(admin, { ...filter, cursor: cursor ?? undefined });
    read.push(...page.messages.map(({ message }) => message.text));
    cursor = page.nextCursor;
  } while (cursor);
  expect(read).toEqual(written);
});

test('more devices than one query takes', async () => {
  const owner = await world.tenant();
  const devices: TestDevice[] = [];
  for (let number = 0; number < 205; number += 1) devices.push(await world.device(owner));
  for (const [index, device] of devices.entries()) {
    const message = inbound({ timestamp: NOW + index * 1000, content: { text: `${index}` } });
    await world.archive.storeInbound(device, message);
  }
  const many = await finder(devices).list(owner, { ...PAGE, limit: 300 });
  expect(many.messages.map(({ message }) => message.text)).toEqual(
    devices.map((_, index) => `${index}`).reverse(),
  );
  const few = await finder(devices).list(owner, { ...PAGE, limit: 3 });
  expect(few.messages.map(({ message }) => message.text)).toEqual(['204', '203', '202']);
});

/** What a list costs must not grow with what is stored: so every step is a search in an index, in its order. */
describe('no list reads a table', () => {
  const after = { fromMs: NOW - 1000 };
  test.each<[string, Partial<MessageFilter>]>([
    ['all', {}],
    ['a span', { ...after, toMs: NOW + 9e6 }],
    ['a chat', { chat: [BOB.jid as string] }],
    ['a chat by LID', { chat: [BOB.lid as string] }],
    ['a group', { chat: [GROUP.jid as string], ...after }],
    ['kinds', { kinds: ['image', 'video'] }],
    ['starred', { starred: true }],
    ['oldest first', { order: 'asc' }],
  ])('%s', async (_name, filter) => {
    const first = await finder([shop, till]).list(admin, { ...PAGE, ...filter, limit: 1 });
    for (const cursor of [undefined, first.nextCursor ?? undefined]) {
      const seen: CompiledQuery[] = [];
      await finder([shop, till], seen).list(admin, { ...PAGE, ...filter, cursor });
      expect(seen.length).toBeGreaterThan(0);
      for (const query of seen) {
        const plan = await explain(query);
        const searched = plan.filter((step) => step.startsWith('SEARCH'));
        expect(searched.length, plan.join('\n')).toBeGreaterThan(0);
        expect(
          plan.filter((step) => /^SCAN (messages|media)/.test(step)),
          plan.join('\n'),
        ).toEqual([]);
        // Sorting all that was found reads it first; sorting within a second, or what is limited, does not.
        const sorted = plan.filter(
          (step, index) => step === 'USE TEMP B-TREE FOR ORDER BY' && plan[index - 1] !== 'SCAN part',
        );
        expect(sorted, plan.join('\n')).toEqual([]);
      }
      if (!first.nextCursor) break;
    }
  });

  async function explain(query: CompiledQuery): Promise<string[]> {
    const { rows } = await world.db.executeQuery<{ detail: string }>({
      ...query,
      sql: `explain query plan ${query.sql}`,
      query: sql`select 1`.compile(world.db).query,
    });
    return rows.map(({ detail }) => detail);
  }
});

import { type CompiledQuery, type KyselyPlugin, type RootOperationNode, sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { AppError } from '../../src/errors.ts';
import { MessageFinder } from '../../src/messages/finding/finder.ts';
import type { MessageFilter } from '../../src/messages/finding/places.ts';
import { WordIndex } from '../../src/messages/finding/word-index.ts';
import { createLog } from '../../src/observability/log.ts';
import { ArchiveWorld, BOB, CAROL, GROUP, inbound, NOW, type TestDevice } from './archive-world.ts';

const log = createLog({ level: 'silent', format: 'json' });
const world = await ArchiveWorld.create();
const admin = await world.tenant();
const clerk = await world.user(admin.tenantId, 'user');
const shop = await world.device(admin);
const till = await world.device(clerk);
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
    words: new WordIndex({ db: world.db, clock: world.clock, log }),
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

describe('search', () => {
  async function found(q: string, filter: Partial<MessageFilter> = {}): Promise<(string | null)[]> {
    const page = await finder([shop]).search(admin, { ...PAGE, ...filter, q });
    expect(page.complete).toBe(true);
    return page.messages.map(({ message }) => message.text);
  }

  test('the newest first, however late its message came, page by page', async () => {
    const texts = Array.from({ length: 7 }, (_, index) => `zebra ${index}`);
    // As history does: the oldest last, and some within one second.
    for (const [index, text] of [...texts.entries()].reverse()) {
      const timestamp = NOW - 1e9 + Math.floor(index / 2) * 1000;
      world.clock.advance(1);
      await world.archive.storeInbound(shop, inbound({ timestamp, content: { text } }));
      if (index % 3 === 0) await found('zebra');
    }
    const all = await found('zebra');
    expect(all).toHaveLength(7);
    const seconds = all.map((text) => Math.floor(Number(text?.at(-1)) / 2));
    expect(seconds).toEqual(seconds.toSorted((a, b) => b - a));
    for (const order of ['desc', 'asc'] as const) {
      const whole = await found('zebra', { order });
      const read: (string | null)[] = [];
      let cursor: string | null = null;
      do {
        const filter = { ...PAGE, order, limit: 2, cursor: cursor ?? undefined, q: 'zebra' };
        const page = await finder([shop]).search(admin, filter);
        read.push(...page.messages.map(({ message }) => message.text));
        cursor = page.nextCursor;
      } while (cursor);
      expect(read).toEqual(whole);
    }
  });

  test('whatever somebody types is a search or a clear refusal', async () => {
    await world.archive.storeInbound(shop, inbound({ content: { text: 'plain words' } }));
    const piece = fc.oneof(
      fc.constantFrom(
        '"',
        '*',
        '(',
        ')',
        ':',
        '^',
        '-',
        '+',
        '{',
        '}',
        'AND',
        'OR',
        'NOT',
        'NEAR(a b, 2)',
        'words',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    const typed = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(typed, async (q) => {
        await found(q).catch((error) => {
          if (!(error instanceof AppError && error.code === 'VALIDATION_ERROR')) throw error;
        });
      }),
      { numRuns: 500 },
    );
  });

  test('more messages than are indexed at once, and none of them twice', async () => {
    for (let number = 0; number < 450; number += 1) {
      await world.archive.storeInbound(shop, inbound({ content: { text: `many ${number}` } }));
    }
    const page = await finder([shop]).search(admin, { ...PAGE, limit: 500, q: 'many' });
    expect(page.messages).toHaveLength(450);
    const one = await found('many 17');
    expect(one).toEqual(['many 17']);
  });

  test('a message that is sent again is found by what it says then, at its time', async () => {
    const name = (file: string | null) => ({
      kind: 'document' as const,
      mimeType: 'text/plain',
      fileName: file,
      fileLength: 3,
      mediaKey: new Uint8Array(32),
      directPath: '/v/x',
      fileSha256: null,
      fileEncSha256: null,
      seconds: null,
      width: null,
      height: null,
    });
    const send = (text: string, file: string | null) =>
      world.archive.outbound.create({
        device: shop,
        messageId: 'RESENT0001',
        chat: BOB,
        isGroup: false,
        message: { conversation: text },
        content: { kind: 'document', text, media: name(file) },
      });
    const failed = await send('wombat old', 'numbat.txt');
    expect([await found('old'), await found('numbat')]).toEqual([['wombat old'], ['wombat old']]);
    await world.archive.outbound.markFailed(failed.tenantId, failed.rowId, 'refused');
    await send('wombat new', null);
    expect([await found('old'), await found('numbat'), await found('new')]).toEqual([[], [], ['wombat new']]);
    // Its file alone changes.
    await send('wombat new', 'quoll.txt');
    expect(await found('quoll')).toEqual(['wombat new']);
    await send('wombat new', null);
    expect(await found('quoll')).toEqual([]);
    // Nothing but its time does.
    const later = world.clock.now() + 3_600_000;
    await world.archive.outbound.markSent(failed, { timestamp: later });
    expect(await found('wombat', { fromMs: later })).toEqual(['wombat new']);
    expect(await found('wombat', { toMs: later })).toEqual([]);
  });

  test('what goes with its device is forgotten', async () => {
    const gone = await world.device(admin);
    await world.archive.storeInbound(gone, inbound({ content: { text: 'ephemeral' } }));
    expect(await found('ephemeral')).toEqual([]);
    const rows = () =>
      sql<{ rows: number }>`select count(*) as rows from message_search where message_search
      match 'ephemeral'`.execute(world.db);
    expect((await rows()).rows[0]?.rows).toBe(1);
    await world.db.deleteFrom('devices').where('id', '=', gone.id).execute();
    expect((await rows()).rows[0]?.rows).toBe(0);
  });

  test('a word that is everywhere is not gathered: the plan walks the index in order', async () => {
    const seen: CompiledQuery[] = [];
    await finder([shop], seen).search(admin, { ...PAGE, q: 'many', ...{ fromMs: NOW - 1e9 } });
    const query = seen.find(({ sql }) => sql.includes('match'));
    const plan = query ? await explain(query) : [];
    expect(plan.join('\n')).toMatch(/^SCAN message_search VIRTUAL TABLE/);
    expect(plan.join('\n')).not.toContain('TEMP B-TREE');
  });
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
});

async function explain(query: CompiledQuery): Promise<string[]> {
  const { rows } = await world.db.executeQuery<{ detail: string }>({
    ...query,
    sql: `explain query plan ${query.sql}`,
    query: sql`select 1`.compile(world.db).query,
  });
  return rows.map(({ detail }) => detail);
}

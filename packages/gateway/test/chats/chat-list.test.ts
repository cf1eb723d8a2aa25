/** What is kept of chats, by what is stored and told: the tables alone, without a network. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ChatKeeper } from '../../src/chats/chat-keeper.ts';
import { ListedNames } from '../../src/chats/chat-names.ts';
import { type ChatFilter, ChatStore } from '../../src/chats/chat-store.ts';
import { ChatWrites } from '../../src/chats/chat-writes.ts';
import { Clearing } from '../../src/chats/clearing.ts';
import { NoticeEvents } from '../../src/events/notice-events.ts';
import { noEvents } from '../../src/events/recorder.ts';
import { MessageHistory } from '../../src/messages/history.ts';
import type { HistoryChat } from '../../src/whatsapp/port/history.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import type { SessionNotice } from '../../src/whatsapp/port/notices.ts';
import {
  ALICE,
  ArchiveWorld,
  BOB,
  CAROL,
  GROUP,
  inbound,
  NOW,
  type TestDevice,
} from '../messages/archive-world.ts';

const SECOND = 1000;

let world: ArchiveWorld;
let notices: NoticeEvents;
let history: MessageHistory;
let store: ChatStore;
let device: TestDevice;
const cleared: string[] = [];
/** Whether the next message is not stored after all. */
let rolledBack = false;

beforeAll(async () => {
  world = await ArchiveWorld.create();
  const { db, clock, archive, keepers } = world;
  const writes = new ChatWrites(new ListedNames());
  const keeper = new ChatKeeper({ writes, clock, cleared: (tenantId) => cleared.push(tenantId) });
  keepers.add({ message: keeper.message, history: keeper.history });
  keepers.add({
    message: async () => {
      if (rolledBack) throw new Error('rolled back');
    },
  });
  notices = new NoticeEvents({ db, events: noEvents });
  notices.keep(keeper.notice);
  notices.forget(keeper.forget);
  history = new MessageHistory({ db, archive, events: noEvents, keepers });
  store = new ChatStore({ db, clock });
});
afterAll(() => world.destroy());

beforeEach(async () => {
  device = await world.device(await world.tenant());
});

const received = (options: Parameters<typeof inbound>[0]) =>
  world.archive.storeInbound(device, inbound(options));
const tell = (notice: SessionNotice) => notices.record(device, notice);
const list = async (filter: ChatFilter = {}) => (await store.list(device, filter)).chats;
const find = async ({ jid, lid }: Identity) =>
  store.find(
    device,
    [jid, lid].filter((name) => name !== null),
  );

function past(chat: Identity, told: Partial<HistoryChat>) {
  const nothing = { name: null, archived: false, pinned: false, muted: false, mutedUntil: null };
  const chats = [{ chat, ...nothing, unreadCount: 0, markedUnread: false, lastAt: null, ...told }];
  return history.store(device, {
    kind: 'initial',
    progress: null,
    messages: [],
    timers: [],
    chats,
    contacts: 0,
  });
}

describe('one person', () => {
  test('is one chat, though what was told first named the LID alone', async () => {
    const hidden = { jid: null, lid: BOB.lid };
    await tell({ name: 'chat.pin', chat: hidden, pinned: true });
    await received({ chat: hidden, sender: hidden });
    expect(await list()).toMatchObject([{ chat: hidden, pinned: true, unreadCount: 1 }]);
    await received({ timestamp: NOW + SECOND });
    expect(await list()).toMatchObject([{ chat: BOB, pinned: true, unreadCount: 2 }]);
    await tell({ name: 'chat.pin', chat: hidden, pinned: false });
    expect(await list()).toMatchObject([{ chat: BOB, pinned: false }]);
  });

  test('is one chat also when the message that told both names was rolled back at first', async () => {
    const hidden = { jid: null, lid: BOB.lid };
    await received({ chat: hidden, sender: hidden });
    rolledBack = true;
    await expect(received({ timestamp: NOW + SECOND })).rejects.toThrow('rolled back');
    rolledBack = false;
    await received({ timestamp: NOW + SECOND });
    expect(await list()).toMatchObject([{ chat: BOB, unreadCount: 2 }]);
  });

  test('keeps of two rows what was set in either', async () => {
    const number = { jid: CAROL.jid, lid: null };
    const hidden = { jid: null, lid: CAROL.lid };
    await received({ chat: number, sender: number });
    await tell({ name: 'chat.mute', chat: hidden, muted: true, mutedUntil: null });
    await tell({ name: 'contact.changed', contact: CAROL, firstName: 'Carol', fullName: null });
    expect(await list()).toMatchObject([{ chat: CAROL, muted: true, name: 'Carol', unreadCount: 1 }]);
  });
});

test('another account on the device sees none of it, and leaves it as it is', async () => {
  await received({ content: { text: "Alice's" } });
  await tell({ name: 'chat.pin', chat: BOB, pinned: true });
  const carols = { ...device, ...CAROL };
  expect((await store.list(carols, {})).chats).toEqual([]);
  expect(await store.find(carols, [BOB.jid ?? ''])).toBeNull();
  await notices.record(carols, { name: 'chat.clear', chat: BOB, upTo: null, keepsStarred: false });
  expect(await find(BOB)).toMatchObject({ pinned: true, unreadCount: 1, lastRowId: expect.any(String) });
});

describe('what is unread', () => {
  test('is what came after what was read, here or elsewhere', async () => {
    const ids = ['A', 'B', 'C'].map((each) => `3EB0UNREAD${each}${Math.random()}`);
    for (const [index, id] of ids.entries()) await received({ id, timestamp: NOW + index * SECOND });
    await received({ fromMe: true, sender: ALICE, timestamp: NOW + 9 * SECOND });
    expect(await find(BOB)).toMatchObject({ unreadCount: 3 });
    await tell({ name: 'chat.mark_as_read', chat: BOB, read: true, upTo: NOW + SECOND });
    expect(await find(BOB)).toMatchObject({ unreadCount: 1 });
    // What is read stays so, whatever is told late.
    await tell({ name: 'chat.mark_as_read', chat: BOB, read: true, upTo: NOW });
    expect(await find(BOB)).toMatchObject({ unreadCount: 1 });
    await received({ timestamp: NOW + SECOND });
    expect(await find(BOB)).toMatchObject({ unreadCount: 1 });
    await tell({ name: 'chat.mark_as_read', chat: BOB, read: false, upTo: null });
    expect(await list({ unread: true })).toMatchObject([{ markedUnread: true }]);
  });

  test('is no reaction, no edit, and nothing of a channel or of stories', async () => {
    await received({ content: { kind: 'reaction', targetId: 'x' } });
    const news = { jid: '120363000000000001@newsletter', lid: null };
    await received({ chat: news, sender: news });
    const stories = { jid: 'status@broadcast', lid: null };
    await received({ chat: stories });
    expect(await list()).toEqual([]);
  });
});

describe('what history tells', () => {
  test('is how a chat stands, once', async () => {
    const told = { name: 'Bob B.', unreadCount: 4, pinned: true, lastAt: NOW - SECOND };
    await past(BOB, told);
    await past(BOB, told);
    expect(await list()).toMatchObject([
      { name: 'Bob B.', unreadCount: 4, pinned: true, lastAt: NOW - SECOND },
    ]);
    await received({ timestamp: NOW });
    expect(await find(BOB)).toMatchObject({ unreadCount: 5, lastAt: NOW });
  });

  test('does not undo what the state of the account said before', async () => {
    await tell({ name: 'chat.archive', chat: BOB, archived: true, upTo: NOW });
    await past(BOB, { archived: false, unreadCount: 2 });
    expect(await find(BOB)).toMatchObject({ archived: true, unreadCount: 2 });
  });
});

test('state that is told anew takes the place of what was told before', async () => {
  await received({});
  await tell({ name: 'chat.pin', chat: BOB, pinned: true });
  await tell({ name: 'chat.mute', chat: BOB, muted: true, mutedUntil: null });
  await notices.describe(device, { collection: 'regular_low', begins: true, notices: [] });
  expect(await find(BOB)).toMatchObject({ pinned: false, muted: true });
  await notices.describe(device, {
    collection: 'regular_high',
    begins: true,
    notices: [{ name: 'chat.mute', chat: GROUP, muted: true, mutedUntil: null }],
  });
  expect(await find(BOB)).toMatchObject({ muted: false });
  expect(await find(GROUP)).toMatchObject({ muted: true });
});

describe('a chat that is cleared', () => {
  const MANY = 1200;

  async function fill(): Promise<void> {
    for (let index = 0; index < MANY; index += 1) await received({ timestamp: NOW + index });
  }
  const shown = () =>
    world.db
      .selectFrom('messages')
      .select('timestamp')
      .where('device_id', '=', device.id)
      .where('hidden_at', 'is', null)
      .execute();

  test('loses its messages a little at a time, also after a crash, and keeps what came since', async () => {
    await fill();
    await tell({ name: 'chat.clear', chat: BOB, upTo: NOW, keepsStarred: false });
    expect(cleared).toContain(device.tenantId);
    // What was written within the second that app state names counts; these came later.
    await received({ timestamp: NOW + 10 * SECOND });
    expect(await shown()).toHaveLength(MANY + 1);
    const next = new Clearing({
      db: world.db,
      clock: world.clock,
      log: world.log,
      tenantIds: async () => [device.tenantId],
    });
    next.start();
    await next.done(device.tenantId);
    expect((await shown()).map(({ timestamp }) => timestamp).sort()).toEqual([
      ...Array.from({ length: MANY - 1000 }, (_, index) => NOW + 1000 + index),
      NOW + 10 * SECOND,
    ]);
    const left = world.db.selectFrom('chats').select('clear_to').where('device_id', '=', device.id);
    expect(await left.execute()).toEqual([{ clear_to: 0 }]);
    await next.stop();
  });
});

test('five thousand chats come in pages, each once, the newest first', async () => {
  const rows = Array.from({ length: 5000 }, (_, index) => ({
    tenant_id: device.tenantId,
    device_id: device.id,
    account: ALICE.jid ?? '',
    chat: `55119${String(10_000_000 + index)}@s.whatsapp.net`,
    lid: null,
    name: `Person ${index}`,
    push_name: null,
    listed: 1,
    // Many at one moment.
    last_at: NOW + (index % 7),
  }));
  for (let start = 0; start < rows.length; start += 500) {
    await world.db
      .insertInto('chats')
      .values(rows.slice(start, start + 500))
      .execute();
  }
  const all = await list();
  const wanted = rows
    .toSorted((a, b) => b.last_at - a.last_at || (a.chat < b.chat ? 1 : -1))
    .map(({ chat }) => chat);
  expect(all.map(({ chat }) => chat.jid)).toEqual(wanted);
  const paged: (string | null)[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(device, { limit: 700, cursor });
    paged.push(...page.chats.map(({ chat }) => chat.jid));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(paged).toEqual(wanted);
  expect(await list({ q: 'person 4999' })).toHaveLength(1);
});

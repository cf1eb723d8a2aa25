/** What was stored in the chat of a broadcast list before it was known that it belongs to its author. */
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MessagesTable } from '../../src/storage/schema.ts';
import { down, up } from '../../src/storage/sqlite/migrations/0079-broadcast-lists-and-refusals.ts';
import { type DeviceIds, TestStore } from './stored.ts';

const LIST = '1700000000@broadcast';
const [BOB, BOB_LID] = ['5511999990002@s.whatsapp.net', '222222222222222@lid'];
const OWN = '5511999990001@s.whatsapp.net';

let store: TestStore;
let device: DeviceIds;

beforeEach(async () => {
  store = await TestStore.open();
  device = await store.device();
  await down(store.db as unknown as Kysely<unknown>);
});
afterEach(() => store.close());

async function add(id: string, row: Partial<MessagesTable> = {}): Promise<void> {
  const plain = {
    account_jid: OWN,
    chat_jid: LIST,
    chat_lid: null,
    sender_jid: BOB,
    sender_lid: BOB_LID,
    from_me: 0,
    is_group: 0,
    kind: 'text',
    text: id,
    push_name: null,
    context: null,
    target_id: null,
    raw: new Uint8Array(0),
    source: 'phone',
    timestamp: 1000,
    send_state: 'none',
    send_error: null,
    delivered_at: null,
    read_at: null,
    played_at: null,
    edited_at: null,
    revoked_at: null,
    hidden_at: null,
    starred_at: null,
    server_id: null,
    created_at: 1000,
  } as const;
  const owner = { id, tenant_id: device.tenantId, device_id: device.id, message_id: id };
  await store.db
    .insertInto('messages')
    .values({ ...plain, ...owner, ...row })
    .execute();
}

const rows = () =>
  store.db.selectFrom('messages').select(['id', 'chat_jid', 'chat_lid', 'context']).orderBy('id').execute();

it('is moved into that chat, which is listed; what is ours, and stories, stay', async () => {
  await add('a', { timestamp: 3000 });
  await add('b', { context: JSON.stringify({ forwarded: true }) });
  await add('by-lid', { sender_jid: BOB_LID, kind: 'image' });
  await add('from-nobody', { sender_jid: '' });
  await add('ours', { from_me: 1, sender_jid: OWN });
  await add('story', { chat_jid: 'status@broadcast' });
  await sql`
    insert into media (message_row_id, tenant_id, device_id, kind, mime_type, media_key, lid_addressed, outcome)
    values ('by-lid', ${device.tenantId}, ${device.id}, 'image', 'image/jpeg', ${Buffer.alloc(32)}, 1, 'available')
  `.execute(store.db);
  await up(store.db as unknown as Kysely<unknown>);
  const broadcast = { list: LIST };
  expect(
    (await rows()).map(({ context, ...row }) => ({ ...row, context: context && JSON.parse(context) })),
  ).toEqual([
    { id: 'a', chat_jid: BOB, chat_lid: BOB_LID, context: { broadcast } },
    { id: 'b', chat_jid: BOB, chat_lid: BOB_LID, context: { forwarded: true, broadcast } },
    { id: 'by-lid', chat_jid: BOB_LID, chat_lid: BOB_LID, context: { broadcast } },
    { id: 'from-nobody', chat_jid: LIST, chat_lid: null, context: null },
    { id: 'ours', chat_jid: LIST, chat_lid: null, context: null },
    { id: 'story', chat_jid: 'status@broadcast', chat_lid: null, context: null },
  ]);
  const media = await store.db.selectFrom('media').select('broadcast_list').execute();
  expect(media).toEqual([{ broadcast_list: LIST }]);
  const chats = await store.db
    .selectFrom('chats')
    .select(['chat', 'lid', 'last_at', 'unread_count'])
    .execute();
  expect(chats).toEqual(
    expect.arrayContaining([
      { chat: BOB, lid: BOB_LID, last_at: 3000, unread_count: 0 },
      { chat: BOB_LID, lid: null, last_at: 1000, unread_count: 0 },
    ]),
  );
});

it('stays where it is when it is in that chat a second time', async () => {
  await add('a');
  await add('again', { message_id: 'a', chat_jid: BOB, chat_lid: BOB_LID });
  await up(store.db as unknown as Kysely<unknown>);
  expect((await rows()).map(({ id, chat_jid }) => [id, chat_jid])).toEqual([
    ['a', LIST],
    ['again', BOB],
  ]);
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EventOutbox } from '../../src/events/outbox.ts';
import { MessageArchive } from '../../src/messages/archive.ts';
import { MessageHistory } from '../../src/messages/history.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { HistoryBatch } from '../../src/whatsapp/port/history.ts';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';
import { ALICE, ArchiveWorld, BOB, inbound, messageId, NOW, type TestDevice } from './archive-world.ts';

let world: ArchiveWorld;
let history: MessageHistory;
let archive: MessageArchive;
let device: TestDevice;
const fetched: string[] = [];

beforeAll(async () => {
  world = await ArchiveWorld.create();
  const { db, vault, clock } = world;
  const events = new EventOutbox({ clock, vault });
  archive = new MessageArchive({
    db,
    vault,
    clock,
    codec: wireCodec,
    events,
    onStored: (message) => fetched.push(message.messageId),
  });
  history = new MessageHistory({ db, archive, events });
});
afterAll(() => world.destroy());

beforeEach(async () => {
  device = await world.device(await world.tenant());
  fetched.length = 0;
});

const past = (options: Parameters<typeof inbound>[0] = {}): InboundMessage =>
  inbound({ ...options, source: 'history', timestamp: options.timestamp ?? NOW - 86_400_000 });

const batch = (messages: InboundMessage[], kind: HistoryBatch['kind'] = 'recent'): HistoryBatch => ({
  kind,
  progress: 40,
  messages,
  timers: [],
  chats: [
    {
      chat: { jid: '5511900000009@s.whatsapp.net', lid: null },
      name: null,
      archived: null,
      pinned: null,
      muted: null,
      mutedUntil: null,
      unreadCount: null,
      markedUnread: null,
      lastAt: null,
    },
  ],
  contacts: 1,
});

async function events() {
  const rows = await world.db
    .selectFrom('events')
    .select(['name', 'data', 'quiet'])
    .where('device_id', '=', device.id)
    .orderBy('seq')
    .execute();
  return rows.map(({ name, data, quiet }) => ({ name, quiet, data: JSON.parse(data) }));
}

describe('a piece of history', () => {
  test('is stored with one event that lists its messages, and nothing is fetched or pushed for each', async () => {
    const picture = past({
      content: {
        kind: 'image',
        text: 'look',
        media: {
          kind: 'image',
          mimeType: 'image/jpeg',
          fileName: null,
          fileLength: 10,
          mediaKey: new Uint8Array(32).fill(7),
          directPath: '/v/x',
          fileSha256: null,
          fileEncSha256: null,
          seconds: null,
          width: null,
          height: null,
        },
      },
    });
    const messages = [past(), picture, past({ fromMe: true, sender: ALICE, pushName: null })];
    await history.store(device, batch(messages));

    const [event, ...others] = await events();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      name: 'history.sync',
      quiet: 0,
      data: { kind: 'recent', progress: 40, chats: 1, contacts: 1, count: 3, stored: 3 },
    });
    expect(event?.data.messages.map((message: { message_id: string }) => message.message_id)).toEqual(
      messages.map(({ id }) => id),
    );
    expect(event?.data.messages[1]).toMatchObject({
      message_type: 'image',
      content: 'look',
      source: 'history',
      media: { mime_type: 'image/jpeg', url: `/messages/${event?.data.messages[1].record_id}/media` },
    });
    const own = await world.only(device.tenantId, messages[2]?.id ?? '');
    expect(own).toMatchObject({ source: 'history', sendState: 'sent', fromMe: true });
    expect(fetched).toEqual([]);
    const media = await world.db
      .selectFrom('media')
      .select('direct_path')
      .where('device_id', '=', device.id)
      .execute();
    expect(media).toEqual([{ direct_path: '/v/x' }]);
  });

  test('that comes again after a crash is no second event; one that is half new lists the new half', async () => {
    const first = [past(), past()];
    await history.store(device, batch(first));
    await history.store(device, batch(first));
    expect(await events()).toHaveLength(1);
    const third = past();
    await history.store(device, batch([...first, third]));
    const [, event] = await events();
    expect(event?.data).toMatchObject({ count: 3, stored: 1, messages: [{ message_id: third.id }] });
  });

  test('that was asked for is answered with all of it, known or not, and also when empty', async () => {
    const known = past({ content: { text: 'known' } });
    await history.store(device, batch([known]));
    await history.store(device, batch([known], 'on_demand'));
    await history.store(device, batch([], 'on_demand'));
    const [, again, empty] = await events();
    expect(again?.data).toMatchObject({
      kind: 'on_demand',
      count: 1,
      stored: 0,
      messages: [{ message_id: known.id, content: 'known' }],
    });
    expect(empty?.data).toMatchObject({ kind: 'on_demand', count: 0, stored: 0, messages: [] });
  });

  test('does not touch a message that arrived by itself', async () => {
    const id = messageId();
    await archive.storeInbound(device, inbound({ id, content: { text: 'live' } }));
    await history.store(device, batch([past({ id, content: { text: 'retold' } })]));
    expect(await world.only(device.tenantId, id)).toMatchObject({ source: 'phone', text: 'live' });
    expect((await events()).map(({ name }) => name)).toEqual(['message.received']);
  });

  test('does not swallow the message that arrives behind it', async () => {
    const id = messageId();
    await history.store(device, batch([past({ id, chat: BOB })]));
    await archive.storeInbound(device, inbound({ id }));
    await archive.storeInbound(device, inbound({ id }));
    expect(await world.only(device.tenantId, id)).toMatchObject({ source: 'phone' });
    expect((await events()).map(({ name }) => name)).toEqual(['history.sync', 'message.received']);
    expect(fetched).toEqual([id]);
  });

  test('fills in what could not be decrypted', async () => {
    const id = messageId();
    await archive.storeInbound(
      device,
      inbound({ id, raw: new Uint8Array(0), content: { kind: 'undecryptable', text: null } }),
    );
    await history.store(device, batch([past({ id, content: { text: 'at last' } })]));
    expect(await world.only(device.tenantId, id)).toMatchObject({ kind: 'text', text: 'at last' });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EventStore } from '../../src/events/event-store.ts';
import { EventOutbox, type EventSubscriber } from '../../src/events/outbox.ts';
import { SealedEvents } from '../../src/events/sealed-events.ts';
import { MessageArchive } from '../../src/messages/archive.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { MessageReceipt } from '../../src/whatsapp/port/receipts.ts';
import {
  ArchiveWorld,
  BOB,
  CAROL,
  GROUP,
  inbound,
  messageId,
  NOW,
  type TestDevice,
} from '../messages/archive-world.ts';
import { problems } from './schema.ts';

let world: ArchiveWorld;
let store: EventStore;
let owner: Caller;
let device: TestDevice;
let archive: MessageArchive;
let enlisted: string[];
let commits: number;
let refuse: Error | null;

const subscriber = {
  async enlist(_trx, _device, event) {
    if (refuse) throw refuse;
    enlisted.push(`${event.seq} ${event.name} ${event.orderKey}`);
  },
  committed() {
    commits += 1;
  },
} satisfies EventSubscriber;

beforeAll(async () => {
  world = await ArchiveWorld.create();
  store = new EventStore(world.db);
  const { db, vault, clock } = world;
  const events = new EventOutbox({ clock, vault });
  events.subscribe(subscriber);
  archive = new MessageArchive({ db, vault, clock, codec: wireCodec, events });
});
beforeEach(async () => {
  owner = await world.tenant();
  device = await world.device(owner);
  enlisted = [];
  commits = 0;
  refuse = null;
});
afterAll(() => world.destroy());

const recorded = async () => {
  const rows = await store.eventsAfter(owner.tenantId, { limit: 100 });
  const events = rows.map((row) => new SealedEvents(world).envelope(row));
  for (const event of events) expect(problems(event.event, event.data), event.event).toEqual([]);
  return events;
};
const names = async () => (await recorded()).map((event) => event.event);

async function send(options: { kind?: 'text' | 'edit'; target?: string; mentions?: string[] } = {}) {
  const { kind = 'text', target, mentions = [] } = options;
  return archive.outbound.create({
    device,
    messageId: messageId(),
    chat: BOB,
    isGroup: false,
    message: { conversation: 'hello' },
    content: { kind, text: 'hello', mentions, ...(target ? { targetId: target } : {}) },
  });
}

describe('the outbox', () => {
  test('a stored message and its event are one commit', async () => {
    const message = inbound();
    await archive.storeInbound(device, message);
    const [event] = await recorded();
    expect(event).toMatchObject({
      event: 'message.received',
      timestamp: NOW / 1000,
      device_id: device.id,
      user_id: owner.userId,
      data: {
        message_id: message.id,
        from: BOB.jid,
        to: device.jid,
        chat_jid: BOB.jid,
        chat_lid: BOB.lid,
        sender: { jid: BOB.jid, lid: BOB.lid, phone_number: '5511999990002', push_name: 'Bob' },
        push_name: 'Bob',
        message_type: 'text',
        content: 'hi',
        timestamp: '2026-06-15T12:00:00.000Z',
        is_from_me: false,
        source: 'phone',
      },
    });
    expect(enlisted).toEqual([expect.stringMatching(/^\d+ message\.received 222222222222222@lid$/)]);
    expect(commits).toBe(1);
  });

  test('when the event cannot be written, nothing was stored', async () => {
    refuse = new Error('no room');
    const message = inbound();
    await expect(archive.storeInbound(device, message)).rejects.toThrow('no room');
    expect(await names()).toEqual([]);
    expect(await archive.stored.withId(owner.tenantId, message.id)).toEqual([]);
    expect(commits).toBe(0);
  });

  test('a redelivery records nothing', async () => {
    const message = inbound();
    await archive.storeInbound(device, message);
    await archive.storeInbound(device, message);
    expect(await names()).toEqual(['message.received']);
  });

  test('a quiet event is stored and not pushed', async () => {
    const outbox = new EventOutbox(world);
    outbox.subscribe(subscriber);
    const event = {
      name: 'offline.sync_completed',
      data: { count: 3 },
      orderKey: 'device',
      quiet: true,
    } as const;
    await world.db.transaction().execute((trx) => outbox.record(trx, device, event));
    expect(await recorded()).toMatchObject([{ event: 'offline.sync_completed', data: { count: 3 } }]);
    expect(enlisted).toEqual([]);
  });

  test('places ascend for ever, also after the newest event was deleted', async () => {
    await archive.storeInbound(device, inbound());
    const before = await store.newest();
    await world.db.deleteFrom('events').execute();
    await archive.storeInbound(device, inbound());
    expect(await store.newest()).toBeGreaterThan(before);
  });
});

describe('what the archive reports', () => {
  test('an undecryptable message, and the message once it can be read', async () => {
    const message = inbound({ content: { kind: 'undecryptable', text: null } });
    await archive.storeInbound(device, message);
    await archive.storeInbound(device, message);
    await archive.storeInbound(device, inbound({ id: message.id }));
    expect(await names()).toEqual(['message.undecryptable', 'message.received']);
  });

  test('an edit and a revoke, by their author alone', async () => {
    const message = inbound();
    await archive.storeInbound(device, message);
    const edit = { kind: 'edit', text: 'better', targetId: message.id } as const;
    await archive.storeInbound(device, inbound({ sender: CAROL, content: edit }));
    await archive.storeInbound(device, inbound({ content: edit }));
    await archive.storeInbound(
      device,
      inbound({ content: { kind: 'revoke', text: null, targetId: message.id } }),
    );
    const events = await recorded();
    expect(events.map((event) => event.event)).toEqual([
      'message.received',
      'message.edited',
      'message.revoked',
    ]);
    expect(events[1]?.data).toMatchObject({
      message_id: message.id,
      content: 'better',
      sender: { jid: BOB.jid },
    });
  });

  test('a reaction, and the message that it is', async () => {
    const target = messageId();
    await archive.storeInbound(
      device,
      inbound({ content: { kind: 'reaction', text: '👍', targetId: target } }),
    );
    const [message, reaction, ...more] = await recorded();
    const data = { message_type: 'reaction', content: '👍', target_message_id: target };
    expect(message).toMatchObject({ event: 'message.received', data });
    expect(reaction).toMatchObject({
      event: 'message.reaction',
      data: { message_id: target, reaction: '👍' },
    });
    expect(more).toEqual([]);
  });

  test('what the account wrote on its phone', async () => {
    await archive.storeInbound(
      device,
      inbound({ fromMe: true, sender: { jid: device.jid, lid: device.lid } }),
    );
    const [event] = await recorded();
    expect(event).toMatchObject({
      event: 'message.sent',
      data: { is_from_me: true, source: 'phone', from: device.jid, to: BOB.jid },
    });
  });

  test('a protocol message is none of the receiver’s business', async () => {
    await archive.storeInbound(device, inbound({ content: { kind: 'protocol', text: null } }));
    expect(await names()).toEqual([]);
  });

  test('where a location is', async () => {
    const raw = wireCodec.encode({
      locationMessage: { degreesLatitude: -23.5, degreesLongitude: -46.6, name: 'Market' },
    });
    await archive.storeInbound(device, inbound({ raw, content: { kind: 'location', text: null } }));
    const [event] = await recorded();
    expect(event?.data).toMatchObject({
      message_type: 'location',
      content: '',
      details: { latitude: -23.5, longitude: -46.6, name: 'Market', address: null },
    });
  });

  test('media, by what is known of it', async () => {
    const media = {
      kind: 'image',
      mimeType: 'image/jpeg',
      fileName: null,
      fileLength: 100,
      mediaKey: new Uint8Array(32).fill(1),
      directPath: '/v/t62',
      fileSha256: new Uint8Array(32).fill(2),
      fileEncSha256: new Uint8Array(32).fill(3),
      seconds: null,
      width: 10,
      height: -5,
    } as const;
    const message = inbound({ content: { kind: 'image', text: 'look', media } });
    const stored = await archive.storeInbound(device, message);
    const [event] = await recorded();
    const { media: shown, ...data } = event?.data as { media: object };
    expect(data).toMatchObject({ record_id: stored?.rowId, message_type: 'image', content: 'look' });
    expect(shown).toEqual({
      kind: 'image',
      mime_type: 'image/jpeg',
      file_name: null,
      size: 100,
      sha256: '02'.repeat(32),
      seconds: null,
      width: 10,
      height: null,
      url: `/messages/${stored?.rowId}/media`,
    });
  });

  test('sent once, whichever of ack and receipt comes first, then each receipt of each recipient once', async () => {
    const first = await send({ mentions: [CAROL.jid ?? ''] });
    await archive.outbound.markSent(first, { timestamp: NOW });
    await archive.outbound.markSent(first, { timestamp: NOW });
    expect(await names()).toEqual(['message.sent', 'mention.sent']);
    const second = await send();
    const receipt: MessageReceipt = {
      chat: BOB,
      isGroup: false,
      recipient: BOB,
      messageIds: [second.messageId],
      kind: 'delivered',
      timestamp: NOW,
    };
    await archive.applyReceipt(device, receipt);
    await archive.applyReceipt(device, receipt);
    await archive.outbound.markSent(second, { timestamp: NOW });
    await archive.applyReceipt(device, { ...receipt, kind: 'read' });
    await archive.applyReceipt(device, { ...receipt, messageIds: ['unknown'], kind: 'read' });
    const events = (await recorded()).slice(2);
    expect(events.map((event) => event.event)).toEqual(['message.sent', 'message.delivered', 'message.read']);
    expect(events[1]?.data).toMatchObject({
      message_id: second.messageId,
      status: 'delivered',
      recipient: { jid: BOB.jid, lid: BOB.lid, phone_number: '5511999990002' },
    });
  });

  test('what was refused', async () => {
    const message = await send();
    await archive.outbound.markFailed(owner.tenantId, message.rowId, 'refused by WhatsApp: no (463)');
    await archive.outbound.markFailed(owner.tenantId, message.rowId, 'again');
    const [event, ...more] = await recorded();
    expect(event).toMatchObject({
      event: 'message.failed',
      data: { message_id: message.messageId, error: 'refused by WhatsApp: no (463)' },
    });
    expect(more).toEqual([]);
  });

  test('an edit of ours is an edit, not a message', async () => {
    const edit = await send({ kind: 'edit', target: 'ORIGINAL' });
    await archive.outbound.markSent(edit, { timestamp: NOW });
    expect(await recorded()).toMatchObject([
      {
        event: 'message.edited',
        data: { message_id: 'ORIGINAL', content: 'hello', is_from_me: true, source: 'api' },
      },
    ]);
  });

  test('order within a group is the order of the group', async () => {
    await archive.storeInbound(device, inbound({ chat: GROUP, isGroup: true }));
    await archive.storeInbound(device, inbound({ chat: GROUP, isGroup: true, sender: CAROL }));
    expect(enlisted.map((each) => each.split(' ').at(-1))).toEqual([GROUP.jid, GROUP.jid]);
    const [event] = await recorded();
    expect(event?.data).toMatchObject({ is_group: true, chat_jid: GROUP.jid, to: GROUP.jid, from: BOB.jid });
  });
});

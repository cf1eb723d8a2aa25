import { afterAll, describe, expect, it } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { STATUS_ORDER } from '../../src/messages/incoming-receipts.ts';
import { MessageStatuses } from '../../src/messages/status.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import type { MessageReceipt, ReceiptKind } from '../../src/whatsapp/port/receipts.ts';
import { ALICE, ArchiveWorld, BOB, CAROL, GROUP, inbound, messageId, NOW } from './archive-world.ts';

const world = await ArchiveWorld.create();
const caller = await world.tenant();
const device = await world.device(caller);
const devices = { resolve: async () => device, list: async () => [device] };
const statuses = new MessageStatuses({ db: world.db, archive: world.archive, devices });
afterAll(() => world.destroy());

const receipt = (id: string, kind: ReceiptKind, options: Partial<MessageReceipt> = {}): MessageReceipt => ({
  chat: BOB,
  isGroup: false,
  recipient: BOB,
  messageIds: [id],
  kind,
  timestamp: NOW + 1000,
  ...options,
});
const apply = (each: MessageReceipt) => world.archive.applyReceipt(device, each);
const statusNow = async (id: string) => (await statuses.status(caller, { id: id })).status;

describe('status of a message of ours', () => {
  it('goes pending, delivered, read, played, with the time of each', async () => {
    const { messageId: id } = await world.sentText(device);
    expect(await statusNow(id)).toBe('pending');
    await apply(receipt(id, 'delivered'));
    expect(await statusNow(id)).toBe('delivered');
    await apply(receipt(id, 'read', { timestamp: NOW + 2000 }));
    expect(await statusNow(id)).toBe('read');
    await apply(receipt(id, 'played', { timestamp: NOW + 3000 }));
    const { message, status } = await statuses.status(caller, { id: id });
    expect(status).toBe('played');
    expect(message).toMatchObject({ deliveredAt: NOW + 1000, readAt: NOW + 2000, playedAt: NOW + 3000 });
  });

  it('never goes back, and keeps the first time of each kind, in whatever order receipts come', async () => {
    const kinds = fc.constantFrom<ReceiptKind>('delivered', 'read', 'played');
    const recipients = fc.constantFrom<Identity>(BOB, CAROL, { jid: null, lid: BOB.lid });
    const events = fc.array(
      fc.record({ kind: kinds, recipient: recipients, at: fc.integer({ min: 0, max: 100_000 }) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(events, async (list) => {
        const { messageId: id } = await world.sentText(device, { chat: GROUP });
        let rank = 0;
        for (const { kind, recipient, at } of list) {
          await apply(receipt(id, kind, { chat: GROUP, isGroup: true, recipient, timestamp: NOW + at }));
          const next = STATUS_ORDER.indexOf(await statusNow(id));
          expect(next).toBeGreaterThanOrEqual(rank);
          rank = next;
        }
        const message = await world.only(caller.tenantId, id);
        const first = (...which: ReceiptKind[]) => {
          const times = list.filter((each) => which.includes(each.kind)).map((each) => NOW + each.at);
          return times.length > 0 ? Math.min(...times) : null;
        };
        expect(message.deliveredAt).toBe(first('delivered', 'read', 'played'));
        expect(message.readAt).toBe(first('read', 'played'));
        expect(message.playedAt).toBe(first('played'));
      }),
      { numRuns: 40 },
    );
  });

  it('has one receipt per recipient and kind; a repeated one adds nothing', async () => {
    const { messageId: id } = await world.sentText(device, { chat: GROUP });
    const inGroup = { chat: GROUP, isGroup: true };
    await apply(receipt(id, 'delivered', { ...inGroup, recipient: CAROL, timestamp: NOW + 5000 }));
    await apply(receipt(id, 'delivered', { ...inGroup, recipient: BOB, timestamp: NOW + 6000 }));
    await apply(receipt(id, 'delivered', { ...inGroup, recipient: BOB, timestamp: NOW + 7000 }));
    const { receipts } = await statuses.receipts(caller, { id: id });
    expect(receipts).toEqual([
      { recipientJid: CAROL.jid, recipientLid: CAROL.lid, kind: 'delivered', at: NOW + 5000 },
      { recipientJid: BOB.jid, recipientLid: BOB.lid, kind: 'delivered', at: NOW + 6000 },
    ]);
    expect((await statuses.status(caller, { id: id })).message.deliveredAt).toBe(NOW + 5000);
  });

  it('keeps a receipt that overtakes the ack, and a receipt outranks a lost connection', async () => {
    const record = {
      device,
      chat: BOB,
      isGroup: false,
      message: { conversation: 'x' },
      content: { kind: 'text' as const, text: 'x' },
    };
    const early = await world.archive.outbound.create({ ...record, messageId: messageId() });
    await apply(receipt(early.messageId, 'delivered'));
    await world.archive.outbound.markSent(early, { timestamp: NOW + 2000 });
    expect(await statusNow(early.messageId)).toBe('delivered');

    const closed = await world.archive.outbound.create({ ...record, messageId: messageId() });
    await apply(receipt(closed.messageId, 'delivered'));
    await world.archive.outbound.markFailed(caller.tenantId, closed.rowId, 'the connection closed');
    expect(await world.only(caller.tenantId, closed.messageId)).toMatchObject({
      sendState: 'sent',
      sendError: null,
    });

    const lost = await world.archive.outbound.create({ ...record, messageId: messageId() });
    await world.archive.outbound.markFailed(caller.tenantId, lost.rowId, 'the connection closed');
    expect(await statuses.status(caller, { id: lost.messageId })).toMatchObject({
      status: 'failed',
      message: { sendError: 'the connection closed' },
    });
    await apply(receipt(lost.messageId, 'delivered'));
    expect(await statusNow(lost.messageId)).toBe('delivered');
  });

  it('understands a receipt under the LID when only the number was known, and learns it', async () => {
    const { messageId: id } = await world.sentText(device, { chat: { jid: BOB.jid, lid: null } });
    const underLid = { jid: null, lid: BOB.lid };
    await apply(receipt(id, 'read', { chat: underLid, recipient: underLid }));
    expect(await statuses.status(caller, { id: id })).toMatchObject({
      status: 'read',
      message: { chatLid: BOB.lid },
    });
  });

  it('ignores receipts for unknown messages, other chats, received messages and by our own devices', async () => {
    const { messageId: id } = await world.sentText(device);
    const received = inbound();
    await world.archive.storeInbound(device, received);
    await apply(receipt(messageId(), 'read'));
    await apply(receipt(received.id, 'read'));
    await apply(receipt(id, 'read', { chat: CAROL, recipient: CAROL }));
    await apply(receipt(id, 'read', { chat: GROUP, isGroup: true, recipient: CAROL }));
    await apply(receipt(id, 'read', { recipient: ALICE }));
    expect(await statusNow(id)).toBe('pending');
    expect((await statuses.receipts(caller, { id: id })).receipts).toEqual([]);
    expect((await world.only(caller.tenantId, received.id)).readAt).toBeNull();
  });

  it('counts our own phone in the chat with ourselves', async () => {
    const { messageId: id } = await world.sentText(device, { chat: ALICE });
    await apply(receipt(id, 'read', { chat: ALICE, recipient: ALICE }));
    expect(await statusNow(id)).toBe('read');
  });

  it('marks every message that one receipt names', async () => {
    const sent = await Promise.all([world.sentText(device), world.sentText(device), world.sentText(device)]);
    const ids = sent.map((each) => each.messageId);
    await apply(receipt('', 'read', { messageIds: ids }));
    expect(await Promise.all(ids.map(statusNow))).toEqual(['read', 'read', 'read']);
  });
});

describe('who may ask for a status', () => {
  it('is told nothing about received, unknown and foreign messages', async () => {
    const received = inbound();
    await world.archive.storeInbound(device, received);
    const { messageId: id } = await world.sentText(device);
    const stranger = await world.tenant();
    for (const [who, which] of [
      [caller, received.id],
      [caller, messageId()],
      [stranger, id],
    ] as const) {
      await expect(statuses.status(who, { id: which })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
      await expect(statuses.receipts(who, { id: which })).rejects.toMatchObject({
        code: 'MESSAGE_NOT_FOUND',
      });
    }
  });

  it('a plain user sees the messages of own devices alone', async () => {
    const colleague = await world.user(caller.tenantId, 'user');
    const theirs = await world.device(colleague, CAROL);
    const own = new MessageStatuses({
      db: world.db,
      archive: world.archive,
      devices: { resolve: async () => theirs, list: async () => [theirs] },
    });
    const ofAdmin = await world.sentText(device);
    const ofColleague = await world.sentText(theirs);
    await expect(own.status(colleague, { id: ofAdmin.messageId })).rejects.toMatchObject({
      code: 'MESSAGE_NOT_FOUND',
    });
    expect((await own.status(colleague, { id: ofColleague.messageId })).status).toBe('pending');
    expect((await own.status(caller, { id: ofColleague.messageId })).status).toBe('pending');
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { receiptsOf } from '../../src/messages/incoming-receipts.ts';
import { ArchiveWorld, BOB, CAROL, GROUP, inbound, messageId, NOW } from './archive-world.ts';

const world = await ArchiveWorld.create();
const caller = await world.tenant();
const device = await world.device(caller);
afterAll(() => world.destroy());

const hidden = { jid: null, lid: '777777777777777@lid' };
const known = { jid: '5511999990077@s.whatsapp.net', lid: hidden.lid };
const store = (options: Parameters<typeof inbound>[0]) =>
  world.archive.storeInbound(device, inbound(options));

describe('a person of whom the LID alone was known', () => {
  it('is one chat once the number is known: messages, theirs and ours, and receipts', async () => {
    const theirs = messageId();
    await store({ id: theirs, chat: hidden, sender: hidden });
    const ours = await world.sentText(device, { chat: hidden });
    await world.archive.applyReceipt(device, {
      chat: hidden,
      isGroup: false,
      recipient: hidden,
      messageIds: [ours.messageId],
      kind: 'read',
      timestamp: NOW,
    });
    expect(await world.only(caller.tenantId, theirs)).toMatchObject({ chatJid: hidden.lid });
    await store({ chat: known, sender: known });
    expect(await world.only(caller.tenantId, theirs)).toMatchObject({
      chatJid: known.jid,
      chatLid: known.lid,
      senderJid: known.jid,
      senderLid: known.lid,
    });
    const sent = await world.only(caller.tenantId, ours.messageId);
    expect(sent).toMatchObject({ chatJid: known.jid, senderJid: device.jid, readAt: NOW });
    expect(await receiptsOf(world.db, sent)).toEqual([
      { recipientJid: known.jid, recipientLid: known.lid, kind: 'read', at: NOW },
    ]);
    const queued = await world.db
      .selectFrom('message_search_queue')
      .select('message_row_id')
      .where('message_row_id', '=', sent.rowId)
      .execute();
    expect(queued.length).toBeGreaterThan(1);
  });

  it.each([
    ['in the group', '88', { chat: GROUP, isGroup: true }],
    ['in a chat of two', '99', {}],
  ])('is one sender in groups once the number is known, %s', async (_where, digits, said) => {
    const lid = `7777777777777${digits}@lid`;
    const sender = { jid: null, lid };
    const named = { jid: `55119999900${digits}@s.whatsapp.net`, lid };
    const [first, twice] = [messageId(), messageId()];
    await store({ id: first, chat: GROUP, isGroup: true, sender });
    await store({ id: twice, chat: GROUP, isGroup: true, sender });
    const other = { ...GROUP, jid: '120363039000000077@g.us' } as const;
    await store({ id: twice, chat: other, isGroup: true, sender: { ...named, lid: null } });
    expect(await world.only(caller.tenantId, first)).toMatchObject({ senderJid: lid });
    await store({ chat: named, sender: named, ...said });
    expect(await world.only(caller.tenantId, first)).toMatchObject({ senderJid: named.jid, senderLid: lid });
    const both = await world.archive.stored.withId(caller.tenantId, twice);
    expect(both.map(({ senderJid }) => senderJid)).toEqual([named.jid, named.jid]);
  });

  it('keeps what is there under both names', async () => {
    const bob = { jid: null, lid: BOB.lid };
    const id = messageId();
    await store({ id, chat: { jid: BOB.jid, lid: null }, sender: { jid: BOB.jid, lid: null } });
    await store({ id, chat: bob, sender: bob });
    await store({ chat: BOB, sender: BOB });
    const chats = (await world.archive.stored.withId(caller.tenantId, id)).map(({ chatJid }) => chatJid);
    expect(chats.sort()).toEqual([BOB.jid, BOB.lid].sort());
  });

  it("and nobody else's", async () => {
    const id = messageId();
    const carol = { jid: null, lid: CAROL.lid };
    const other = await world.device(caller);
    await world.archive.storeInbound(other, inbound({ id, chat: carol, sender: carol }));
    await store({ chat: CAROL, sender: CAROL });
    expect(await world.only(caller.tenantId, id)).toMatchObject({ chatJid: CAROL.lid });
  });
});

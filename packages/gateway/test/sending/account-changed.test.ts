/** A device that was linked again with another number. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageData } from '../../src/events/payloads/message.ts';
import { eventMessage, NO_FILES } from '../../src/messages/event-message.ts';
import { BOB, inbound } from '../messages/archive-world.ts';
import { ANOTHER, BOBS_NUMBER, HOUR_MS, JobDesk, text } from './job-desk.ts';

let desk: JobDesk;
beforeEach(async () => {
  desk = await JobDesk.open();
});
afterEach(() => desk.close());

test('does not send what was accepted for the former one', async () => {
  const id = await desk.scheduled();
  const message = { type: 'text', ...text() };
  const many = await desk.post('/bulk', { messages: [message, message], send_at: desk.at(HOUR_MS) });
  Object.assign(desk.account.device, ANOTHER);
  desk.advance(HOUR_MS);
  expect(await desk.untilJob(id, 'failed')).toMatchObject({ error_code: 'ACCOUNT_CHANGED' });
  const done = await desk.untilBulkIsOver(many.body.bulk.id);
  expect(done.messages.map((each: { error_code: string }) => each.error_code)).toEqual(
    Array(2).fill('ACCOUNT_CHANGED'),
  );
  expect(desk.whatsapp.sent).toEqual([]);
});

test("does nothing to the former one's messages", async () => {
  const { account, world } = desk;
  const { body } = await desk.sends(text());
  const received = inbound({ sender: BOB });
  await world.store.archive.storeInbound(account.device, received);
  const former = account.device.jid;
  Object.assign(account.device, ANOTHER);
  const edited = await world.put(account, `/messages/${body.message_id}`, { to: BOBS_NUMBER, message: 'x' });
  expect([edited.status, edited.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
  for (const deleteType of ['for_everyone', 'for_me']) {
    const deleted = await world.call(account, 'DELETE', '/messages/delete', {
      messageId: body.message_id,
      chatJid: BOB.jid,
      deleteType,
    });
    expect([deleted.status, deleted.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
  }
  expect(desk.whatsapp.sent).toHaveLength(1);
  const [row] = await world.store.archive.stored.withId(account.caller.tenantId, received.id);
  if (!row) throw new Error('no row');
  expect(messageData(eventMessage(row, NO_FILES, null), account.device).to).toBe(former);
});

test('begins its chats anew, and finds a chat under either name', async () => {
  const { archive } = desk.world.store;
  const { device } = desk.account;
  await archive.storeInbound(device, inbound({ chat: BOB, sender: BOB }));
  const byLid = { jid: null, lid: BOB.lid };
  expect(await archive.chats.hasChat(device, byLid)).toBe(true);
  expect(await archive.chats.hasChat(device, { jid: BOB.jid, lid: null })).toBe(true);
  expect(await archive.chats.hasChat({ ...device, ...ANOTHER }, BOB)).toBe(false);
});

/** A send whose end is not known: it waits for a proof, and is repeated as it was. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NothingLeft, SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import { BOB } from '../messages/archive-world.ts';
import { BOBS_NUMBER, JobDesk, pdf, pdfFile, text } from './job-desk.ts';

let desk: JobDesk;
beforeEach(async () => {
  desk = await JobDesk.open();
});
afterEach(() => desk.close());

const poll = (more: object = {}) => ({
  number: BOBS_NUMBER,
  question: 'When?',
  options: [{ option_name: 'now' }, { option_name: 'later' }],
  ...more,
});
const event = (more: object = {}) => ({
  number: BOBS_NUMBER,
  name: 'Party',
  start_time: '2026-12-24T18:00:00-03:00',
  ...more,
});
const secrets = () =>
  desk.whatsapp.sent.map((_, index) => {
    const info = desk.whatsapp.content(index).messageContextInfo as { messageSecret: Uint8Array };
    return Buffer.from(info.messageSecret).toString('hex');
  });
/** The connection closes before the ack, or before anything has left. */
const lose = (lost = new SessionNotOpen('the connection closed')) => {
  desk.whatsapp.answer = () => Promise.reject(lost);
};
const accept = () => {
  desk.whatsapp.answer = desk.whatsapp.takes;
};
const receipt = (id: string, kind: 'delivered' | 'read') =>
  desk.world.store.archive.applyReceipt(desk.account.device, {
    chat: BOB,
    isGroup: false,
    recipient: BOB,
    messageIds: [id],
    kind,
    timestamp: desk.now(),
  });

test('is pending and says so, until a receipt tells', async () => {
  lose();
  const answer = await desk.sends(text());
  const id: string = answer.body.message_id;
  expect([answer.status, answer.body.error_code]).toEqual([503, 'DEVICE_NOT_READY']);
  expect(await desk.status(id)).toMatchObject({ status: 'pending', uncertain: true });
  await receipt(id, 'delivered');
  const known = await desk.status(id);
  expect(known.status).toBe('delivered');
  expect(known).not.toHaveProperty('uncertain');
});

test('stays so when a repetition has not left: the first one may have arrived', async () => {
  lose();
  const { body } = await desk.sends(text(), 'k');
  lose(new NothingLeft(new SessionNotOpen('the connection is gone')));
  const again = await desk.sends(text(), 'k');
  expect([again.status, again.body.message_id]).toEqual([503, body.message_id]);
  expect(await desk.status(body.message_id)).toMatchObject({ status: 'pending', uncertain: true });
  await receipt(body.message_id, 'delivered');
  expect((await desk.status(body.message_id)).status).toBe('delivered');
});

test('but one of which nothing has ever left is failed', async () => {
  lose(new NothingLeft(new SessionNotOpen('the connection is gone')));
  const { body } = await desk.sends(text(), 'k');
  expect(await desk.status(body.message_id)).toMatchObject({ status: 'failed' });
});

test.each([
  ['/send/poll', poll(), [{ tag: 'meta' }]],
  ['/send/event', event(), [{ tag: 'meta' }]],
  ['/send/text', text(), undefined],
  // Each upload has a key of its own.
  ['/send/document', pdf(pdfFile(1)), undefined],
])('is sent again as it was, with its secret: %s', async (path, body, extraNodes) => {
  lose();
  await desk.post(path, body, 'k');
  accept();
  const again = await desk.post(path, body, 'k');
  expect(again.status, JSON.stringify(again.body)).toBe(200);
  expect(desk.whatsapp.sent[1]).toMatchObject({
    id: again.body.message_id,
    ...(extraNodes ? { extraNodes } : {}),
  });
  expect(new Set(secrets()).size).toBe(1);
  expect(desk.whatsapp.content(1)).toEqual(desk.whatsapp.content(0));
});

test.each([
  ['/send/poll', poll({ message_id: 'MYPOLL0001' })],
  ['/send/event', event({ message_id: 'MYPOLL0001' })],
  ['/send/text', text({ message_id: 'MYPOLL0001' })],
])('and under an id of the caller with the secret of the first: %s', async (path, body) => {
  lose();
  await desk.post(path, body);
  accept();
  const again = await desk.post(path, body);
  expect([again.status, again.body.message_id]).toEqual([200, 'MYPOLL0001']);
  expect(new Set(secrets()).size).toBe(1);
});

test.each([
  ['under its key', {}, 'k'],
  ['under an id of the caller', { message_id: 'MYTEXT0001' }, undefined],
])('keeps what receipts have told when it is repeated %s', async (_how, more, key) => {
  desk.whatsapp.answer = async (message) => {
    await receipt(message.id, 'read');
    await desk.world.store.db
      .updateTable('messages')
      .set({ send_state: 'failed' })
      .where('tenant_id', '=', desk.account.device.tenantId)
      .where('message_id', '=', message.id)
      .execute();
    throw new SessionNotOpen();
  };
  await desk.sends(text(more), key);
  accept();
  const again = await desk.sends(text(more), key);
  expect(again.status, JSON.stringify(again.body)).toBe(200);
  expect(await desk.status(again.body.message_id)).toMatchObject({
    status: 'read',
    delivered_at: expect.any(String),
    read_at: expect.any(String),
  });
});

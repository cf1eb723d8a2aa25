/** Requests of payment and what is answered to them, as the other phone decrypts them and as we read them. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';

let world: World;
let api: Api;
let shop: Phone;
let customer: Phone;
let to: string;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('payments');
  shop = await world.sandbox.createPhone({ number: '5511999998301', name: 'Shop' });
  customer = await world.sandbox.createPhone({ number: '5511999998302', name: 'Customer' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  to = customer.number;
});
afterAll(() => world.destroy());

/** The body of the answer, and the content that reached the customer. */
async function sent(kind: string, body: object): Promise<{ body: Json; message: Json }> {
  const answer = await api.post(`/payment/${kind}`, { to, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { message } = await customer.waitForMessage(({ id }) => id === answer.body.message_id);
  return { body: answer.body, message };
}

async function stored(id: string): Promise<Json> {
  await until('the message is stored', async () => (await api.get(`/messages/${id}`)).status === 200);
  return (await api.get(`/messages/${id}`)).body.message;
}

test('a request: its amount in thousandths of the main unit, its note, who shall pay and until when', async () => {
  const { body, message } = await sent('request', {
    amount: 15000,
    currency: 'BRL',
    note_message: 'Order 1042',
    expiry_timestamp: 4_102_444_800,
  });
  expect(body).toMatchObject({
    success: true,
    message: 'Payment request sent successfully',
    amount: '150.00 BRL',
  });
  const { requestPaymentMessage: asked } = message;
  expect({
    ...asked,
    amount1000: Number(asked.amount1000),
    expiryTimestamp: Number(asked.expiryTimestamp),
  }).toMatchObject({
    currencyCodeIso4217: 'BRL',
    amount1000: 150_000,
    expiryTimestamp: 4_102_444_800,
    noteMessage: { extendedTextMessage: { text: 'Order 1042' } },
  });
  expect(Number(asked.amount.value) / asked.amount.offset).toBe(150);
  expect(asked.requestFrom.split('@')[0]).toMatch(/^\d+$/);
  expect(await stored(body.message_id)).toMatchObject({
    message_type: 'payment',
    content: 'Order 1042',
    details: {
      type: 'request',
      amount: 150,
      currency: 'BRL',
      expires_at: '2100-01-01T00:00:00.000Z',
      request_message_id: null,
    },
  });
});

test.each([
  ['JPY', 15000, 15_000_000, '15000 JPY'],
  ['kwd', 15000, 15_000, '15.000 KWD'],
])('the smallest unit of %s', async (currency, amount, thousandths, text) => {
  const before = Math.floor(Date.now() / 1000);
  const { body, message } = await sent('request', { amount, currency });
  expect(body.amount).toBe(text);
  expect(Number(message.requestPaymentMessage.amount1000)).toBe(thousandths);
  const days = (Number(message.requestPaymentMessage.expiryTimestamp) - before) / 86_400;
  expect(Math.round(days)).toBe(7);
});

test('our request is taken back, and neither declined nor paid by us', async () => {
  const { body } = await sent('request', { amount: 100, currency: 'BRL' });
  const request_message_key = body.message_id;
  for (const kind of ['decline', 'send']) {
    const refusal = await api.post(`/payment/${kind}`, {
      to,
      request_message_key,
      amount: 100,
      currency: 'BRL',
    });
    expect([refusal.status, refusal.body.validation]).toEqual([
      400,
      [expect.objectContaining({ field: 'request_message_key' })],
    ]);
  }
  const { body: cancelled, message } = await sent('cancel', { request_message_key });
  expect(cancelled.message).toBe('Payment request cancelled successfully');
  expect(message.cancelPaymentRequestMessage.key).toMatchObject({ id: request_message_key, fromMe: true });
  expect((await stored(cancelled.message_id)).details).toMatchObject({
    type: 'cancel',
    request_message_id: request_message_key,
  });
});

test("the customer's request is declined or said to be paid, and not taken back by us", async () => {
  const asked = { currencyCodeIso4217: 'BRL', amount1000: 20_000, requestFrom: shop.jid };
  const { id } = await customer.sendRaw(shop.number, { requestPaymentMessage: asked });
  expect((await stored(id)).details).toMatchObject({ type: 'request', amount: 20 });
  const refusal = await api.post('/payment/cancel', { to, request_message_key: id });
  expect([refusal.status, refusal.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  const declined = await sent('decline', { request_message_key: id });
  expect(declined.body.message).toBe('Payment request declined successfully');
  expect(declined.message.declinePaymentRequestMessage.key).toMatchObject({ id, fromMe: false });
  const paid = await sent('send', {
    request_message_key: id,
    amount: 2000,
    currency: 'BRL',
    note_message: 'Paid',
  });
  expect(paid.body).toMatchObject({
    message: 'Payment notification sent successfully',
    warnings: [{ field: 'amount' }],
  });
  expect(paid.message.sendPaymentMessage).toMatchObject({
    requestMessageKey: { id, fromMe: false },
    noteMessage: { extendedTextMessage: { text: 'Paid' } },
  });
});

test('what a phone cancels or declines is told with the request that it means', async () => {
  const { body } = await sent('request', { amount: 100, currency: 'BRL' });
  const key = { remoteJid: shop.jid, fromMe: false, id: body.message_id };
  const { id } = await customer.sendRaw(shop.number, { declinePaymentRequestMessage: { key } });
  expect(await stored(id)).toMatchObject({
    message_type: 'payment',
    details: { type: 'decline', request_message_id: body.message_id },
  });
});

test('in a group the author of the request is named, and must be known', async () => {
  const group = (await shop.createGroup('Till', [customer])).jid;
  const asked = { currencyCodeIso4217: 'BRL', amount1000: 20_000 };
  const { id } = await customer.sendRaw(group, { requestPaymentMessage: asked });
  await stored(id);
  const answer = await api.post('/payment/decline', { to: group, request_message_key: id });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { message } = await customer.waitForMessage((each) => each.id === answer.body.message_id);
  const { key } = message.declinePaymentRequestMessage as Json;
  expect([key.id, key.participant]).toEqual([id, expect.stringContaining('@')]);
  const unknown = await api.post('/payment/decline', {
    to: group,
    request_message_key: '3EB0FFFFFFFFFFFFFFFF',
  });
  expect([unknown.status, unknown.body.validation[0].field]).toEqual([400, 'request_message_key']);
});

test.each([
  ['request', { amount: 100, currency: 'XXZ' }, 'currency'],
  ['request', { amount: 100, currency: 'R$' }, 'currency'],
  ['request', { amount: 0, currency: 'BRL' }, 'amount'],
  ['request', { amount: 1.5, currency: 'BRL' }, 'amount'],
  ['request', { amount: '150,00', currency: 'BRL' }, 'amount'],
  ['request', { amount: Number.MAX_SAFE_INTEGER, currency: 'JPY' }, 'amount'],
  ['request', { amount: 100, currency: 'BRL', expiry_timestamp: 1 }, 'expiry_timestamp'],
  ['request', { amount: 100, currency: 'BRL', note_message: 'x'.repeat(1025) }, 'note_message'],
  ['cancel', {}, 'request_message_key'],
  ['send', { request_message_key: '3EB0F8A1B2C3D4E5F6', amount: 1, currency: '' }, 'currency'],
])('%s refuses %j', async (kind, body, field) => {
  const before = customer.inbox.length;
  const { status, body: answer } = await api.post(`/payment/${kind}`, { to, ...body });
  expect([status, answer.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  expect(answer.validation.map((each: Json) => each.field)).toContain(field);
  expect(customer.inbox.length).toBe(before);
});

test('a message that asks for nothing is no request', async () => {
  const text = await api.post('/send/text', { to, text: 'hello' });
  const refusal = await api.post('/payment/cancel', { to, request_message_key: text.body.message_id });
  expect([refusal.status, refusal.body.validation[0].message]).toEqual([400, 'is not a payment request']);
});

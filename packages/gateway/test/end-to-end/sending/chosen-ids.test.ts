/** Message ids that the caller chooses, so that it knows them before the answer comes. */
import { randomUUID } from 'node:crypto';
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, untilReceived, World } from '../harness.ts';
import { jpeg } from '../samples.ts';

let world: World;
let api: Api;
let contact: Phone;
let friend: Phone;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('chosen');
  const shop = await world.sandbox.createPhone({ number: '5511999992001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999992002', name: 'Contact' });
  friend = await world.sandbox.createPhone({ number: '5511999992003', name: 'Friend' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());

const send = (body: Json, headers?: Record<string, string>) =>
  api.post('/send/text', { number: contact.number, text: 'hello', ...body }, headers);
const got = (phone: Phone, id: string) => phone.waitForMessage((message) => message.id === id);

test('a text goes under the id, and every operation knows it by that', async () => {
  const id = randomUUID();
  const { status, body } = await send({ message_id: id });
  expect([status, body.message_id], JSON.stringify(body)).toEqual([200, id]);
  await got(contact, id);
  expect((await api.get(`/messages/${id}/status`)).body).toMatchObject({ message_id: id });
  expect((await api.put(`/messages/${id}`, { to: contact.number, message: 'better' })).status).toBe(200);
  await contact.waitForMessage((message) => message.editOf === id);
});

test('a file goes under it too', async () => {
  const image = (await jpeg()).toString('base64');
  const { body } = await api.post('/send/image', {
    number: contact.number,
    image,
    message_id: 'ORDER-4711-photo',
  });
  expect(body.message_id, JSON.stringify(body)).toBe('ORDER-4711-photo');
  await got(contact, 'ORDER-4711-photo');
});

describe('an id that is taken', () => {
  test('is refused, and nothing is sent', async () => {
    const id = randomUUID();
    await send({ message_id: id });
    const again = await send({ message_id: id, text: 'again' });
    expect([again.status, again.body.error_code]).toEqual([409, 'ALREADY_EXISTS']);
    const elsewhere = await send({ message_id: id, number: friend.number });
    expect([elsewhere.status, elsewhere.body.error_code]).toEqual([409, 'ALREADY_EXISTS']);
    const last = await send({ text: 'last' });
    await got(contact, last.body.message_id);
    const texts = contact.inbox.filter((message) => message.id === id);
    expect(texts.map(({ text }) => text)).toEqual(['hello']);
  });

  test('is refused when it is that of a received message', async () => {
    const { id } = await contact.sendText('5511999992001', 'hi');
    await untilReceived(api, id);
    const answer = await send({ message_id: id });
    expect([answer.status, answer.body.error_code]).toEqual([409, 'ALREADY_EXISTS']);
  });

  test('of two requests at the same time one sends', async () => {
    const id = randomUUID();
    const answers = await Promise.all([send({ message_id: id }), send({ message_id: id, text: 'twin' })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test('with its Idempotency-Key the same request answers as before', async () => {
    const id = randomUUID();
    const headers = { 'idempotency-key': `order ${id}` };
    const first = await send({ message_id: id }, headers);
    const second = await send({ message_id: id }, headers);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    const taken = await send({ message_id: id }, { 'idempotency-key': `other ${id}` });
    expect(taken.status).toBe(409);
    const repeated = await send({ message_id: id }, { 'idempotency-key': `other ${id}` });
    expect(repeated.status).toBe(409);
  });

  test('may be used again for what failed in the same chat', async () => {
    const id = randomUUID();
    world.sandbox.faults.nextAckError(479);
    const refused = await send({ message_id: id });
    expect([refused.status, refused.body.error_code]).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    const elsewhere = await send({ message_id: id, number: friend.number });
    expect(elsewhere.status).toBe(409);
    const again = await send({ message_id: id });
    expect([again.status, again.body.message_id]).toEqual([200, id]);
    await got(contact, id);
  });
});

test.each([
  'short',
  'a'.repeat(65),
  'with space',
  'ünïcödé-id',
  'slash/es-in-it',
  'nul\0nul-nul',
])('%j is refused', async (id) => {
  const { status, body } = await send({ message_id: id });
  expect([status, body.error_code, body.validation?.[0]?.field]).toEqual([
    400,
    'VALIDATION_ERROR',
    'message_id',
  ]);
});

test('null and the empty text choose nothing', async () => {
  expect((await send({ message_id: null })).body.message_id).toMatch(/^3EB0/);
  expect((await send({ message_id: '' })).body.message_id).toMatch(/^3EB0/);
});

test("a reaction's message_id is its target", async () => {
  const id = randomUUID();
  await send({ message_id: id });
  const { status, body } = await api.post('/send/reaction', {
    number: contact.number,
    message_id: id,
    reaction: '👍',
  });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.message_id).not.toBe(id);
});

describe('in bulk', () => {
  test('each message has its own', async () => {
    const ids = [randomUUID(), randomUUID()];
    const messages = ids.map((id) => ({
      type: 'text',
      number: contact.number,
      text: 'bulk',
      message_id: id,
    }));
    const answer = await api.post('/bulk', { messages, min_pause_seconds: 0, max_pause_seconds: 0 });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    for (const id of ids) await got(contact, id);
  });

  test('neither one for all nor one twice', async () => {
    const message = { type: 'text', text: 'bulk', message_id: 'the-same-for-all' };
    const shared = await api.post('/bulk', { recipients: [contact.number], message });
    expect([shared.status, shared.body.validation?.[0]?.field]).toEqual([400, 'message.message_id']);
    const item = { ...message, number: contact.number };
    const twice = await api.post('/bulk', { messages: [item, item] });
    expect([twice.status, twice.body.validation?.[0]?.field]).toEqual([400, 'messages.1.message_id']);
  });
});

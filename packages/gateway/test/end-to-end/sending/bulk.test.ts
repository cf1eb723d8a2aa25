/** `POST /bulk`: many messages as one request. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { LaterShop } from '../later-shop.ts';

let later: LaterShop;
beforeAll(async () => {
  later = await LaterShop.open();
});
afterAll(() => later.close());

let texts: string[];
let number: string;
beforeEach(() => {
  const tag = crypto.randomUUID();
  texts = ['first', 'second', 'third'].map((word) => `${word} ${tag}`);
  number = later.contact.number;
});
afterEach(async () => {
  for (const { id } of (await later.api.get('/jobs?state=queued&limit=200')).body.jobs) {
    await later.api.delete(`/jobs/${id}`);
  }
});
const bulkOf = async (id: string): Promise<Json> => (await later.api.get(`/bulk/${id}`)).body;
const untilBulk = (id: string, state: string): Promise<Json> =>
  until(`${id} is ${state}`, async () => {
    const body = await bulkOf(id);
    return body.bulk.state === state && body;
  });
const messages = (): Json[] => texts.map((text) => ({ type: 'text', number, text }));

test('sends one after the other with its pauses, and tells the outcome of each', async () => {
  const [first, , third] = messages();
  const answer = await later.api.post('/bulk', {
    messages: [first, { type: 'text', number: '5511999990199', text: 'nobody' }, third],
    min_pause_seconds: 300,
    max_pause_seconds: 300,
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  const { id } = answer.body.bulk;
  expect(answer.body.bulk).toMatchObject({ state: 'running', total: 3, finished_at: null });
  await later.contact.waitForMessage((message) => message.text === first.text);
  await until('the next waits', async () => (await bulkOf(id)).bulk.sent === 1);
  later.clock.advance(299_000);
  await later.api.post('/send/text', { to: number, text: `between ${id}` });
  await later.contact.waitForMessage((message) => message.text === `between ${id}`);
  expect((await bulkOf(id)).bulk).toMatchObject({ sent: 1, open: 2 });
  later.clock.advance(1000);
  await until('the second is over', async () => (await bulkOf(id)).bulk.failed === 1);
  later.clock.advance(300_000);
  await later.contact.waitForMessage((message) => message.text === third.text);
  const done = await untilBulk(id, 'completed');
  expect(done.messages.map((each: Json) => [each.state, each.error_code])).toEqual([
    ['sent', null],
    ['failed', 'NOT_ON_WHATSAPP'],
    ['sent', null],
  ]);
  const [event] = (await later.events('bulk.completed')).filter(({ data }) => data.bulk_id === id);
  expect(event?.data).toMatchObject({ state: 'completed', total: 3, sent: 2, failed: 1, cancelled: 0 });
});

test('one message to many', async () => {
  const answer = await later.api.post('/bulk', {
    recipients: [number, later.shop.number],
    message: { type: 'text', text: texts[0] },
    min_pause_seconds: 0,
    max_pause_seconds: 0,
  });
  const done = await untilBulk(answer.body.bulk.id, 'completed');
  expect(done.messages.map((each: Json) => each.recipient)).toEqual([number, later.shop.number]);
  await later.contact.waitForMessage((message) => message.text === texts[0]);
});

test('goes on after a restart, in its order', async () => {
  const answer = await later.api.post('/bulk', {
    messages: messages(),
    min_pause_seconds: 60,
    max_pause_seconds: 60,
  });
  await later.contact.waitForMessage((message) => message.text === texts[0]);
  await later.restart();
  for (const text of texts.slice(1)) {
    await until('the next one has its time', async () => {
      const { messages: now } = await bulkOf(answer.body.bulk.id);
      const next = now.find((each: Json) => each.state === 'queued' || each.state === 'scheduled');
      return next && Date.parse(next.send_at) > later.clock.now();
    });
    later.clock.advance(60_000);
    await later.contact.waitForMessage((message) => message.text === text);
  }
  await untilBulk(answer.body.bulk.id, 'completed');
  expect(texts.map((text) => later.received(text).length)).toEqual([1, 1, 1]);
});

test('can be cancelled: what was sent stays, the rest is not sent', async () => {
  const answer = await later.api.post('/bulk', {
    messages: messages(),
    min_pause_seconds: 60,
    max_pause_seconds: 60,
  });
  const { id } = answer.body.bulk;
  await until('the first is sent', async () => (await bulkOf(id)).bulk.sent === 1);
  const cancelled = await later.api.delete(`/bulk/${id}`);
  expect(cancelled.body.bulk).toMatchObject({ state: 'cancelled', sent: 1, cancelled: 2, open: 0 });
  const again = await later.api.delete(`/bulk/${id}`);
  expect([again.status, again.body.error_code]).toEqual([409, 'NOT_CANCELLABLE']);
  expect((await later.events('bulk.completed')).find(({ data }) => data.bulk_id === id)?.data).toMatchObject({
    state: 'cancelled',
    cancelled: 2,
  });
});

test('a repeated request with one Idempotency-Key is one bulk', async () => {
  const body = { messages: messages(), min_pause_seconds: 0, max_pause_seconds: 0 };
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const [first, second] = [
    await later.api.post('/bulk', body, headers),
    await later.api.post('/bulk', body, headers),
  ];
  expect(second.body.bulk.id).toBe(first.body.bulk.id);
  await untilBulk(first.body.bulk.id, 'completed');
  expect(texts.map((text) => later.received(text).length)).toEqual([1, 1, 1]);
});

test.each<[string, () => Json, string, string?]>([
  ['neither form', () => ({}), 'messages'],
  ['both forms', () => ({ messages: messages(), recipients: [number], message: messages()[0] }), 'messages'],
  ['none', () => ({ messages: [] }), 'messages'],
  ['an unknown type', () => ({ messages: [messages()[0], { type: 'fax', number }] }), 'messages.1.type'],
  [
    'one without its text',
    () => ({ messages: [...messages(), { type: 'text', number }] }),
    'messages.3.text',
  ],
  [
    'one with a bad recipient',
    () => ({ messages: [{ type: 'text', number: '12', text: 'x' }] }),
    'messages.0.number',
    'INVALID_RECIPIENT',
  ],
  [
    'a bad number among many',
    () => ({ recipients: [number, '12'], message: { type: 'text', text: 'x' } }),
    'recipients.1',
    'INVALID_RECIPIENT',
  ],
  [
    'a device of its own',
    () => ({ messages: [{ ...messages()[0], device_id: 'x' }] }),
    'messages.0.device_id',
  ],
  [
    'pauses the wrong way round',
    () => ({ messages: messages(), min_pause_seconds: 5, max_pause_seconds: 1 }),
    'max_pause_seconds',
  ],
  ['1001 messages', () => ({ messages: Array.from({ length: 1001 }, () => messages()[0]) }), 'messages'],
])('%s: refused as a whole', async (_what, body, field, code = 'VALIDATION_ERROR') => {
  const before = (await later.api.get('/jobs?limit=200')).body.jobs.length;
  const answer = await later.api.post('/bulk', body());
  expect([answer.status, answer.body.error_code]).toEqual([400, code]);
  expect(answer.body.validation[0].field).toBe(field);
  expect((await later.api.get('/jobs?limit=200')).body.jobs.length).toBe(before);
});

test("is not another tenant's to see", async () => {
  const made = await later.api.post('/bulk', { messages: messages(), min_pause_seconds: 60 });
  const stranger = later.world.as(await later.world.tenant('other'));
  const { id } = made.body.bulk;
  for (const answer of [await stranger.get(`/bulk/${id}`), await stranger.delete(`/bulk/${id}`)]) {
    expect([answer.status, answer.body.error_code]).toEqual([404, 'NOT_FOUND']);
  }
  await later.api.delete(`/bulk/${id}`);
});

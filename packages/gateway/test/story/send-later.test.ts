/** What is sent after its request was answered: scheduled, long, and in bulk. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { type Answer, type Api, type Json, until, World } from './harness.ts';
import { jpeg, oggOpus, sha256 } from './samples.ts';

const HOUR_MS = 3600_000;

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let contact: Phone;
let clock: AdvancingClock;

beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.destroy());

async function newWorld(): Promise<World> {
  clock = new AdvancingClock();
  const made = await World.create({
    clock,
    settings: { WUTS_SEND_JOB_AFTER: '150ms', WUTS_SEND_LATE: '10m' },
  });
  token = await made.tenant('later');
  shop = await made.sandbox.createPhone({ number: '5511999990101', name: 'Shop' });
  contact = await made.sandbox.createPhone({ number: '5511999990102', name: 'Contact' });
  await made.linkByQr(token, shop);
  api = made.as(token);
  return made;
}

const inOneHour = (): string => new Date(clock.now() + HOUR_MS).toISOString();
const job = async (id: string): Promise<Json> => (await api.get(`/jobs/${id}`)).body.job;
const untilJob = (id: string, state: string): Promise<Json> =>
  until(`${id} is ${state}`, async () => {
    const now = await job(id);
    return now.state === state && now;
  });
const events = async (name: string): Promise<Json[]> =>
  (await api.get(`/events?event=${name}&limit=200`)).body.events;
const received = (text: string) => contact.inbox.filter((message) => message.text === text);

async function schedule(text: string, more: object = {}): Promise<string> {
  const answer = await api.post('/send/text', { to: contact.number, text, send_at: inOneHour(), ...more });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.job_id;
}

/** Restarts the gateway on its data; the device is back when this resolves. */
async function restart(): Promise<void> {
  await world.restartGateway();
  api = world.as(token);
  await until('the device is back', async () => (await api.get('/status')).body.data?.connected);
}

describe('send_at', () => {
  test('answers at once, sends at its time, and says so', async () => {
    const send_at = inOneHour();
    const answer = await api.post('/send/text', { to: contact.number, text: 'see you', send_at });
    expect(answer.status).toBe(202);
    const id: string = answer.body.job_id;
    expect(answer.body).toEqual({
      success: true,
      message_id: '',
      timestamp: expect.stringMatching(/Z$/),
      status: 'scheduled',
      chat_jid: contact.jid,
      job_id: expect.stringMatching(/^job_[0-9a-f]{32}$/),
      send_at,
    });
    expect(answer.headers.get('location')).toBe(`/jobs/${id}`);
    expect(await job(id)).toMatchObject({
      state: 'scheduled',
      type: 'text',
      recipient: contact.number,
      send_at,
      message_id: null,
      attempts: 0,
      finished_at: null,
    });
    clock.advance(HOUR_MS - 5000);
    await api.post('/send/text', { to: contact.number, text: 'before' });
    await contact.waitForMessage((message) => message.text === 'before');
    expect(received('see you')).toEqual([]);
    clock.advance(5000);
    const got = await contact.waitForMessage((message) => message.text === 'see you');
    const done = await untilJob(id, 'sent');
    expect(done).toMatchObject({ message_id: got.id, attempts: 1, error: null });
    expect((await api.get(`/messages/${got.id}/status`)).status).toBe(200);
    const [event] = (await events('job.completed')).filter(({ data }) => data.job_id === id);
    expect(event?.data).toMatchObject({ state: 'sent', message_id: got.id, recipient: contact.number });
  });

  test('survives a restart, with a file that came as base64 or as a part', async () => {
    const picture = await jpeg(1200, 900);
    const text = await schedule('after the restart');
    const inline = await api.post('/send/image', {
      to: contact.number,
      image: picture.toString('base64'),
      caption: 'inline',
      send_at: inOneHour(),
    });
    const form = new FormData();
    form.set('to', contact.number);
    form.set('caption', 'part');
    form.set('send_at', String(Math.floor((clock.now() + HOUR_MS) / 1000)));
    form.set('image', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'a.jpg');
    const part = await fetch(`${world.gateway.url}/send/image`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect([inline.status, part.status]).toEqual([202, 202]);
    await restart();
    expect((await job(text)).state).toBe('scheduled');
    clock.advance(HOUR_MS);
    await contact.waitForMessage((message) => message.text === 'after the restart');
    for (const caption of ['inline', 'part']) {
      const got = await contact.waitForMessage((message) => message.text === caption);
      expect(sha256(await contact.downloadMedia(got))).toBe(sha256(picture));
    }
  });

  test('can be listed and cancelled', async () => {
    const id = await schedule('never');
    const listed = (await api.get('/jobs?state=scheduled')).body.jobs;
    expect(listed.map((each: Json) => each.id)).toContain(id);
    const cancelled = await api.delete(`/jobs/${id}`);
    expect(cancelled.body.job).toMatchObject({ state: 'cancelled', finished_at: expect.any(String) });
    const again = await api.delete(`/jobs/${id}`);
    expect([again.status, again.body.error_code]).toEqual([409, 'NOT_CANCELLABLE']);
    clock.advance(HOUR_MS);
    await api.post('/send/text', { to: contact.number, text: 'after never' });
    await contact.waitForMessage((message) => message.text === 'after never');
    expect(received('never')).toEqual([]);
  });

  test('pages go through all jobs once, the newest first', async () => {
    const made = [await schedule('p1'), await schedule('p2'), await schedule('p3')].reverse();
    const seen: string[] = [];
    let path = '/jobs?state=scheduled&limit=2';
    for (;;) {
      const { jobs, next_cursor } = (await api.get(path)).body;
      seen.push(...jobs.map((each: Json) => each.id));
      if (next_cursor === null) break;
      path = `/jobs?state=scheduled&limit=2&cursor=${next_cursor}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(made));
    for (const id of made) await api.delete(`/jobs/${id}`);
    expect((await api.get('/jobs?cursor=nonsense')).body.validation[0].field).toBe('cursor');
  });

  test('a repeated request with one Idempotency-Key is one job', async () => {
    const body = { to: contact.number, text: 'once', send_at: inOneHour() };
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const [first, second] = [
      await api.post('/send/text', body, headers),
      await api.post('/send/text', body, headers),
    ];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.job_id).toBe(first.body.job_id);
    await api.delete(`/jobs/${first.body.job_id}`);
  });

  test('waits for a device that is away, but not for ever', async () => {
    const waits = await schedule('when you are back');
    const tooLate = await schedule('too late');
    await api.post('/disconnect');
    clock.advance(HOUR_MS);
    await until('it was tried', async () => (await job(waits)).attempts > 0);
    await api.post('/connect');
    await until('the device is back', async () => (await api.get('/status')).body.data.connected);
    clock.advance(120_000);
    await contact.waitForMessage((message) => message.text === 'when you are back');
    await untilJob(tooLate, 'sent');

    const missed = await schedule('missed');
    await world.gateway.stop();
    clock.advance(HOUR_MS + 11 * 60_000);
    await restart();
    expect(await untilJob(missed, 'failed')).toMatchObject({ error_code: 'SEND_TIME_PASSED' });
    const [event] = (await events('job.completed')).filter(({ data }) => data.job_id === missed);
    expect(event?.data).toMatchObject({ state: 'failed', error_code: 'SEND_TIME_PASSED', message_id: null });
  });

  test('what WhatsApp refuses is failed, with its reason', async () => {
    const answer = await api.post('/send/text', {
      to: '5511999990199',
      text: 'nobody',
      send_at: inOneHour(),
    });
    clock.advance(HOUR_MS);
    expect(await untilJob(answer.body.job_id, 'failed')).toMatchObject({ error_code: 'NOT_ON_WHATSAPP' });
  });

  test.each([
    ['a moment ago', () => new Date(clock.now() - 120_000).toISOString()],
    ['in two years', () => new Date(clock.now() + 800 * 24 * HOUR_MS).toISOString()],
    ['without an offset', () => '2027-01-01T12:00:00'],
    ['words', () => 'tomorrow'],
    ['a negative number', () => -5],
  ])('%s is refused', async (_what, time) => {
    const answer = await api.post('/send/text', { to: contact.number, text: 'x', send_at: time() });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.validation[0].field).toBe('send_at');
  });

  test('bad content is refused at once, and nothing is kept', async () => {
    const before = (await api.get('/jobs?limit=200')).body.jobs.length;
    const answer = await api.post('/send/poll', {
      to: contact.number,
      question: 'x',
      options: [],
      send_at: inOneHour(),
    });
    expect(answer.status).toBe(400);
    expect((await api.get('/jobs?limit=200')).body.jobs.length).toBe(before);
  });

  test("is not another tenant's to see", async () => {
    const id = await schedule('mine');
    const stranger = world.as(await world.tenant('stranger'));
    for (const answer of [await stranger.get(`/jobs/${id}`), await stranger.delete(`/jobs/${id}`)]) {
      expect([answer.status, answer.body.error_code]).toEqual([404, 'NOT_FOUND']);
    }
    await api.delete(`/jobs/${id}`);
  });
});

describe('a long send', () => {
  const slow = (more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
    api.post(
      '/send/audio',
      {
        to: contact.number,
        audio: oggOpus(2000).toString('base64'),
        ptt: true,
        typingDuration: 1,
        ...more,
      },
      headers,
    );

  test('answers 202 with a job, and arrives', async () => {
    const answer = await slow();
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      success: true,
      message_id: '',
      timestamp: expect.any(String),
      status: 'processing',
      chat_jid: contact.jid,
      job_id: expect.any(String),
    });
    const done = await untilJob(answer.body.job_id, 'sent');
    const got = await contact.waitForMessage((message) => message.id === done.message_id);
    expect(got.kind).toBe('voice');
  });

  test('its answer outlives the claim that comes after it', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const body = { audio: oggOpus(2000).toString('base64') };
    const [first, before] = [await slow(body, headers), contact.inbox.length];
    expect(first.status).toBe(202);
    const done = await untilJob(first.body.job_id, 'sent');
    await contact.waitForMessage((message) => message.id === done.message_id);
    const again = await slow(body, headers);
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect(contact.inbox.length).toBe(before + 1);
  });

  test('one that fails says so in its job', async () => {
    const answer = await slow({ typingDuration: 1 });
    world.sandbox.faults.nextAckError(463, { number: shop.number });
    expect(await untilJob(answer.body.job_id, 'failed')).toMatchObject({
      error_code: 'ACCOUNT_LIMITED',
    });
  });

  test('is taken up again after a restart, under the same id', async () => {
    const before = contact.inbox.length;
    const sound = oggOpus(2000);
    const answer = await slow({
      audio: sound.toString('base64'),
      ptt: false,
      convert: false,
      typingDuration: 3,
    });
    expect(answer.status).toBe(202);
    await restart();
    const done = await untilJob(answer.body.job_id, 'sent');
    const got = await contact.waitForMessage((message) => message.id === done.message_id);
    expect(sha256(await contact.downloadMedia(got))).toBe(sha256(sound));
    expect(contact.inbox.length).toBe(before + 1);
  });
});

describe('POST /bulk', () => {
  let texts: string[];
  let number: string;
  beforeEach(() => {
    const tag = crypto.randomUUID();
    texts = ['first', 'second', 'third'].map((word) => `${word} ${tag}`);
    number = contact.number;
  });
  afterEach(async () => {
    for (const { id } of (await api.get('/jobs?state=queued&limit=200')).body.jobs) {
      await api.delete(`/jobs/${id}`);
    }
  });
  const bulkOf = async (id: string): Promise<Json> => (await api.get(`/bulk/${id}`)).body;
  const untilBulk = (id: string, state: string): Promise<Json> =>
    until(`${id} is ${state}`, async () => {
      const body = await bulkOf(id);
      return body.bulk.state === state && body;
    });
  const messages = (): Json[] => texts.map((text) => ({ type: 'text', number, text }));

  test('sends one after the other with its pauses, and tells the outcome of each', async () => {
    const [first, , third] = messages();
    const answer = await api.post('/bulk', {
      messages: [first, { type: 'text', number: '5511999990199', text: 'nobody' }, third],
      min_pause_seconds: 300,
      max_pause_seconds: 300,
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const { id } = answer.body.bulk;
    expect(answer.body.bulk).toMatchObject({ state: 'running', total: 3, finished_at: null });
    await contact.waitForMessage((message) => message.text === first.text);
    await until('the next waits', async () => (await bulkOf(id)).bulk.sent === 1);
    clock.advance(299_000);
    await api.post('/send/text', { to: number, text: `between ${id}` });
    await contact.waitForMessage((message) => message.text === `between ${id}`);
    expect((await bulkOf(id)).bulk).toMatchObject({ sent: 1, open: 2 });
    clock.advance(1000);
    await until('the second is over', async () => (await bulkOf(id)).bulk.failed === 1);
    clock.advance(300_000);
    await contact.waitForMessage((message) => message.text === third.text);
    const done = await untilBulk(id, 'completed');
    expect(done.messages.map((each: Json) => [each.state, each.error_code])).toEqual([
      ['sent', null],
      ['failed', 'NOT_ON_WHATSAPP'],
      ['sent', null],
    ]);
    const [event] = (await events('bulk.completed')).filter(({ data }) => data.bulk_id === id);
    expect(event?.data).toMatchObject({ state: 'completed', total: 3, sent: 2, failed: 1, cancelled: 0 });
  });

  test('one message to many', async () => {
    const answer = await api.post('/bulk', {
      recipients: [number, shop.number],
      message: { type: 'text', text: texts[0] },
      min_pause_seconds: 0,
      max_pause_seconds: 0,
    });
    const done = await untilBulk(answer.body.bulk.id, 'completed');
    expect(done.messages.map((each: Json) => each.recipient)).toEqual([number, shop.number]);
    await contact.waitForMessage((message) => message.text === texts[0]);
  });

  test('goes on after a restart, in its order', async () => {
    const answer = await api.post('/bulk', {
      messages: messages(),
      min_pause_seconds: 60,
      max_pause_seconds: 60,
    });
    await contact.waitForMessage((message) => message.text === texts[0]);
    await restart();
    for (const text of texts.slice(1)) {
      await until('the next one has its time', async () => {
        const { messages: now } = await bulkOf(answer.body.bulk.id);
        const next = now.find((each: Json) => each.state === 'queued' || each.state === 'scheduled');
        return next && Date.parse(next.send_at) > clock.now();
      });
      clock.advance(60_000);
      await contact.waitForMessage((message) => message.text === text);
    }
    await untilBulk(answer.body.bulk.id, 'completed');
    expect(texts.map((text) => received(text).length)).toEqual([1, 1, 1]);
  });

  test('can be cancelled: what was sent stays, the rest is not sent', async () => {
    const answer = await api.post('/bulk', {
      messages: messages(),
      min_pause_seconds: 60,
      max_pause_seconds: 60,
    });
    const { id } = answer.body.bulk;
    await until('the first is sent', async () => (await bulkOf(id)).bulk.sent === 1);
    const cancelled = await api.delete(`/bulk/${id}`);
    expect(cancelled.body.bulk).toMatchObject({ state: 'cancelled', sent: 1, cancelled: 2, open: 0 });
    const again = await api.delete(`/bulk/${id}`);
    expect([again.status, again.body.error_code]).toEqual([409, 'NOT_CANCELLABLE']);
    expect((await events('bulk.completed')).find(({ data }) => data.bulk_id === id)?.data).toMatchObject({
      state: 'cancelled',
      cancelled: 2,
    });
  });

  test('a repeated request with one Idempotency-Key is one bulk', async () => {
    const body = { messages: messages(), min_pause_seconds: 0, max_pause_seconds: 0 };
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const [first, second] = [await api.post('/bulk', body, headers), await api.post('/bulk', body, headers)];
    expect(second.body.bulk.id).toBe(first.body.bulk.id);
    await untilBulk(first.body.bulk.id, 'completed');
    expect(texts.map((text) => received(text).length)).toEqual([1, 1, 1]);
  });

  test.each<[string, () => Json, string, string?]>([
    ['neither form', () => ({}), 'messages'],
    [
      'both forms',
      () => ({ messages: messages(), recipients: [number], message: messages()[0] }),
      'messages',
    ],
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
    const before = (await api.get('/jobs?limit=200')).body.jobs.length;
    const answer = await api.post('/bulk', body());
    expect([answer.status, answer.body.error_code]).toEqual([400, code]);
    expect(answer.body.validation[0].field).toBe(field);
    expect((await api.get('/jobs?limit=200')).body.jobs.length).toBe(before);
  });

  test("is not another tenant's to see", async () => {
    const made = await api.post('/bulk', { messages: messages(), min_pause_seconds: 60 });
    const stranger = world.as(await world.tenant('other'));
    const { id } = made.body.bulk;
    for (const answer of [await stranger.get(`/bulk/${id}`), await stranger.delete(`/bulk/${id}`)]) {
      expect([answer.status, answer.body.error_code]).toEqual([404, 'NOT_FOUND']);
    }
    await api.delete(`/bulk/${id}`);
  });
});

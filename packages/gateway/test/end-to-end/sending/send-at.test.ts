/** `send_at`: what is sent at a time that its request names. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { HOUR_MS, LaterShop } from '../later-shop.ts';
import { jpeg, sha256 } from '../samples.ts';

let later: LaterShop;
beforeAll(async () => {
  later = await LaterShop.open();
});
afterAll(() => later.close());

test('answers at once, sends at its time, and says so', async () => {
  const send_at = later.inOneHour();
  const answer = await later.api.post('/send/text', { to: later.contact.number, text: 'see you', send_at });
  expect(answer.status).toBe(202);
  const id: string = answer.body.job_id;
  expect(answer.body).toEqual({
    success: true,
    message_id: '',
    timestamp: expect.stringMatching(/Z$/),
    status: 'scheduled',
    chat_jid: later.contact.jid,
    job_id: expect.stringMatching(/^job_[0-9a-f]{32}$/),
    send_at,
  });
  expect(answer.headers.get('location')).toBe(`/jobs/${id}`);
  expect(await later.job(id)).toMatchObject({
    state: 'scheduled',
    type: 'text',
    recipient: later.contact.number,
    send_at,
    message_id: null,
    attempts: 0,
    finished_at: null,
  });
  later.clock.advance(HOUR_MS - 5 * 60_000);
  await later.api.post('/send/text', { to: later.contact.number, text: 'before' });
  await later.contact.waitForMessage((message) => message.text === 'before');
  expect(later.received('see you')).toEqual([]);
  later.clock.advance(5 * 60_000);
  const got = await later.contact.waitForMessage((message) => message.text === 'see you');
  const done = await later.untilJob(id, 'sent');
  expect(done).toMatchObject({ message_id: got.id, attempts: 1, error: null });
  expect((await later.api.get(`/messages/${got.id}/status`)).status).toBe(200);
  const [event] = (await later.events('job.completed')).filter(({ data }) => data.job_id === id);
  expect(event?.data).toMatchObject({ state: 'sent', message_id: got.id, recipient: later.contact.number });
});

test('survives a restart, with a file that came as base64 or as a part', async () => {
  const picture = await jpeg(1200, 900);
  const text = await later.schedule('after the restart');
  const inline = await later.api.post('/send/image', {
    to: later.contact.number,
    image: picture.toString('base64'),
    caption: 'inline',
    send_at: later.inOneHour(),
  });
  const form = new FormData();
  form.set('to', later.contact.number);
  form.set('caption', 'part');
  form.set('send_at', String(Math.floor((later.clock.now() + HOUR_MS) / 1000)));
  form.set('image', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'a.jpg');
  const part = await fetch(`${later.world.gateway.url}/send/image`, {
    method: 'POST',
    headers: { authorization: `Bearer ${later.token}` },
    body: form,
  });
  expect([inline.status, part.status]).toEqual([202, 202]);
  await later.restart();
  expect((await later.job(text)).state).toBe('scheduled');
  later.clock.advance(HOUR_MS);
  await later.contact.waitForMessage((message) => message.text === 'after the restart');
  for (const caption of ['inline', 'part']) {
    const got = await later.contact.waitForMessage((message) => message.text === caption);
    expect(sha256(await later.contact.downloadMedia(got))).toBe(sha256(picture));
  }
});

test('can be listed and cancelled', async () => {
  const id = await later.schedule('never');
  const listed = (await later.api.get('/jobs?state=scheduled')).body.jobs;
  expect(listed.map((each: Json) => each.id)).toContain(id);
  const cancelled = await later.api.delete(`/jobs/${id}`);
  expect(cancelled.body.job).toMatchObject({ state: 'cancelled', finished_at: expect.any(String) });
  const again = await later.api.delete(`/jobs/${id}`);
  expect([again.status, again.body.error_code]).toEqual([409, 'NOT_CANCELLABLE']);
  later.clock.advance(HOUR_MS);
  await later.api.post('/send/text', { to: later.contact.number, text: 'after never' });
  await later.contact.waitForMessage((message) => message.text === 'after never');
  expect(later.received('never')).toEqual([]);
});

test('pages go through all jobs once, the newest first', async () => {
  const made = [await later.schedule('p1'), await later.schedule('p2'), await later.schedule('p3')].reverse();
  const seen: string[] = [];
  let path = '/jobs?state=scheduled&limit=2';
  for (;;) {
    const { jobs, next_cursor } = (await later.api.get(path)).body;
    seen.push(...jobs.map((each: Json) => each.id));
    if (next_cursor === null) break;
    path = `/jobs?state=scheduled&limit=2&cursor=${next_cursor}`;
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(expect.arrayContaining(made));
  for (const id of made) await later.api.delete(`/jobs/${id}`);
  expect((await later.api.get('/jobs?cursor=nonsense')).body.validation[0].field).toBe('cursor');
});

test('a repeated request with one Idempotency-Key is one job', async () => {
  const body = { to: later.contact.number, text: 'once', send_at: later.inOneHour() };
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const [first, second] = [
    await later.api.post('/send/text', body, headers),
    await later.api.post('/send/text', body, headers),
  ];
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(second.body.job_id).toBe(first.body.job_id);
  await later.api.delete(`/jobs/${first.body.job_id}`);
});

test('waits for a device that is away, but not for ever', async () => {
  const waits = await later.schedule('when you are back');
  const tooLate = await later.schedule('too late');
  await later.api.post('/disconnect');
  later.clock.advance(HOUR_MS);
  await until('it was tried', async () => (await later.job(waits)).attempts > 0);
  await later.api.post('/connect');
  await later.untilConnected();
  later.clock.advance(120_000);
  await later.contact.waitForMessage((message) => message.text === 'when you are back');
  await later.untilJob(tooLate, 'sent');

  const missed = await later.schedule('missed');
  await later.world.gateway.stop();
  later.clock.advance(HOUR_MS + 11 * 60_000);
  await later.restart();
  expect(await later.untilJob(missed, 'failed')).toMatchObject({ error_code: 'SEND_TIME_PASSED' });
  const [event] = (await later.events('job.completed')).filter(({ data }) => data.job_id === missed);
  expect(event?.data).toMatchObject({ state: 'failed', error_code: 'SEND_TIME_PASSED', message_id: null });
});

test('a job whose device did not come back says why that could not be used', async () => {
  const id = await later.schedule('you are not back');
  await later.api.post('/disconnect');
  later.clock.advance(HOUR_MS);
  let tried = 0;
  const failed = await until('it is given up', async () => {
    const job = await later.job(id);
    // Once for each attempt, which are a minute apart at most: what nobody has tried by its end would be late instead.
    if (job.state === 'scheduled' && job.attempts > tried) {
      tried = job.attempts;
      later.clock.advance(60_000);
    }
    return job.state === 'failed' && job;
  });
  const why = { error_code: 'DEVICE_NOT_READY', reason: 'stopped' };
  expect(failed).toMatchObject(why);
  const [event] = (await later.events('job.completed')).filter(({ data }) => data.job_id === id);
  expect(event?.data).toMatchObject({ state: 'failed', ...why });
  await later.api.post('/connect');
  await later.untilConnected();
});

test('what the server refuses is failed with its code, as if it had been sent at once', async () => {
  const { faults } = later.world.sandbox;
  const text = { to: later.contact.number, text: 'refused' };
  faults.nextAckError(479);
  const { error_code, whatsapp_code } = (await later.api.post('/send/text', text)).body;
  expect(whatsapp_code).toBe(479);
  const id = await later.schedule('refused later');
  faults.nextAckError(479);
  later.clock.advance(HOUR_MS);
  const why = { error_code, whatsapp_code };
  expect(await later.untilJob(id, 'failed')).toMatchObject(why);
  const [event] = (await later.events('job.completed')).filter(({ data }) => data.job_id === id);
  expect(event?.data).toMatchObject({ state: 'failed', ...why });
});

test('what WhatsApp refuses is failed, with its reason', async () => {
  const answer = await later.api.post('/send/text', {
    to: '5511999990199',
    text: 'nobody',
    send_at: later.inOneHour(),
  });
  later.clock.advance(HOUR_MS);
  expect(await later.untilJob(answer.body.job_id, 'failed')).toMatchObject({ error_code: 'NOT_ON_WHATSAPP' });
});

test.each([
  ['a moment ago', () => new Date(later.clock.now() - 120_000).toISOString()],
  ['in two years', () => new Date(later.clock.now() + 800 * 24 * HOUR_MS).toISOString()],
  ['without an offset', () => '2027-01-01T12:00:00'],
  ['words', () => 'tomorrow'],
  ['a negative number', () => -5],
])('%s is refused', async (_what, time) => {
  const answer = await later.api.post('/send/text', { to: later.contact.number, text: 'x', send_at: time() });
  expect([answer.status, answer.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  expect(answer.body.validation[0].field).toBe('send_at');
});

test('bad content is refused at once, and nothing is kept', async () => {
  const before = (await later.api.get('/jobs?limit=200')).body.jobs.length;
  const answer = await later.api.post('/send/poll', {
    to: later.contact.number,
    question: 'x',
    options: [],
    send_at: later.inOneHour(),
  });
  expect(answer.status).toBe(400);
  expect((await later.api.get('/jobs?limit=200')).body.jobs.length).toBe(before);
});

test("is not another tenant's to see", async () => {
  const id = await later.schedule('mine');
  const stranger = later.world.as(await later.world.tenant('stranger'));
  for (const answer of [await stranger.get(`/jobs/${id}`), await stranger.delete(`/jobs/${id}`)]) {
    expect([answer.status, answer.body.error_code]).toEqual([404, 'NOT_FOUND']);
  }
  await later.api.delete(`/jobs/${id}`);
});

/** Stories that are posted at a time, or in a bulk: jobs as for messages. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { HOUR_MS, LaterShop } from '../later-shop.ts';
import { jpeg, sha256 } from '../samples.ts';

let later: LaterShop;
let audience: string[];

beforeAll(async () => {
  later = await LaterShop.open();
  audience = [later.contact.number];
});
afterAll(() => later.close());

async function schedule(path: string, body: object, headers: Record<string, string> = {}): Promise<Json> {
  const answer = await later.api.post(path, { audience, send_at: later.inOneHour(), ...body }, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
}

const posted = (text: string) => later.contact.waitForMessage((message) => message.text === text);

test('one is posted at its time, and can be followed', async () => {
  const accepted = await schedule('/status/text', { text: 'At six' });
  expect(accepted).toMatchObject({ status: 'scheduled', chat_jid: 'status@broadcast', message_id: '' });
  expect(await later.job(accepted.job_id)).toMatchObject({
    state: 'scheduled',
    type: 'status/text',
    recipient: 'status@broadcast',
  });
  expect(later.received('At six')).toEqual([]);
  later.clock.advance(HOUR_MS);
  const got = await posted('At six');
  expect(got.chat).toBe('status@broadcast');
  expect(await later.untilJob(accepted.job_id, 'sent')).toMatchObject({ message_id: got.id });
  const { story } = (await later.api.get(`/stories/${got.id}`)).body;
  expect(story).toMatchObject({ state: 'posted', recipients: 2, reached: 2 });
});

test('survives a restart with its file, whose type the data URI alone tells', async () => {
  const picture = await jpeg(1200, 900);
  const data = `data:image/jpeg;base64,${picture.toString('base64')}`;
  const { job_id } = await schedule('/status/media', { data, caption: 'After the restart' });
  await later.world.restartGateway();
  await later.world.untilConnected(later.token, (await later.api.get('/devices')).body.devices[0].id);
  later.clock.advance(HOUR_MS);
  await later.untilJob(job_id, 'sent');
  const got = await posted('After the restart');
  expect(sha256(await later.contact.downloadMedia(got))).toBe(sha256(picture));
});

test('is accepted once with one key, and none is posted that was cancelled', async () => {
  const headers = { 'idempotency-key': 'later-story' };
  const send_at = later.inOneHour();
  const first = await schedule('/status/text', { text: 'Never', send_at }, headers);
  const second = await schedule('/status/text', { text: 'Never', send_at }, headers);
  expect(second.job_id).toBe(first.job_id);
  expect((await later.api.delete(`/jobs/${first.job_id}`)).status).toBe(200);
  const kept = await schedule('/status/text', { text: 'This one' });
  later.clock.advance(HOUR_MS);
  await later.untilJob(kept.job_id, 'sent');
  await posted('This one');
  expect(later.received('Never')).toEqual([]);
  expect((await later.job(first.job_id)).state).toBe('cancelled');
});

test('is refused like one that is posted now', async () => {
  const past = await later.api.post('/status/text', { text: 'x', send_at: '2020-01-01T00:00:00Z' });
  expect([past.status, past.body.error_code, past.body.validation[0].field]).toEqual([
    400,
    'INVALID_REQUEST',
    'send_at',
  ]);
  const empty = await later.api.post('/status/media', { media_type: 'image', send_at: later.inOneHour() });
  expect([empty.status, empty.body.validation[0].field]).toEqual([400, 'data']);
});

test('stories are part of bulks, each with its own audience', async () => {
  const bulk = await later.api.post('/bulk', {
    messages: [
      { type: 'status/text', text: 'Bulk story', audience },
      { type: 'text', to: later.contact.number, text: 'Bulk text' },
    ],
    min_pause_seconds: 0,
    max_pause_seconds: 0,
  });
  expect(bulk.status, JSON.stringify(bulk.body)).toBe(202);
  const { id } = bulk.body.bulk;
  await until('the bulk is over', async () => (await later.api.get(`/bulk/${id}`)).body.bulk.open === 0);
  const { messages } = (await later.api.get(`/bulk/${id}`)).body;
  expect(messages.map(({ type, state }: Json) => [type, state])).toEqual([
    ['status/text', 'sent'],
    ['text', 'sent'],
  ]);
  expect((await posted('Bulk story')).chat).toBe('status@broadcast');
  const many = await later.api.post('/bulk', {
    recipients: audience,
    message: { type: 'status/text', text: 'No' },
  });
  expect([many.status, many.body.validation[0].field]).toEqual([400, 'message.type']);
});

/** Time goes on until the second attempt begins, and not while its ack is on its way. */
async function sentOnceMore(jobId: string): Promise<void> {
  await until('it was sent once more', async () => {
    const { state, attempts } = await later.job(jobId);
    if (attempts < 2) later.clock.advance(5_000);
    return state === 'sent';
  });
}

test('one whose ack was lost is not sent again when a phone says that it has it', async () => {
  const accepted = await schedule('/status/text', { text: 'Its ack is lost' });
  later.world.sandbox.faults.silenceAck(1);
  later.clock.advance(HOUR_MS);
  const first = await posted('Its ack is lost');
  await sentOnceMore(accepted.job_id);
  const job = await later.job(accepted.job_id);
  expect([job.message_id, job.attempts]).toEqual([first.id, 2]);
  await later.contact.idle();
  expect(later.received('Its ack is lost').map(({ id }) => id)).toEqual([first.id]);
  expect((await later.api.get(`/stories/${first.id}`)).body.story).toMatchObject({
    state: 'posted',
    recipients: 2,
    reached: 2,
    refused: 0,
  });
});

test('one that nobody has confirmed goes out once more, and is one story on the phones and here', async () => {
  const stanzas: string[] = [];
  const end = later.world.sandbox.network.onStanza(({ tag, attrs }) => {
    if (tag === 'message' && attrs.to === 'status@broadcast') stanzas.push(attrs.id ?? '');
  });
  for (const phone of [later.contact, later.shop]) await phone.goOffline();
  const { job_id } = await schedule('/status/text', { text: 'Tried twice' });
  later.world.sandbox.faults.silenceAck(1);
  later.clock.advance(HOUR_MS);
  await until('it has left', async () => stanzas.length > 0);
  await sentOnceMore(job_id);
  end();
  const [id = '', again, ...more] = stanzas;
  expect([again, more]).toEqual([id, []]);
  expect(await later.job(job_id)).toMatchObject({ message_id: id, attempts: 2 });
  for (const phone of [later.contact, later.shop]) await phone.goOnline();
  await posted('Tried twice');
  await later.contact.idle();
  expect(later.received('Tried twice').map((message) => message.id)).toEqual([id]);
  const { story } = (await later.api.get(`/stories/${id}`)).body;
  expect(story).toMatchObject({ state: 'posted', recipients: 2, reached: 2, refused: 0 });
  const { db } = later.world.gateway.parts;
  const rows = await db
    .selectFrom('stories')
    .select('id')
    .where('message_id', '=', id as never)
    .execute();
  expect(rows).toHaveLength(1);
});

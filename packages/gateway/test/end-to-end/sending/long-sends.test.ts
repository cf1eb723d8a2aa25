/** A send that takes longer than its caller should wait. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer } from '../harness.ts';
import { LaterShop } from '../later-shop.ts';
import { oggOpus, sha256 } from '../samples.ts';

let later: LaterShop;
beforeAll(async () => {
  later = await LaterShop.open();
});
afterAll(() => later.close());

const slow = (more: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  later.api.post(
    '/send/audio',
    {
      to: later.contact.number,
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
    chat_jid: later.contact.jid,
    job_id: expect.any(String),
  });
  const done = await later.untilJob(answer.body.job_id, 'sent');
  const got = await later.contact.waitForMessage((message) => message.id === done.message_id);
  expect(got.kind).toBe('voice');
});

test('its answer outlives the claim that comes after it', async () => {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const body = { audio: oggOpus(2000).toString('base64') };
  const [first, before] = [await slow(body, headers), later.contact.inbox.length];
  expect(first.status).toBe(202);
  const done = await later.untilJob(first.body.job_id, 'sent');
  await later.contact.waitForMessage((message) => message.id === done.message_id);
  const again = await slow(body, headers);
  expect([again.status, again.body]).toEqual([202, first.body]);
  // The stored answer, and not one that is made anew of the job while that is kept.
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(later.contact.inbox.length).toBe(before + 1);
});

test('one that fails says so in its job', async () => {
  const answer = await slow({ typingDuration: 1 });
  later.world.sandbox.faults.nextAckError(463, { number: later.shop.number });
  expect(await later.untilJob(answer.body.job_id, 'failed')).toMatchObject({
    error_code: 'ACCOUNT_LIMITED',
  });
});

test('is taken up again after a restart, under the same id', async () => {
  const before = later.contact.inbox.length;
  const sound = oggOpus(2000);
  const answer = await slow({
    audio: sound.toString('base64'),
    ptt: false,
    convert: false,
    typingDuration: 3,
  });
  expect(answer.status).toBe(202);
  await later.restart();
  const done = await later.untilJob(answer.body.job_id, 'sent');
  const got = await later.contact.waitForMessage((message) => message.id === done.message_id);
  expect(sha256(await later.contact.downloadMedia(got))).toBe(sha256(sound));
  expect(later.contact.inbox.length).toBe(before + 1);
});

/** Keys of requests, and the ids that they claim: what is repeated is done once. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SendRejected, SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import { CAROL } from '../messages/archive-world.ts';
import { ANOTHER, DAY_MS, HOUR_MS, JobDesk, pdf, pdfFile, text } from './job-desk.ts';

let desk: JobDesk;
beforeEach(async () => {
  desk = await JobDesk.open();
});
afterEach(() => desk.close());

/** What a test would see after a crash between storing what a request made and storing its answer. */
const forgetAnswers = () =>
  desk.world.store.db.updateTable('idempotency_keys').set({ status: null, response: null }).execute();

describe('a job is its own, and a key points to it for as long as it lives', () => {
  test('the same key after its time is another job, and sends', async () => {
    const ids: string[] = [];
    for (let day = 0; day < 2; day += 1) {
      const { status, body } = await desk.sends(text({ send_at: desk.at(HOUR_MS) }), 'daily');
      expect(status).toBe(202);
      ids.push(body.job_id);
      desk.advance(HOUR_MS);
      await desk.untilJob(body.job_id, 'sent');
      desk.advance(DAY_MS);
    }
    expect(new Set(ids).size).toBe(2);
    expect(desk.whatsapp.sent).toHaveLength(2);
  });

  test('and of a bulk, another bulk', async () => {
    const ids: string[] = [];
    for (let day = 0; day < 2; day += 1) {
      const answer = await desk.post('/bulk', { messages: [{ type: 'text', ...text() }] }, 'daily');
      expect(answer.status).toBe(202);
      ids.push(answer.body.bulk.id);
      expect((await desk.untilBulkIsOver(answer.body.bulk.id)).bulk.state).toBe('completed');
      desk.advance(DAY_MS);
    }
    expect(new Set(ids).size).toBe(2);
    expect(desk.whatsapp.sent).toHaveLength(2);
  });

  test('a second request under the key leaves the file of the first one that waits', async () => {
    const later = (fill: number) =>
      desk.post('/send/document', pdf(pdfFile(fill), { send_at: desk.at(2 * DAY_MS) }), 'k');
    const first = await later(1);
    desk.advance(DAY_MS);
    const second = await later(2);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await desk.outbox()).toHaveLength(2);
    desk.advance(DAY_MS);
    await desk.untilJob(first.body.job_id, 'sent');
    desk.advance(DAY_MS);
    await desk.untilJob(second.body.job_id, 'sent');
    const contents = desk.whatsapp.sent.map((_, index) => JSON.stringify(desk.whatsapp.content(index)));
    expect(new Set(contents).size).toBe(2);
    await desk.until(async () => (await desk.outbox()).length === 0);
  });

  test('a request that is repeated after its time is answered as the first time', async () => {
    const body = text({ send_at: desk.at(HOUR_MS) });
    const first = await desk.sends(body, 'later');
    desk.advance(2 * HOUR_MS);
    const again = await desk.sends(body, 'later');
    expect([again.status, again.body]).toEqual([202, first.body]);
    await forgetAnswers();
    const resumed = await desk.sends(body, 'later');
    expect([resumed.status, resumed.body.job_id]).toEqual([202, first.body.job_id]);
    expect((await desk.get('/jobs')).body.jobs).toHaveLength(1);
    const late = await desk.sends(body, 'another key');
    expect([late.status, late.body.validation[0].field]).toEqual([400, 'send_at']);
  });

  test('a bulk too, whose answer was lost with its process', async () => {
    const body = { messages: [{ type: 'text', ...text() }], send_at: desk.at(HOUR_MS) };
    const first = await desk.post('/bulk', body, 'b');
    await forgetAnswers();
    desk.advance(2 * HOUR_MS);
    const again = await desk.post('/bulk', body, 'b');
    expect([again.status, again.body.bulk.id]).toEqual([202, first.body.bulk.id]);
  });

  test('a bulk that is refused leaves no file behind', async () => {
    const good = { type: 'document', ...pdf(pdfFile(1)) };
    const bad = { type: 'document', ...pdf(`${'A'.repeat(70_000)}!`) };
    const answer = await desk.post('/bulk', { messages: [good, bad] });
    expect(answer.status).toBe(400);
    expect(await desk.outbox()).toEqual([]);
  });
});

describe('an id that was claimed for a stanza stays claimed', () => {
  const refuse = (failure: () => Error) => {
    desk.whatsapp.answer = () => Promise.reject(failure());
  };
  const accept = () => {
    desk.whatsapp.answer = desk.whatsapp.takes;
  };
  const tooFast = () => new SendRejected(429, 'rate-overlimit');

  test.each([
    ['too fast', tooFast, 429],
    ['limited', () => new SendRejected(463, 'x', { until: desk.now() + HOUR_MS, reason: 'spam' }), 429],
    ['refused', () => new SendRejected(400, 'bad'), 422],
    ['closed', () => new SessionNotOpen(), 503],
  ])('%s: the repetition goes out under it', async (_what, failure, status) => {
    refuse(failure);
    expect((await desk.sends(text(), 'k')).status).toBe(status);
    accept();
    const again = await desk.sends(text(), 'k');
    expect(again.status).toBe(200);
    expect(desk.whatsapp.sent.map(({ id }) => id)).toEqual([again.body.message_id, again.body.message_id]);
  });

  test('with its device, whichever is the default by then', async () => {
    refuse(tooFast);
    await desk.sends(text(), 'k');
    const other = await desk.world.account({ caller: desk.account.caller });
    desk.world.accounts.reverse();
    accept();
    expect((await desk.sends(text(), 'k')).status).toBe(200);
    expect([desk.whatsapp.sent.length, other.whatsapp.sent.length]).toEqual([2, 0]);
  });

  test('and with its account', async () => {
    refuse(tooFast);
    await desk.sends(text(), 'k');
    Object.assign(desk.account.device, ANOTHER);
    accept();
    const again = await desk.sends(text(), 'k');
    expect([again.status, again.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
    expect(desk.whatsapp.sent).toHaveLength(1);
  });

  test.each(['device', 'account'])('and what another %s sent under it proves nothing', async (whose) => {
    const { account, world } = desk;
    const other =
      whose === 'device'
        ? (await world.account({ caller: account.caller })).device
        : { ...account.device, ...ANOTHER };
    // Stored before ours, so that it is met first.
    const { messageId: id } = await world.store.sentText(other, { chat: CAROL });
    Object.assign(account.whatsapp.session.messages, { newId: () => id });
    refuse(() => new SessionNotOpen('the connection closed'));
    const body = text({ device_id: account.device.id });
    expect((await desk.sends(body, 'k')).body.message_id).toBe(id);
    accept();
    expect((await desk.sends(body, 'k')).status).toBe(200);
    expect(desk.whatsapp.sent).toHaveLength(2);
  });

  test('a refusal before anything left gives the key free', async () => {
    desk.account.online = false;
    expect((await desk.sends(text(), 'k')).status).toBe(503);
    desk.account.online = true;
    expect((await desk.sends(text({ text: 'another' }), 'k')).status).toBe(200);
  });
});

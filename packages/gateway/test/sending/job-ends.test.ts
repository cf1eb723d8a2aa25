/** How jobs end: what was sent is never called failed, and what was called off is never sent. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { oggOpus } from '../end-to-end/samples.ts';
import { BOBS_NUMBER, DAY_MS, HOUR_MS, JobDesk } from './job-desk.ts';
import { JOB_AFTER_MS, LATE_MS } from './sending-world.ts';

let desk: JobDesk;
beforeEach(async () => {
  desk = await JobDesk.open();
});
afterEach(() => desk.close());

const pragma = (text: string) => sql.raw(`pragma ${text}`).execute(desk.world.store.db);

/** From now on the disk is full for whoever stores that a job was sent, and for nothing else: it could be failed. */
async function refuseEnds(): Promise<{ until(): Promise<void> }> {
  const { db } = desk.world.store;
  await sql.raw('create table filler (bytes blob)').execute(db);
  await sql
    .raw(
      `create trigger full before update of state on send_jobs when new.state = 'sent'
       begin insert into filler values (zeroblob(10000000)); end`,
    )
    .execute(db);
  await pragma('max_page_count = 1000');
  return {
    async until() {
      await sql.raw('drop trigger full').execute(db);
      await pragma('max_page_count = 1000000');
    },
  };
}

/** The ack of the message is stored. */
const isStored = (messageId: string) =>
  desk.until(async () => {
    const rows = await desk.world.store.archive.stored.withId(desk.account.caller.tenantId, messageId);
    return rows[0]?.sendState === 'sent';
  });

/** The stanza of the job has left and nobody answers it; the id under which it went. */
async function underWay(jobId: string): Promise<string> {
  desk.whatsapp.answer = () => new Promise(() => undefined);
  desk.advance(HOUR_MS);
  await desk.until(async () => desk.whatsapp.sent.length === 1);
  const { message_id } = await desk.until(async () => {
    const found = await desk.job(jobId);
    return found.message_id && found;
  });
  desk.whatsapp.answer = desk.whatsapp.takes;
  return message_id;
}

describe('what was sent is never called failed', () => {
  test('a store that cannot write anything after the send is asked again', async () => {
    const id = await desk.scheduled();
    desk.whatsapp.answer = async () => {
      await pragma('query_only = 1');
      return desk.whatsapp.takes();
    };
    desk.advance(HOUR_MS);
    await desk.until(async () => desk.whatsapp.sent.length === 1);
    desk.whatsapp.answer = desk.whatsapp.takes;
    await desk.until(async () => (await desk.job(id)).state === 'processing');
    await pragma('query_only = 0');
    const done = await desk.untilJob(id, 'sent', 1000);
    expect(desk.whatsapp.sent.map(({ id }) => id)).toEqual([done.message_id, done.message_id]);
  });

  test('nor by a store that has the message, and no room for the end of its job', async () => {
    const id = await desk.scheduled();
    const full = await refuseEnds();
    desk.advance(HOUR_MS);
    await desk.until(async () => desk.whatsapp.sent.length === 1);
    const message_id = desk.whatsapp.sent[0]?.id ?? '';
    // The ack is, and however long that lasts, nothing else is said of the job.
    await isStored(message_id);
    for (let tries = 0; tries < 5; tries += 1) {
      desk.advance(LATE_MS);
      expect(await desk.job(id)).toMatchObject({ state: 'processing', error: null });
    }
    await full.until();
    expect(await desk.untilJob(id, 'sent', 1000)).toMatchObject({ message_id, attempts: 1 });
    expect(desk.whatsapp.sent).toHaveLength(1);
  });

  test('nor a long send', async () => {
    const acknowledge = desk.holdAck();
    const audio = oggOpus(2000).toString('base64');
    const answering = desk.post('/send/audio', { number: BOBS_NUMBER, audio, convert: false });
    await desk.until(async () => desk.whatsapp.sent.length === 1);
    desk.advance(JOB_AFTER_MS);
    const answer = await answering;
    expect([answer.status, answer.body.status]).toEqual([202, 'processing']);
    const full = await refuseEnds();
    acknowledge();
    const message_id = desk.whatsapp.sent[0]?.id ?? '';
    await isStored(message_id);
    desk.advance(LATE_MS);
    expect((await desk.job(answer.body.job_id)).state).toBe('processing');
    await full.until();
    expect(await desk.untilJob(answer.body.job_id, 'sent', 1000)).toMatchObject({ message_id });
    expect(desk.whatsapp.sent).toHaveLength(1);
  });

  test('a job that was sent and not settled before a crash is sent, however late it is', async () => {
    const id = await desk.scheduled();
    const message_id = await underWay(id);
    const { archive } = desk.world.store;
    const [row] = await archive.stored.withId(desk.account.caller.tenantId, message_id);
    if (!row) throw new Error('no row');
    await archive.outbound.markSent(row, { timestamp: desk.now() });
    desk.advance(LATE_MS + HOUR_MS);
    await desk.world.crash();
    expect(await desk.untilJob(id, 'sent')).toMatchObject({ message_id, error: null });
    expect(desk.whatsapp.sent).toHaveLength(1);
  });

  test('one whose end is not known is sent once more under its id, though late', async () => {
    const id = await desk.scheduled();
    const message_id = await underWay(id);
    desk.advance(LATE_MS + HOUR_MS);
    await desk.world.crash();
    expect(await desk.untilJob(id, 'sent')).toMatchObject({ message_id, error: null });
    expect(desk.whatsapp.sent.map((each) => each.id)).toEqual([message_id, message_id]);
  });

  test('but not a day later', async () => {
    const id = await desk.scheduled();
    await underWay(id);
    desk.advance(LATE_MS + DAY_MS + 1);
    await desk.world.crash();
    expect(await desk.untilJob(id, 'failed')).toMatchObject({ error_code: 'SEND_TIME_PASSED' });
    expect(desk.whatsapp.sent).toHaveLength(1);
  });
});

describe('calling off', () => {
  test('what is under way cannot be called off, and is sent', async () => {
    const id = await desk.scheduled();
    const acknowledge = desk.holdAck();
    desk.advance(HOUR_MS);
    await desk.until(async () => desk.whatsapp.sent.length === 1);
    const refused = await desk.delete(`/jobs/${id}`);
    expect([refused.status, refused.body.error_code]).toEqual([409, 'NOT_CANCELLABLE']);
    expect(refused.body.error).toContain('processing');
    acknowledge();
    await desk.untilJob(id, 'sent');
    const over = await desk.delete(`/jobs/${id}`);
    expect([over.status, over.body.error]).toEqual([409, expect.stringContaining('sent')]);
  });

  test('at the moment that it is due: it is sent, or called off, and never both', async () => {
    const ends: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const sent = desk.whatsapp.sent.length;
      const id = await desk.scheduled();
      const called = desk.delete(`/jobs/${id}`);
      // So far the request has come; the worker looks now.
      for (let turns = 0; turns < round; turns += 1) await new Promise(setImmediate);
      desk.advance(HOUR_MS);
      const { status } = await called;
      const end = status === 200 ? 'cancelled' : 'sent';
      expect(await desk.untilJob(id, end)).toMatchObject({ error: null });
      // Whatever is under way is through once the next one is.
      await desk.sends({ number: BOBS_NUMBER, text: `after ${round}` });
      expect(desk.whatsapp.sent).toHaveLength(sent + (end === 'sent' ? 2 : 1));
      ends.push(end);
    }
    expect(ends).toContain('cancelled');
  });

  test('what waits to be tried again is sent no more', async () => {
    desk.account.online = false;
    const id = await desk.scheduled();
    desk.advance(HOUR_MS);
    await desk.until(async () => {
      const { attempts, state } = await desk.job(id);
      return attempts === 1 && state === 'scheduled';
    });
    expect((await desk.delete(`/jobs/${id}`)).body.job).toMatchObject({ state: 'cancelled' });
    desk.account.online = true;
    const next = await desk.scheduled();
    desk.advance(HOUR_MS);
    await desk.untilJob(next, 'sent');
    expect(await desk.job(id)).toMatchObject({ state: 'cancelled', message_id: null });
    expect(desk.whatsapp.sent).toHaveLength(1);
  });

  test('a bulk leaves the one that is under way, and ends with it', async () => {
    const item = { type: 'text', number: BOBS_NUMBER, text: 'bulk' };
    const acknowledge = desk.holdAck();
    const { body } = await desk.post('/bulk', { messages: [item, item, item] });
    await desk.until(async () => desk.whatsapp.sent.length === 1);
    const { bulk } = (await desk.delete(`/bulk/${body.bulk.id}`)).body;
    expect(bulk).toMatchObject({ state: 'running', cancelled: 2, open: 1, sent: 0 });
    acknowledge();
    const done = await desk.untilBulkIsOver(body.bulk.id);
    expect(done.bulk).toMatchObject({ state: 'cancelled', cancelled: 2, open: 0, sent: 1 });
    expect(desk.whatsapp.sent).toHaveLength(1);
  });
});

/** What waits to be sent: counted, bounded, each file kept once, and tried by what the clock says now. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type WaitingLimits, WaitingQuota } from '../../src/quotas/waiting.ts';
import { SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import { CAROLS_NUMBER, HOUR_MS, JobDesk, pdf, pdfFile, text } from './job-desk.ts';
import type { Reply } from './sending-world.ts';

const UNBOUNDED: WaitingLimits = { waitingJobs: 2 ** 31, waitingBytes: 2 ** 40 };

let desk: JobDesk;
const open = async (limits: Partial<WaitingLimits> = {}) => {
  desk = await JobDesk.open({ ...UNBOUNDED, ...limits });
};
afterEach(() => desk.close());

const usage = () => new WaitingQuota(desk.world.store.db, UNBOUNDED).usage(desk.account.caller.tenantId);
const many = (count: number, one: object) => Array.from({ length: count }, () => one);
const later = (body: object): Promise<Reply> => desk.sends({ ...body, send_at: desk.at(HOUR_MS) });
const states = async (): Promise<string[]> =>
  (await desk.get('/jobs?limit=100')).body.jobs.map(({ state }: { state: string }) => state);

function expectQuota(answer: Reply, words: string): void {
  expect([answer.status, answer.body.error_code]).toEqual([429, 'QUOTA_EXCEEDED']);
  expect(answer.body.error).toContain(words);
}

describe('jobs that wait', () => {
  test('are bounded, a bulk counts as its messages, and nothing of a refused one is written', async () => {
    await open({ waitingJobs: 5 });
    expect((await later(text())).status).toBe(202);
    const messages = many(5, { type: 'document', ...pdf(pdfFile(1)) });
    expectQuota(await desk.post('/bulk', { messages, send_at: desk.at(HOUR_MS) }), '5 may');
    expect([await desk.outbox(), (await usage()).waitingJobs.used]).toEqual([[], 1]);
    // As many at once as there is room for, and no more.
    const answers = await Promise.all(many(7, text()).map(later));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 202, 202, 429, 429, 429]);
    expect((await usage()).waitingJobs.used).toBe(5);
    const other = await desk.world.account();
    expect((await desk.world.post(other, '/send/text', text({ send_at: desk.at(HOUR_MS) }))).status).toBe(
      202,
    );
  });

  test('are counted no more once they are over', async () => {
    await open({ waitingJobs: 2 });
    const first = await later(text());
    expect((await later(text())).status).toBe(202);
    expectQuota(await later(text()), '2 may');
    expect((await desk.delete(`/jobs/${first.body.job_id}`)).status).toBe(200);
    expect((await later(text())).status).toBe(202);
    desk.advance(HOUR_MS);
    await desk.until(async () => (await usage()).waitingJobs.used === 0, 1000);
    expect(await usage()).toMatchObject({ waitingBytes: { used: 0 } });
  });

  test('are bounded in bytes, of which a file that several have counts once', async () => {
    await open({ waitingBytes: 200_000 });
    const big = { ...pdf(pdfFile(1, 100_000)), send_at: desk.at(HOUR_MS) };
    for (let times = 0; times < 3; times += 1)
      expect((await desk.post('/send/document', big)).status).toBe(202);
    expect(await desk.outbox()).toHaveLength(1);
    expectQuota(await desk.post('/send/document', { ...big, document: pdfFile(2, 100_000) }), '200000');
    const messages = [1, 2].map((fill) => ({ type: 'document', ...pdf(pdfFile(fill, 120_000)) }));
    expectQuota(await desk.post('/bulk', { messages, send_at: desk.at(HOUR_MS) }), '200000');
    expect(await desk.outbox()).toHaveLength(1);
    expect((await usage()).waitingBytes.used).toBeLessThan(110_000);
  });

  test('what is being written counts already', async () => {
    await open({ waitingBytes: 150_000 });
    const body = (fill: number) => ({ ...pdf(pdfFile(fill, 100_000)), send_at: desk.at(HOUR_MS) });
    const answers = await Promise.all([1, 2, 3].map((fill) => desk.post('/send/document', body(fill))));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 429, 429]);
    expect(await desk.outbox()).toHaveLength(1);
  });

  test('a long text of a bulk counts as often as it is kept', async () => {
    await open({ waitingBytes: 50_000 });
    const messages = many(20, { type: 'text', ...text({ text: 'x'.repeat(4000) }) });
    expectQuota(await desk.post('/bulk', { messages }), '50000');
    expect((await desk.post('/bulk', { messages: messages.slice(0, 10) })).status).toBe(202);
  });
});

describe('a file of a bulk', () => {
  test.each([
    ['large', 700_000],
    ['small', 2000],
  ])('is kept once, %s as it is, and goes with the last message', async (_size, size) => {
    await open();
    const document = pdfFile(1, size);
    const recipients = Array.from(
      { length: 30 },
      (_, index) => `55119999900${String(index).padStart(2, '0')}`,
    );
    for (const number of recipients)
      desk.whatsapp.numbers.set(number, { jid: `${number}@s.whatsapp.net`, lid: null });
    const body = { recipients, message: { type: 'document', document, filename: 'a.pdf' } };
    const answer = await desk.post('/bulk', { ...body, min_pause_seconds: 1, max_pause_seconds: 1 });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const [name] = await desk.outbox();
    expect(await desk.outbox()).toHaveLength(1);
    const { waitingBytes } = await usage();
    expect(waitingBytes.used).toBeLessThan(size + 100_000);
    await desk.until(async () => desk.whatsapp.sent.length > 3, 1000);
    expect(await desk.outbox()).toEqual([name]);
    await desk.until(async () => desk.whatsapp.sent.length === 30, 1000);
    await desk.until(async () => (await desk.outbox()).length === 0);
    const hashes = desk.whatsapp.sent.map((_, index) => {
      const sent = desk.whatsapp.content(index).documentMessage as { fileSha256: Uint8Array };
      return Buffer.from(sent.fileSha256).toString('hex');
    });
    expect(new Set(hashes).size).toBe(1);
  });

  test('that differs is another one, and each goes with its own', async () => {
    await open();
    const messages = [1, 2, 1].map((fill) => ({ type: 'document', ...pdf(pdfFile(fill)) }));
    const made = await desk.post('/bulk', { messages, send_at: desk.at(HOUR_MS) });
    expect(await desk.outbox()).toHaveLength(2);
    const { messages: jobs } = (await desk.get(`/bulk/${made.body.bulk.id}`)).body;
    await desk.delete(`/jobs/${jobs[0].id}`);
    expect(await desk.outbox()).toHaveLength(2);
    await desk.delete(`/jobs/${jobs[1].id}`);
    expect(await desk.outbox()).toHaveLength(1);
    await desk.delete(`/bulk/${made.body.bulk.id}`);
    expect(await desk.outbox()).toEqual([]);
  });

  test('of another tenant is another one', async () => {
    await open();
    const other = await desk.world.account();
    const body = { ...pdf(pdfFile(1)), send_at: desk.at(HOUR_MS) };
    const mine = await desk.post('/send/document', body);
    await desk.world.post(other, '/send/document', body);
    expect(await desk.outbox()).toHaveLength(2);
    await desk.delete(`/jobs/${mine.body.job_id}`);
    expect((await desk.outbox()).map((name) => name.startsWith(other.caller.tenantId))).toEqual([true]);
  });

  test('outlives a crash; what nobody has is gone after it', async () => {
    await open();
    await desk.post('/bulk', {
      messages: many(2, { type: 'document', ...pdf(pdfFile(1)) }),
      send_at: desk.at(HOUR_MS),
    });
    const [name = ''] = await desk.outbox();
    const orphan = `${desk.account.caller.tenantId}-${'ab'.repeat(32)}`;
    for (const stray of [orphan, 'half-written', `job_${'0'.repeat(32)}`]) {
      await writeFile(join(desk.world.store.dataDir, 'outbox', stray), 'stray');
    }
    await desk.world.crash();
    expect(await desk.outbox()).toEqual([name]);
    desk.advance(HOUR_MS);
    await desk.until(async () => desk.whatsapp.sent.length === 2, 1000);
    await desk.until(async () => (await desk.outbox()).length === 0);
  });

  test('that was written anew while the last of it was cancelled is there', async () => {
    await open();
    const body = { ...pdf(pdfFile(1)), send_at: desk.at(HOUR_MS) };
    for (let round = 0; round < 20; round += 1) {
      const made = await desk.post('/send/document', body);
      const [, again] = await Promise.all([
        desk.delete(`/jobs/${made.body.job_id}`),
        desk.post('/send/document', body),
      ]);
      expect(await desk.outbox()).toHaveLength(1);
      await desk.delete(`/jobs/${again.body.job_id}`);
      expect(await desk.outbox()).toEqual([]);
    }
  });

  test('that is gone fails its message, not the others of the bulk', async () => {
    await open();
    const messages = [
      { type: 'document', ...pdf(pdfFile(1, 100_000)) },
      { type: 'text', ...text() },
    ];
    await desk.post('/bulk', {
      messages,
      send_at: desk.at(HOUR_MS),
      min_pause_seconds: 0,
      max_pause_seconds: 0,
    });
    for (const name of await desk.outbox()) await rm(join(desk.world.store.dataDir, 'outbox', name));
    desk.advance(HOUR_MS);
    await desk.until(async () => (await states()).every((state) => state !== 'queued'), 1000);
    await desk.until(async () => (await states()).toSorted().join() === 'failed,sent');
  });
});

describe('a clock that is set back', () => {
  const back = 5 * HOUR_MS;
  const tried = async () => (await desk.get('/jobs')).body.jobs[0].attempts;

  test.each([
    ['while the gateway runs', false],
    ['while no gateway runs', true],
  ])('%s does not hold up what is tried again', async (_when, restart) => {
    await open();
    desk.whatsapp.answer = () => Promise.reject(new SessionNotOpen());
    await later(text());
    desk.advance(HOUR_MS);
    await desk.until(async () => (await tried()) > 0 && (await states())[0] === 'scheduled');
    if (restart) await desk.world.stopJobs();
    desk.world.store.clock.setBack(back);
    if (restart) await desk.world.startJobs();
    desk.whatsapp.answer = desk.whatsapp.takes;
    const begin = desk.world.store.clock.monotonic();
    await desk.until(async () => (await states())[0] === 'sent', 5000);
    expect(desk.world.store.clock.monotonic() - begin).toBeLessThan(HOUR_MS);
  });

  test('leaves the end of a limit that WhatsApp named where it is', async () => {
    await open();
    const { clock } = desk.world.store;
    // A chat that exists goes on under the limit.
    expect((await desk.sends(text())).status).toBe(200);
    const end = desk.now() + 2 * back;
    desk.account.limit = { until: end, reason: 'reachout' };
    await desk.sends({ ...text(), number: CAROLS_NUMBER, send_at: desk.at(HOUR_MS) });
    desk.advance(HOUR_MS);
    await desk.until(async () => (await tried()) === 1 && (await states())[0] === 'scheduled');
    clock.setBack(back);
    // Past the moment at which it would be tried, if that were reckoned from the time of the first try.
    desk.advance(end - back - desk.now() + 60_000);
    await desk.until(async () => (await desk.sends(text())).status === 200);
    expect([await tried(), desk.now() < end]).toEqual([1, true]);
    desk.account.limit = null;
    desk.advance(end - desk.now());
    await desk.until(async () => (await states())[0] === 'sent', 1000);
  });

  test('does not hold up the rest of a bulk, and begins none that is planned', async () => {
    await open();
    const messages = many(3, { type: 'text', ...text() });
    await desk.post('/bulk', { messages, min_pause_seconds: 60, max_pause_seconds: 60 });
    const named = desk.at(HOUR_MS);
    const planned = await desk.post('/bulk', { messages, send_at: named });
    await desk.until(async () => desk.whatsapp.sent.length === 1);
    desk.world.store.clock.setBack(back);
    const begin = desk.world.store.clock.monotonic();
    await desk.until(async () => desk.whatsapp.sent.length === 3, 5000);
    expect(desk.world.store.clock.monotonic() - begin).toBeLessThan(HOUR_MS);
    const { bulk, messages: waiting } = await desk.bulk(planned.body.bulk.id);
    expect(bulk).toMatchObject({ open: 3 });
    // A time that a caller named is that time.
    expect(waiting[0].send_at).toBe(named);
    expect(desk.whatsapp.sent).toHaveLength(3);
  });
});

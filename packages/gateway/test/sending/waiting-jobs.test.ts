/** What waits to be sent: counted, bounded, each file kept once, and tried by what the clock says now. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type WaitingLimits, WaitingQuota } from '../../src/quotas/waiting.ts';
import { SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import { type Account, type Reply, SendingWorld } from './sending-world.ts';

const HOUR_MS = 3600_000;
const UNBOUNDED: WaitingLimits = { waitingJobs: 2 ** 31, waitingBytes: 2 ** 40 };

let world: SendingWorld;
let account: Account;
afterEach(() => world.destroy());

async function open(limits: Partial<WaitingLimits> = {}): Promise<void> {
  world = await SendingWorld.create({ ...UNBOUNDED, ...limits });
  account = await world.account();
  await world.startJobs();
}

const now = () => world.store.clock.now();
const at = (ms: number) => new Date(now() + ms).toISOString();
const advance = (ms: number) => world.store.clock.advance(ms);
const outbox = () => readdir(join(world.store.dataDir, 'outbox')).catch(() => []);
const usage = () => new WaitingQuota(world.store.db, UNBOUNDED).usage(account.caller.tenantId);
const file = (fill: number, size = 60_000) =>
  Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(size, fill)]).toString('base64');
const text = (more: object = {}) => ({ number: '5511999990002', text: 'hello', ...more });
const pdf = (document: string, more: object = {}) => ({
  number: '5511999990002',
  document,
  filename: 'a.pdf',
  ...more,
});
const many = (count: number, one: object) => Array.from({ length: count }, () => one);
const post = (path: string, body: object): Promise<Reply> => world.post(account, path, body);
const later = (body: object): Promise<Reply> => post('/send/text', { ...body, send_at: at(HOUR_MS) });
const states = async (): Promise<string[]> =>
  (await world.get(account, '/jobs?limit=100')).body.jobs.map(({ state }: { state: string }) => state);

async function until(what: string, ask: () => Promise<unknown>, step = 0): Promise<void> {
  await vi.waitFor(
    async () => {
      if (await ask()) return;
      advance(step);
      throw new Error(`not yet: ${what}`);
    },
    { timeout: 20_000, interval: 10 },
  );
}

function expectQuota(answer: Reply, words: string): void {
  expect([answer.status, answer.body.error_code]).toEqual([429, 'QUOTA_EXCEEDED']);
  expect(answer.body.error).toContain(words);
}

describe('jobs that wait', () => {
  test('are bounded, a bulk counts as its messages, and nothing of a refused one is written', async () => {
    await open({ waitingJobs: 5 });
    expect((await later(text())).status).toBe(202);
    const messages = many(5, { type: 'document', ...pdf(file(1)) });
    expectQuota(await post('/bulk', { messages, send_at: at(HOUR_MS) }), '5 may');
    expect([await outbox(), (await usage()).waitingJobs.used]).toEqual([[], 1]);
    // As many at once as there is room for, and no more.
    const answers = await Promise.all(many(7, text()).map(later));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 202, 202, 202, 429, 429, 429]);
    expect((await usage()).waitingJobs.used).toBe(5);
    const other = await world.account();
    expect((await world.post(other, '/send/text', text({ send_at: at(HOUR_MS) }))).status).toBe(202);
  });

  test('are counted no more once they are over', async () => {
    await open({ waitingJobs: 2 });
    const first = await later(text());
    expect((await later(text())).status).toBe(202);
    expectQuota(await later(text()), '2 may');
    expect((await world.call(account, 'DELETE', `/jobs/${first.body.job_id}`)).status).toBe(200);
    expect((await later(text())).status).toBe(202);
    advance(HOUR_MS);
    await until('all are sent', async () => (await usage()).waitingJobs.used === 0, 1000);
    expect(await usage()).toMatchObject({ waitingBytes: { used: 0 } });
  });

  test('are bounded in bytes, of which a file that several have counts once', async () => {
    await open({ waitingBytes: 200_000 });
    const big = { ...pdf(file(1, 100_000)), send_at: at(HOUR_MS) };
    for (let times = 0; times < 3; times += 1) expect((await post('/send/document', big)).status).toBe(202);
    expect(await outbox()).toHaveLength(1);
    expectQuota(await post('/send/document', { ...big, document: file(2, 100_000) }), '200000');
    const messages = [1, 2].map((fill) => ({ type: 'document', ...pdf(file(fill, 120_000)) }));
    expectQuota(await post('/bulk', { messages, send_at: at(HOUR_MS) }), '200000');
    expect(await outbox()).toHaveLength(1);
    expect((await usage()).waitingBytes.used).toBeLessThan(110_000);
  });

  test('what is being written counts already', async () => {
    await open({ waitingBytes: 150_000 });
    const body = (fill: number) => ({ ...pdf(file(fill, 100_000)), send_at: at(HOUR_MS) });
    const answers = await Promise.all([1, 2, 3].map((fill) => post('/send/document', body(fill))));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 429, 429]);
    expect(await outbox()).toHaveLength(1);
  });

  test('a long text of a bulk counts as often as it is kept', async () => {
    await open({ waitingBytes: 50_000 });
    const messages = many(20, { type: 'text', ...text({ text: 'x'.repeat(4000) }) });
    expectQuota(await post('/bulk', { messages }), '50000');
    expect((await post('/bulk', { messages: messages.slice(0, 10) })).status).toBe(202);
  });
});

describe('a file of a bulk', () => {
  test.each([
    ['large', 700_000],
    ['small', 2000],
  ])('is kept once, %s as it is, and goes with the last message', async (_size, size) => {
    await open();
    const document = file(1, size);
    const recipients = Array.from(
      { length: 30 },
      (_, index) => `55119999900${String(index).padStart(2, '0')}`,
    );
    for (const number of recipients)
      account.whatsapp.numbers.set(number, { jid: `${number}@s.whatsapp.net`, lid: null });
    const body = { recipients, message: { type: 'document', document, filename: 'a.pdf' } };
    const answer = await post('/bulk', { ...body, min_pause_seconds: 1, max_pause_seconds: 1 });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const [name] = await outbox();
    expect(await outbox()).toHaveLength(1);
    const { waitingBytes } = await usage();
    expect(waitingBytes.used).toBeLessThan(size + 100_000);
    await until('some are sent', async () => account.whatsapp.sent.length > 3, 1000);
    expect(await outbox()).toEqual([name]);
    await until('all are sent', async () => account.whatsapp.sent.length === 30, 1000);
    await until('the file is gone', async () => (await outbox()).length === 0);
    const hashes = account.whatsapp.sent.map((_, index) => {
      const sent = account.whatsapp.content(index).documentMessage as { fileSha256: Uint8Array };
      return Buffer.from(sent.fileSha256).toString('hex');
    });
    expect(new Set(hashes).size).toBe(1);
  });

  test('that differs is another one, and each goes with its own', async () => {
    await open();
    const messages = [1, 2, 1].map((fill) => ({ type: 'document', ...pdf(file(fill)) }));
    const made = await post('/bulk', { messages, send_at: at(HOUR_MS) });
    expect(await outbox()).toHaveLength(2);
    const { messages: jobs } = (await world.get(account, `/bulk/${made.body.bulk.id}`)).body;
    await world.call(account, 'DELETE', `/jobs/${jobs[0].id}`);
    expect(await outbox()).toHaveLength(2);
    await world.call(account, 'DELETE', `/jobs/${jobs[1].id}`);
    expect(await outbox()).toHaveLength(1);
    await world.call(account, 'DELETE', `/bulk/${made.body.bulk.id}`);
    expect(await outbox()).toEqual([]);
  });

  test('of another tenant is another one', async () => {
    await open();
    const other = await world.account();
    const body = { ...pdf(file(1)), send_at: at(HOUR_MS) };
    const mine = await post('/send/document', body);
    await world.post(other, '/send/document', body);
    expect(await outbox()).toHaveLength(2);
    await world.call(account, 'DELETE', `/jobs/${mine.body.job_id}`);
    expect((await outbox()).map((name) => name.startsWith(other.caller.tenantId))).toEqual([true]);
  });

  test('outlives a crash; what nobody has is gone after it', async () => {
    await open();
    await post('/bulk', { messages: many(2, { type: 'document', ...pdf(file(1)) }), send_at: at(HOUR_MS) });
    const [name = ''] = await outbox();
    const orphan = `${account.caller.tenantId}-${'ab'.repeat(32)}`;
    for (const stray of [orphan, 'half-written', `job_${'0'.repeat(32)}`]) {
      await writeFile(join(world.store.dataDir, 'outbox', stray), 'stray');
    }
    await world.crash();
    expect(await outbox()).toEqual([name]);
    advance(HOUR_MS);
    await until('both are sent', async () => account.whatsapp.sent.length === 2, 1000);
    await until('the file is gone', async () => (await outbox()).length === 0);
  });

  test('that was written anew while the last of it was cancelled is there', async () => {
    await open();
    const body = { ...pdf(file(1)), send_at: at(HOUR_MS) };
    for (let round = 0; round < 20; round += 1) {
      const made = await post('/send/document', body);
      const [, again] = await Promise.all([
        world.call(account, 'DELETE', `/jobs/${made.body.job_id}`),
        post('/send/document', body),
      ]);
      expect(await outbox()).toHaveLength(1);
      await world.call(account, 'DELETE', `/jobs/${again.body.job_id}`);
      expect(await outbox()).toEqual([]);
    }
  });

  test('that is gone fails its message, not the others of the bulk', async () => {
    await open();
    const messages = [
      { type: 'document', ...pdf(file(1, 100_000)) },
      { type: 'text', ...text() },
    ];
    await post('/bulk', { messages, send_at: at(HOUR_MS), min_pause_seconds: 0, max_pause_seconds: 0 });
    for (const name of await outbox()) await rm(join(world.store.dataDir, 'outbox', name));
    advance(HOUR_MS);
    await until('both are over', async () => (await states()).every((state) => state !== 'queued'), 1000);
    await until('one is sent', async () => (await states()).toSorted().join() === 'failed,sent');
  });
});

describe('a clock that is set back', () => {
  const back = 5 * HOUR_MS;
  const tried = async () => (await world.get(account, '/jobs')).body.jobs[0].attempts;

  test.each([
    ['while the gateway runs', false],
    ['while no gateway runs', true],
  ])('%s does not hold up what is tried again', async (_when, restart) => {
    await open();
    account.whatsapp.answer = () => Promise.reject(new SessionNotOpen());
    await later(text());
    advance(HOUR_MS);
    await until('it was tried', async () => (await tried()) > 0 && (await states())[0] === 'scheduled');
    if (restart) await world.stopJobs();
    world.store.clock.setBack(back);
    if (restart) await world.startJobs();
    account.whatsapp.answer = account.whatsapp.takes;
    const begin = world.store.clock.monotonic();
    await until('it is sent', async () => (await states())[0] === 'sent', 5000);
    expect(world.store.clock.monotonic() - begin).toBeLessThan(HOUR_MS);
  });

  test('does not hold up the rest of a bulk, and begins none that is planned', async () => {
    await open();
    const messages = many(3, { type: 'text', ...text() });
    await post('/bulk', { messages, min_pause_seconds: 60, max_pause_seconds: 60 });
    const planned = await post('/bulk', { messages, send_at: at(HOUR_MS) });
    await until('the first is sent', async () => account.whatsapp.sent.length === 1);
    world.store.clock.setBack(back);
    const begin = world.store.clock.monotonic();
    await until('the others are sent', async () => account.whatsapp.sent.length === 3, 5000);
    expect(world.store.clock.monotonic() - begin).toBeLessThan(HOUR_MS);
    const { bulk } = (await world.get(account, `/bulk/${planned.body.bulk.id}`)).body;
    expect(bulk).toMatchObject({ open: 3 });
    expect(account.whatsapp.sent).toHaveLength(3);
  });
});

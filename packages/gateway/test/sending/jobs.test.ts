/** Jobs and keys: what is accepted is done once, in its time, for whom it was. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { messageData } from '../../src/events/payloads/message.ts';
import { eventMessage, NO_FILES } from '../../src/messages/event-message.ts';
import { SendRejected, SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import { BOB, CAROL, inbound } from '../messages/archive-world.ts';
import { type Account, LATE_MS, type Reply, SendingWorld } from './sending-world.ts';

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const BOBS_NUMBER = '5511999990002';
const CAROLS_NUMBER = '5511999990003';

let world: SendingWorld;
let account: Account;

beforeEach(async () => {
  world = await SendingWorld.create();
  account = await world.account();
  await world.startJobs();
});
afterEach(() => world.destroy());

const now = () => world.store.clock.now();
const at = (ms: number) => new Date(now() + ms).toISOString();
const advance = (ms: number) => world.store.clock.advance(ms);
const keyed = (key: string) => ({ 'idempotency-key': key });
const text = (more: object = {}) => ({ number: BOBS_NUMBER, text: 'hello', ...more });
const sends = (body: object, key?: string): Promise<Reply> =>
  world.post(account, '/send/text', body, key ? keyed(key) : {});
const job = async (id: string) => (await world.get(account, `/jobs/${id}`)).body.job;
const bulk = async (id: string) => (await world.get(account, `/bulk/${id}`)).body;

/** Waits for it, while time goes on by `step` milliseconds with each look. */
async function until<T>(ask: () => Promise<T | false | null | undefined>, step = 0): Promise<T> {
  return vi.waitFor(
    async () => {
      const found = await ask();
      if (found) return found;
      advance(step);
      throw new Error(`not yet: ${JSON.stringify((await world.get(account, '/jobs')).body.jobs)}`);
    },
    { timeout: 20_000, interval: 10 },
  );
}
const untilJob = (id: string, state: string, step = 0) =>
  until(async () => {
    const found = await job(id);
    return found.state === state && found;
  }, step);
/** What a test would see after a crash between storing what a request made and storing its answer. */
const forgetAnswers = () =>
  world.store.db.updateTable('idempotency_keys').set({ status: null, response: null }).execute();
const picture = (fill: number) => Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(60_000, fill)]);
const pdf = (fill: number, more: object = {}) => ({
  number: BOBS_NUMBER,
  document: picture(fill).toString('base64'),
  filename: 'a.pdf',
  ...more,
});

describe('a job is its own, and a key points to it for as long as it lives', () => {
  test('the same key after its time is another job, and sends', async () => {
    const ids: string[] = [];
    for (let day = 0; day < 2; day += 1) {
      const { status, body } = await sends(text({ send_at: at(HOUR_MS) }), 'daily');
      expect(status).toBe(202);
      ids.push(body.job_id);
      advance(HOUR_MS);
      await untilJob(body.job_id, 'sent');
      advance(DAY_MS);
    }
    expect(new Set(ids).size).toBe(2);
    expect(account.whatsapp.sent).toHaveLength(2);
  });

  test('and of a bulk, another bulk', async () => {
    const ids: string[] = [];
    for (let day = 0; day < 2; day += 1) {
      const body = { messages: [{ type: 'text', ...text() }] };
      const answer = await world.post(account, '/bulk', body, keyed('daily'));
      expect(answer.status).toBe(202);
      ids.push(answer.body.bulk.id);
      await until(async () => (await bulk(answer.body.bulk.id)).bulk.state === 'completed');
      advance(DAY_MS);
    }
    expect(new Set(ids).size).toBe(2);
    expect(account.whatsapp.sent).toHaveLength(2);
  });

  test('a second request under the key leaves the file of the first one that waits', async () => {
    const first = await world.post(
      account,
      '/send/document',
      pdf(1, { send_at: at(2 * DAY_MS) }),
      keyed('k'),
    );
    advance(DAY_MS);
    const second = await world.post(
      account,
      '/send/document',
      pdf(2, { send_at: at(2 * DAY_MS) }),
      keyed('k'),
    );
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(await readdir(join(world.store.dataDir, 'outbox'))).toHaveLength(2);
    advance(DAY_MS);
    await untilJob(first.body.job_id, 'sent');
    advance(DAY_MS);
    await untilJob(second.body.job_id, 'sent');
    const hashes = account.whatsapp.sent.map((_, index) => JSON.stringify(account.whatsapp.content(index)));
    expect(new Set(hashes).size).toBe(2);
    await until(async () => (await readdir(join(world.store.dataDir, 'outbox'))).length === 0);
  });

  test('a request that is repeated after its time is answered as the first time', async () => {
    const body = text({ send_at: at(HOUR_MS) });
    const first = await sends(body, 'later');
    advance(2 * HOUR_MS);
    const again = await sends(body, 'later');
    expect([again.status, again.body]).toEqual([202, first.body]);
    await forgetAnswers();
    const resumed = await sends(body, 'later');
    expect([resumed.status, resumed.body.job_id]).toEqual([202, first.body.job_id]);
    expect((await world.get(account, '/jobs')).body.jobs).toHaveLength(1);
    const late = await sends(body, 'another key');
    expect([late.status, late.body.validation[0].field]).toEqual([400, 'send_at']);
  });

  test('a bulk too, whose answer was lost with its process', async () => {
    const body = { messages: [{ type: 'text', ...text() }], send_at: at(HOUR_MS) };
    const first = await world.post(account, '/bulk', body, keyed('b'));
    await forgetAnswers();
    advance(2 * HOUR_MS);
    const again = await world.post(account, '/bulk', body, keyed('b'));
    expect([again.status, again.body.bulk.id]).toEqual([202, first.body.bulk.id]);
  });

  test('a bulk that is refused leaves no file behind', async () => {
    const good = { type: 'document', ...pdf(1) };
    const bad = { type: 'document', ...pdf(1), document: `${'A'.repeat(70_000)}!` };
    const answer = await world.post(account, '/bulk', { messages: [good, bad] });
    expect(answer.status).toBe(400);
    expect(await readdir(join(world.store.dataDir, 'outbox')).catch(() => [])).toEqual([]);
  });
});

describe('an id that was claimed for a stanza stays claimed', () => {
  test.each([
    ['too fast', () => new SendRejected(429, 'rate-overlimit'), 429],
    ['limited', () => new SendRejected(463, 'x', { until: now() + HOUR_MS, reason: 'spam' }), 429],
    ['refused', () => new SendRejected(400, 'bad'), 422],
    ['closed', () => new SessionNotOpen(), 503],
  ])('%s: the repetition goes out under it', async (_what, failure, status) => {
    account.whatsapp.answer = () => Promise.reject(failure());
    expect((await sends(text(), 'k')).status).toBe(status);
    account.whatsapp.answer = account.whatsapp.takes;
    const again = await sends(text(), 'k');
    expect(again.status).toBe(200);
    expect(account.whatsapp.sent.map(({ id }) => id)).toEqual([again.body.message_id, again.body.message_id]);
  });

  test('with its device, whichever is the default by then', async () => {
    account.whatsapp.answer = () => Promise.reject(new SendRejected(429, 'rate-overlimit'));
    await sends(text(), 'k');
    const other = await world.account({ caller: account.caller });
    world.accounts.reverse();
    account.whatsapp.answer = account.whatsapp.takes;
    expect((await sends(text(), 'k')).status).toBe(200);
    expect([account.whatsapp.sent.length, other.whatsapp.sent.length]).toEqual([2, 0]);
  });

  test('and with its account', async () => {
    account.whatsapp.answer = () => Promise.reject(new SendRejected(429, 'rate-overlimit'));
    await sends(text(), 'k');
    Object.assign(account.device, { jid: '5511999990009@s.whatsapp.net', lid: '999999999999999@lid' });
    account.whatsapp.answer = account.whatsapp.takes;
    const again = await sends(text(), 'k');
    expect([again.status, again.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
    expect(account.whatsapp.sent).toHaveLength(1);
  });

  test.each(['device', 'account'])('and what another %s sent under it proves nothing', async (whose) => {
    const other =
      whose === 'device'
        ? (await world.account({ caller: account.caller })).device
        : { ...account.device, jid: '5511999990009@s.whatsapp.net', lid: '999999999999999@lid' };
    // Stored before ours, so that it is met first.
    const { messageId: id } = await world.store.sentText(other, { chat: CAROL });
    Object.assign(account.whatsapp.session.messages, { newId: () => id });
    account.whatsapp.answer = () => Promise.reject(new SessionNotOpen('the connection closed'));
    const body = text({ device_id: account.device.id });
    expect((await sends(body, 'k')).body.message_id).toBe(id);
    account.whatsapp.answer = account.whatsapp.takes;
    expect((await sends(body, 'k')).status).toBe(200);
    expect(account.whatsapp.sent).toHaveLength(2);
  });

  test('a refusal before anything left gives the key free', async () => {
    account.online = false;
    expect((await sends(text(), 'k')).status).toBe(503);
    account.online = true;
    expect((await sends(text({ text: 'another' }), 'k')).status).toBe(200);
  });
});

describe('what was sent is never called failed', () => {
  test('a store that cannot write the end of a job is asked again', async () => {
    const { body } = await sends(text({ send_at: at(HOUR_MS) }));
    const writable = (yes: boolean) => sql.raw(`pragma query_only = ${yes ? 0 : 1}`).execute(world.store.db);
    account.whatsapp.answer = async () => {
      await writable(false);
      return account.whatsapp.takes();
    };
    advance(HOUR_MS);
    await until(async () => account.whatsapp.sent.length === 1);
    account.whatsapp.answer = account.whatsapp.takes;
    await until(async () => (await job(body.job_id)).state === 'processing');
    await writable(true);
    const done = await untilJob(body.job_id, 'sent', 1000);
    expect(account.whatsapp.sent.map(({ id }) => id)).toEqual([done.message_id, done.message_id]);
  });

  test('a job that was sent and not settled before a crash is sent, however late it is', async () => {
    const { body } = await sends(text({ send_at: at(HOUR_MS) }));
    account.whatsapp.answer = () => new Promise(() => undefined);
    advance(HOUR_MS);
    await until(async () => account.whatsapp.sent.length === 1);
    const { message_id } = await until(async () => {
      const found = await job(body.job_id);
      return found.message_id && found;
    });
    const [row] = await world.store.archive.findForTenant(account.caller.tenantId, message_id);
    if (!row) throw new Error('no row');
    await world.store.archive.markSent(row, now());
    advance(LATE_MS + HOUR_MS);
    await world.crash();
    expect(await untilJob(body.job_id, 'sent')).toMatchObject({ message_id, error: null });
    expect(account.whatsapp.sent).toHaveLength(1);
  });
});

describe('a send whose end is not known', () => {
  const poll = (more: object = {}) => ({
    number: BOBS_NUMBER,
    question: 'When?',
    options: [{ option_name: 'now' }, { option_name: 'later' }],
    ...more,
  });
  const secrets = () =>
    account.whatsapp.sent.map((_, index) => {
      const info = account.whatsapp.content(index).messageContextInfo as { messageSecret: Uint8Array };
      return Buffer.from(info.messageSecret).toString('hex');
    });
  const status = async (id: string) => (await world.get(account, `/messages/${id}/status`)).body;
  const lost = () => {
    account.whatsapp.answer = () => Promise.reject(new SessionNotOpen('the connection closed'));
  };
  const receipt = (id: string, kind: 'delivered' | 'read') =>
    world.store.archive.applyReceipt(account.device, {
      chat: BOB,
      isGroup: false,
      recipient: BOB,
      messageIds: [id],
      kind,
      timestamp: now(),
    });

  test('is pending and says so, until a receipt tells', async () => {
    lost();
    const answer = await sends(text());
    const id: string = answer.body.message_id;
    expect([answer.status, answer.body.error_code]).toEqual([503, 'DEVICE_NOT_READY']);
    expect(await status(id)).toMatchObject({ status: 'pending', uncertain: true });
    await receipt(id, 'delivered');
    const known = await status(id);
    expect(known.status).toBe('delivered');
    expect(known).not.toHaveProperty('uncertain');
  });

  test.each([
    ['/send/poll', poll(), [{ tag: 'meta' }]],
    ['/send/text', text(), undefined],
  ])('is sent again as it was, with its secret: %s', async (path, body, extraNodes) => {
    lost();
    await world.post(account, path, body, keyed('k'));
    account.whatsapp.answer = account.whatsapp.takes;
    const again = await world.post(account, path, body, keyed('k'));
    expect(again.status).toBe(200);
    expect(account.whatsapp.sent[1]).toMatchObject({
      id: again.body.message_id,
      ...(extraNodes ? { extraNodes } : {}),
    });
    expect(new Set(secrets()).size).toBe(1);
  });

  test.each([
    ['/send/poll', poll({ message_id: 'MYPOLL0001' })],
    ['/send/text', text({ message_id: 'MYPOLL0001' })],
  ])('and under an id of the caller with the secret of the first: %s', async (path, body) => {
    lost();
    await world.post(account, path, body);
    account.whatsapp.answer = account.whatsapp.takes;
    const again = await world.post(account, path, body);
    expect([again.status, again.body.message_id]).toEqual([200, 'MYPOLL0001']);
    expect(new Set(secrets()).size).toBe(1);
  });

  test('keeps what receipts have told when it is repeated', async () => {
    account.whatsapp.answer = async (message) => {
      await receipt(message.id, 'read');
      await world.store.db
        .updateTable('messages')
        .set({ send_state: 'failed' })
        .where('message_id', '=', message.id)
        .execute();
      throw new SessionNotOpen();
    };
    await sends(text(), 'k');
    account.whatsapp.answer = account.whatsapp.takes;
    const again = await sends(text(), 'k');
    expect(again.status).toBe(200);
    expect(await status(again.body.message_id)).toMatchObject({
      status: 'read',
      read_at: expect.any(String),
    });
  });
});

describe('a bulk has one time, one deadline and one end', () => {
  const messages = (count = 3) =>
    Array.from({ length: count }, (_, n) => ({ type: 'text', ...text({ text: `m${n}` }) }));
  const start = async (more: object = {}): Promise<string> => {
    const body = { messages: messages(), min_pause_seconds: 60, max_pause_seconds: 60, ...more };
    const answer = await world.post(account, '/bulk', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer.body.bulk.id;
  };
  const over = (id: string, step = 0) =>
    until(async () => {
      const found = await bulk(id);
      return found.bulk.state !== 'running' && found;
    }, step);

  test('cancelling the first of one that is planned for tomorrow does not begin it', async () => {
    const id = await start({ send_at: at(DAY_MS) });
    const [first] = (await bulk(id)).messages;
    await world.call(account, 'DELETE', `/jobs/${first.id}`);
    const [, second] = (await bulk(id)).messages;
    expect(Date.parse(second.send_at)).toBe(now() + DAY_MS);
    advance(HOUR_MS);
    expect((await bulk(id)).bulk.open).toBe(2);
    advance(DAY_MS - HOUR_MS);
    await over(id, 10_000);
    expect(account.whatsapp.sent).toHaveLength(2);
  });

  test('waits for the end of a limit that WhatsApp named, however long', async () => {
    const id = await start();
    await until(async () => (await bulk(id)).bulk.sent === 1);
    account.limit = { until: now() + 5 * HOUR_MS, reason: 'reachout' };
    const scheduled = await sends({ number: CAROLS_NUMBER, text: 'new', send_at: at(60_000) });
    const toCarol = await start({ messages: [{ type: 'text', number: CAROLS_NUMBER, text: 'b' }] });
    advance(60_000);
    await until(async () => (await job(scheduled.body.job_id)).attempts === 1);
    await until(async () => (await bulk(toCarol)).messages[0].attempts === 1);
    advance(2 * LATE_MS);
    expect((await job(scheduled.body.job_id)).state).toBe('scheduled');
    advance(5 * HOUR_MS - 2 * LATE_MS);
    account.limit = null;
    await untilJob(scheduled.body.job_id, 'sent', 1000);
    await over(toCarol, 1000);
  });

  test('one that met a gateway that was off is late as a whole', async () => {
    const id = await start({ send_at: at(HOUR_MS) });
    await world.stopJobs();
    advance(HOUR_MS + 2 * LATE_MS);
    await world.startJobs();
    const done = await over(id);
    expect(done.messages.map((each: { error_code: string }) => each.error_code)).toEqual(
      Array(3).fill('SEND_TIME_PASSED'),
    );
    expect(account.whatsapp.sent).toEqual([]);
  });

  test('on a device that does not come back all end with the first', async () => {
    account.online = false;
    const id = await start();
    const began = now();
    const done = await over(id, 10_000);
    expect(done.bulk).toMatchObject({ failed: 3 });
    expect(now() - began).toBeLessThan(2 * LATE_MS);
  });
});

describe('a device that was linked again with another number', () => {
  const another = { jid: '5511999990009@s.whatsapp.net', lid: '999999999999999@lid' };

  test('does not send what was accepted for the former one', async () => {
    const { body } = await sends(text({ send_at: at(HOUR_MS) }));
    const many = await world.post(account, '/bulk', {
      messages: [
        { type: 'text', ...text() },
        { type: 'text', ...text() },
      ],
      send_at: at(HOUR_MS),
    });
    Object.assign(account.device, another);
    advance(HOUR_MS);
    expect(await untilJob(body.job_id, 'failed')).toMatchObject({ error_code: 'ACCOUNT_CHANGED' });
    const done = await until(async () => {
      const found = await bulk(many.body.bulk.id);
      return found.bulk.state === 'completed' && found;
    });
    expect(done.messages.map((each: { error_code: string }) => each.error_code)).toEqual(
      Array(2).fill('ACCOUNT_CHANGED'),
    );
    expect(account.whatsapp.sent).toEqual([]);
  });

  test("does nothing to the former one's messages", async () => {
    const { body } = await sends(text());
    const received = inbound({ sender: BOB });
    await world.store.archive.storeInbound(account.device, received);
    const former = account.device.jid;
    Object.assign(account.device, another);
    const edited = await world.put(account, `/messages/${body.message_id}`, {
      to: BOBS_NUMBER,
      message: 'x',
    });
    expect([edited.status, edited.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
    for (const deleteType of ['for_everyone', 'for_me']) {
      const deleted = await world.call(account, 'DELETE', '/messages/delete', {
        messageId: body.message_id,
        chatJid: BOB.jid,
        deleteType,
      });
      expect([deleted.status, deleted.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
    }
    expect(account.whatsapp.sent).toHaveLength(1);
    const [row] = await world.store.archive.findForTenant(account.caller.tenantId, received.id);
    if (!row) throw new Error('no row');
    expect(messageData(eventMessage(row, NO_FILES, null), account.device).to).toBe(former);
  });

  test('begins its chats anew, and finds a chat under either name', async () => {
    const { archive } = world.store;
    await archive.storeInbound(account.device, inbound({ chat: BOB, sender: BOB }));
    const byLid = { jid: null, lid: BOB.lid };
    expect(await archive.hasChat(account.device, byLid)).toBe(true);
    expect(await archive.hasChat(account.device, { jid: BOB.jid, lid: null })).toBe(true);
    expect(await archive.hasChat({ ...account.device, ...another }, BOB)).toBe(false);
  });
});

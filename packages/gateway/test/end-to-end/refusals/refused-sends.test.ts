/** Sends that WhatsApp refuses: what becomes of bulks, keys and groups. */
import { randomUUID } from 'node:crypto';
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { openShop } from '../shop.ts';
import { REFUSALS, statusFor } from './refusal-table.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let group: string;
/** A message in the chat with the contact, of theirs. */
let theirs: string;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({
    tenant: 'refused',
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 },
  }));
});

afterAll(() => world.destroy());

afterEach(() => {
  world.sandbox.faults.clear();
});

const text = (number: string, more: Json = {}) => api.post('/send/text', { number, text: 'hello', ...more });
const UNKNOWN_GROUP = '120363999999999999@g.us';
const connected = () =>
  until('the device is connected', async () => (await api.post('/connect')).status === 200);

async function prepare(): Promise<void> {
  await connected();
  group = (await shop.createGroup('Team', [contact])).jid;
  const { id } = await contact.sendText(shop, 'from the contact');
  theirs = await untilReceived(api, id);
}

test.each(REFUSALS)('an item of a bulk is refused with %s', async (code) => {
  await prepare();
  const messages = [group, contact.number].map((number) => ({ type: 'text', number, text: 'bulk' }));
  world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:g2' });
  const { body } = await api.post('/bulk', { messages, min_pause_seconds: 0, max_pause_seconds: 0 });
  const jobs = async (): Promise<Json[]> => (await api.get(`/jobs?bulk_id=${body.bulk.id}`)).body.jobs;
  const ofGroup = async () => (await jobs()).find(({ recipient }) => recipient === group);
  if ([404, 422].includes(statusFor(code))) {
    await until('the bulk is over', async () => (await jobs()).every(({ finished_at }) => finished_at));
    const ends = (await jobs()).map(({ state, error_code }) => `${state} ${error_code}`).sort();
    expect(ends).toEqual([
      `failed ${statusFor(code) === 404 ? 'NOT_FOUND' : 'REJECTED_BY_WHATSAPP'}`,
      'sent null',
    ]);
  } else {
    // What passes is waited for.
    const tried = await until('it was tried', async () => {
      const job = await ofGroup();
      return job?.attempts > 0 && job.state === 'scheduled' && job;
    });
    expect(tried).toMatchObject({ error_code: null, finished_at: null });
    expect((await api.delete(`/bulk/${body.bulk.id}`)).status).toBe(200);
  }
});

test('what has not left may be repeated under its key, and arrives once', async () => {
  await prepare();
  const to = await world.sandbox.createPhone({ number: '5511999994098', name: 'New' });
  const key = { 'idempotency-key': `kept ${randomUUID()}` };
  const send = () => api.post('/send/text', { number: to.number, text: 'kept' }, key);
  world.sandbox.faults.refuseQuestions('silence', { xmlns: 'encrypt' });
  const first = await send();
  expect([first.status, first.body.error_code]).toEqual([504, 'WHATSAPP_TIMEOUT']);
  const status = async () => (await api.get(`/messages/${first.body.message_id}/status`)).body;
  expect(await status()).toMatchObject({ status: 'failed' });
  world.sandbox.faults.clear();
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  // The library may still wait for its first question, and a repetition for that: it may be repeated, too.
  await until('it is sent', async () => {
    const again = await send();
    expect(again.body.message_id, JSON.stringify(again.body)).toBe(first.body.message_id);
    expect([200, 504]).toContain(again.status);
    return again.status === 200;
  });
  await to.waitForMessage(({ id }) => id === first.body.message_id);
  expect(to.inbox.map(({ text: got }) => got)).toEqual(['kept']);
});

test('a group that is not there, not ours, or was left', async () => {
  const others = await world.sandbox.createPhone({ number: '5511999994099', name: 'Other' });
  const foreign = (await others.createGroup('Others', [contact])).jid;
  const left = await shop.createGroup('Left', [contact]);
  await shop.leaveGroup(left);
  await prepare();
  for (const jid of [UNKNOWN_GROUP, foreign, left.jid]) {
    for (const run of [
      () => text(jid),
      () => api.post(`/messages/${theirs}/forward`, { to: jid }),
      () => api.post('/send/reaction', { number: jid, message_id: theirs, reaction: '👍' }),
    ]) {
      const { status, body } = await run();
      expect([400, 404, 422], `${jid}: ${JSON.stringify(body)}`).toContain(status);
    }
  }
});

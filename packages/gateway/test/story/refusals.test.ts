/** What WhatsApp refuses, or does not answer, whatever was asked of it: one mapping, and never a 500. */
import { randomUUID } from 'node:crypto';
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Answer, type Api, type Json, until, untilReceived, World } from './harness.ts';
import { jpeg } from './samples.ts';

vi.setConfig({ testTimeout: 60_000 });

const CODES = [400, 401, 403, 404, 405, 409, 410, 429, 500, 503, 'silence'] as const;
type Code = (typeof CODES)[number];

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let group: string;
let channel: string;
let fresh = 2;
let picture: string;
/** Messages in the chat with the contact, ours and theirs, new for each row of the tables. */
let ours: string;
let theirs: string;
/** A picture of theirs. */
let photo: string;

beforeAll(async () => {
  world = await World.create({
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 },
  });
  const token = await world.tenant('refused');
  shop = await world.sandbox.createPhone({ number: '5511999994001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994002', name: 'Contact' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  picture = (await jpeg()).toString('base64');
});
afterAll(() => world.destroy());
afterEach(() => {
  world.sandbox.faults.clear();
});

/** Nobody the device has asked about: everything about them has to be asked. */
async function stranger(): Promise<string> {
  fresh += 1;
  const number = `55119999940${String(fresh).padStart(2, '0')}`;
  await world.sandbox.createPhone({ number, name: `Stranger ${fresh}` });
  return number;
}

const text = (number: string, more: Json = {}) => api.post('/send/text', { number, text: 'hello', ...more });
const UNKNOWN_GROUP = '120363999999999999@g.us';

const OPERATIONS: readonly (readonly [string, () => Promise<Answer>])[] = [
  ['a text', () => text(contact.number)],
  ['a text to somebody new', async () => text(await stranger())],
  ['a text to a group', () => text(group)],
  ['a picture', () => api.post('/send/image', { number: contact.number, image: picture })],
  [
    'a poll',
    () =>
      api.post('/send/poll', {
        number: contact.number,
        question: 'Which?',
        options: [{ option_name: 'one' }, { option_name: 'other' }],
      }),
  ],
  [
    'a reaction',
    () => api.post('/send/reaction', { number: contact.number, message_id: theirs, reaction: '👍' }),
  ],
  ['an edit', () => api.put(`/messages/${ours}`, { to: contact.number, message: 'better' })],
  ['a forward', () => api.post(`/messages/${theirs}/forward`, { to: contact.number })],
  ['a forward to a group', () => api.post(`/messages/${theirs}/forward`, { to: group })],
  ['a pin', () => api.post(`/messages/${theirs}/pin`, { chat_jid: contact.jid })],
  ['a text with typing', () => text(contact.number, { typing_duration: 0.01 })],
  ['a download', () => api.get(`/messages/${photo}/media`)],
  [
    'a re-upload',
    async () => {
      await until('the cache is empty', async () => (await world.gateway.parts.media.emptyCache()) === 0);
      world.sandbox.cdn.expireAll(404);
      return api.get(`/messages/${photo}/media`);
    },
  ],
  [
    'a code for linking',
    async () => {
      const { body } = await api.post('/devices', { name: 'to be linked' });
      const answer = await api.post(`/paircode?device_id=${body.device.id}`, { phone: contact.number });
      expect((await api.delete(`/devices/${body.device.id}`)).status).toBeLessThan(300);
      return answer;
    },
  ],
  ['a receipt', () => api.post(`/messages/${theirs}/read`, { chat_jid: contact.jid })],
  [
    'a request for history',
    () =>
      api.post('/messages/history/request', {
        chat_jid: contact.jid,
        count: 5,
        last_message_id: theirs,
        last_message_timestamp: Math.floor(Date.now() / 1000),
      }),
  ],
  [
    'a deletion',
    () =>
      api.call('DELETE', '/messages/delete', {
        messageId: ours,
        chatJid: contact.jid,
        deleteType: 'for_everyone',
      }),
  ],
  ['a list of groups', () => api.get('/groups?refresh=true')],
  ['a group', () => api.get(`/groups/${group}?refresh=true`)],
  ['a new group', () => api.post('/groups', { name: 'New', participants: [contact.jid] })],
  ['a new name of a group', () => api.call('PATCH', `/groups/${group}`, { name: 'Another' })],
  ['a description of a group', () => api.call('PATCH', `/groups/${group}`, { topic: 'About' })],
  ['a setting of a group', () => api.call('PATCH', `/groups/${group}`, { join_approval: true })],
  ['a timer of a group', () => api.put(`/groups/${group}/ephemeral`, { duration_seconds: 86_400 })],
  ['a new member', () => api.post(`/groups/${group}/participants`, { participants: [contact.number] })],
  [
    'a member that goes',
    () => api.call('DELETE', `/groups/${group}/participants`, { participants: [contact.number] }),
  ],
  ['an invite link', () => api.get(`/groups/${group}/invite`)],
  ['a new invite link', () => api.post(`/groups/${group}/invite/reset`)],
  ['a picture of a group', () => api.post(`/groups/${group}/picture`, { image_base64: picture })],
  ['a group without a picture', () => api.delete(`/groups/${group}/picture`)],
  ['leaving a group', () => api.delete(`/groups/${group}/leave`)],
  ['a list of channels', () => api.get('/newsletters')],
  ['a new channel', () => api.post('/newsletters', { name: 'Offers' })],
  ['a channel', () => api.get(`/newsletters/${channel}`)],
  ['posts of a channel', () => api.get(`/newsletters/${channel}/messages`)],
  ['following a channel', () => api.post(`/newsletters/${channel}/subscribe`)],
  ['a post', () => api.post(`/newsletters/${channel}/messages`, { text: 'hello' })],
  ['a look at a post', () => api.post(`/newsletters/${channel}/read`, { server_ids: [1] })],
  [
    'a reaction to a post',
    () => api.post(`/newsletters/${channel}/reaction`, { server_id: 1, reaction: '👍' }),
  ],
  // Last: when it is not answered, the connection begins anew.
  ['a star', () => api.post(`/messages/${theirs}/star`, { chat_jid: contact.jid })],
];

async function prepare(): Promise<void> {
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  group = (await shop.createGroup('Team', [contact])).jid;
  channel = (await api.post('/newsletters', { name: 'Offers' })).body.newsletter.jid;
  const sent = await text(contact.number);
  expect(sent.status, JSON.stringify(sent.body)).toBe(200);
  ours = sent.body.message_id;
  const { id } = await contact.sendText(shop, 'from the contact');
  theirs = await untilReceived(api, id);
  const sentPhoto = await contact.sendImage(shop, { bytes: await jpeg(), mimeType: 'image/jpeg' });
  photo = await untilReceived(api, sentPhoto.id);
}

function statusFor(code: Code): number {
  if (code === 'silence') return 504;
  if (code === 404 || code === 410) return 404;
  if (code === 429) return 429;
  return code >= 500 ? 502 : 422;
}

/**
 * Runs each operation and checks its answer; `refuse` gives the order anew for each. `silent`: messages are taken
 * without an ack. A question comes before the stanza: without its answer nothing has left.
 */
async function checkAll(code: Code, refuse: () => void, silent = false): Promise<Map<string, number>> {
  await prepare();
  const statuses = new Map<string, number>();
  for (const [name, run] of OPERATIONS) {
    refuse();
    const { status, body } = await run();
    world.sandbox.faults.clear();
    const told = `${name} (${code}): ${JSON.stringify(body)}`;
    statuses.set(name, status);
    if (status < 300) continue;
    expect(status, told).toBe(statusFor(code));
    if (code !== 'silence' && body.whatsapp_code !== undefined) expect(body.whatsapp_code, told).toBe(code);
    if (!body.message_id || name === 'an edit' || name === 'a deletion') continue;
    const row = await api.get(`/messages/${body.message_id}/status`);
    if (!(silent && status === 504) && row.status === 200) expect(row.body.status, told).toBe('failed');
  }
  return statuses;
}

test.each(CODES)('every question is refused with %s', async (code) => {
  const statuses = await checkAll(code, () => world.sandbox.faults.refuseQuestions(code));
  for (const asked of [
    'a text to somebody new',
    'a text to a group',
    'a forward to a group',
    'a star',
    'a code for linking',
    'a list of groups',
    'a new name of a group',
    'a description of a group',
    'a setting of a group',
    'a timer of a group',
    'a new member',
    'an invite link',
    'a new invite link',
    'a picture of a group',
    'a group without a picture',
    'leaving a group',
    'a list of channels',
    'a new channel',
    'a channel',
    'posts of a channel',
    'following a channel',
  ]) {
    expect([asked, statuses.get(asked)]).toEqual([asked, statusFor(code)]);
  }
});

test.each(CODES)('every message is refused with %s', async (code) => {
  const statuses = await checkAll(
    code,
    () => (code === 'silence' ? world.sandbox.faults.silenceAck(1) : world.sandbox.faults.nextAckError(code)),
    code === 'silence',
  );
  for (const sent of [
    'a text',
    'a picture',
    'a poll',
    'a reaction',
    'an edit',
    'a forward',
    'a pin',
    'a post',
    'a reaction to a post',
  ]) {
    expect([sent, statuses.get(sent)]).toEqual([sent, statusFor(code)]);
  }
});

test.each(['w:g2', 'usync', 'encrypt'])('a refusal of %s alone leaves a chosen id free', async (xmlns) => {
  await prepare();
  const to = xmlns === 'w:g2' ? group : await stranger();
  const id = randomUUID();
  world.sandbox.faults.refuseQuestions(404, { xmlns });
  const refused = await text(to, { message_id: id });
  expect(refused.status, JSON.stringify(refused.body)).toBe(404);
  world.sandbox.faults.clear();
  const again = await text(to, { message_id: id });
  expect([again.status, again.body.message_id], JSON.stringify(again.body)).toEqual([200, id]);
});

test.each(CODES)('logging out is refused with %s: the device stays linked', async (code) => {
  await prepare();
  world.sandbox.faults.refuseQuestions(code, { xmlns: 'md' });
  const { status, body } = await api.post('/logout');
  expect(status, JSON.stringify(body)).toBe(statusFor(code));
  world.sandbox.faults.clear();
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  expect((await text(contact.number)).status).toBe(200);
});

test.each(CODES)('an item of a bulk is refused with %s', async (code) => {
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

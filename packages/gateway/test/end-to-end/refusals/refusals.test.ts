/** What WhatsApp refuses, or does not answer, whatever was asked of it: one mapping, and never a 500. */
import { randomUUID } from 'node:crypto';
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Answer, type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { openShop } from '../shop.ts';
import { REFUSALS as CODES, type Refusal as Code, statusFor } from './refusal-table.ts';

interface Outcome {
  status: number;
  /** The `xmlns` of the questions that were refused meanwhile. */
  refused: readonly string[];
}

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let group: string;
let channel: string;
let fresh = 3;
let picture: string;
/** Messages in the chat with the contact, ours and theirs, new for each row of the tables. */
let ours: string;

let theirs: string;
/** A picture of theirs. */
let photo: string;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({
    tenant: 'refused',
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 },
  }));
  picture = (await jpeg()).toString('base64');
  await contact.setPicture(await jpeg());
});

afterAll(() => world.destroy());

afterEach(() => {
  world.sandbox.faults.clear();
});

/** Nobody the device has asked about: everything about them has to be asked. */
async function stranger(shown?: Buffer): Promise<string> {
  fresh += 1;
  const number = `55119999940${String(fresh).padStart(2, '0')}`;
  const phone = await world.sandbox.createPhone({ number, name: `Stranger ${fresh}` });
  if (shown) await phone.setPicture(shown);
  return number;
}

const text = (number: string, more: Json = {}) => api.post('/send/text', { number, text: 'hello', ...more });

/** A connection on which nothing has been asked yet, and no file in the cache. */
async function afresh(): Promise<void> {
  // What is being fetched on arrival would come into it again.
  await until('the photo is there', async () => (await api.get(`/messages/${photo}/media`)).status === 200);
  await until('the cache is empty', async () => (await world.gateway.parts.media.emptyCache()) === 0);
  await api.post('/disconnect');
  await connected();
}

const connected = () =>
  until('the device is connected', async () => (await api.post('/connect')).status === 200);

/**
 * What is asked for and how. `media` begins on a connection that has not asked for media hosts, and only that question
 * is refused: a connection that begins asks for other things as well, which sends would wait for. `group` begins with the
 * account in the group: after a refusal it counts as outside until WhatsApp says otherwise.
 */
const OPERATIONS: readonly (readonly [string, () => Promise<Answer>, ('media' | 'group')?])[] = [
  ['a text', () => text(contact.number)],
  ['a text to somebody new', async () => text(await stranger())],
  ['a text to a group', () => text(group)],
  ['a picture', () => api.post('/send/image', { number: contact.number, image: picture }), 'media'],
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
  ['a text with typing', () => text(contact.number, { typingDuration: 0.01 })],
  ['a download', () => api.get(`/messages/${photo}/media`), 'media'],
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
  ['a new group', () => api.post('/groups', { name: 'New', participants: [contact.jid] })],
  ['a new name of a group', () => api.call('PATCH', `/groups/${group}`, { name: 'Another' }), 'group'],
  ['a description of a group', () => api.call('PATCH', `/groups/${group}`, { topic: 'About' }), 'group'],
  ['a setting of a group', () => api.call('PATCH', `/groups/${group}`, { join_approval: true }), 'group'],
  ['a timer of a group', () => api.put(`/groups/${group}/ephemeral`, { duration_seconds: 86_400 }), 'group'],
  [
    'a new member',
    () => api.post(`/groups/${group}/participants`, { participants: [contact.number] }),
    'group',
  ],
  [
    'a member that goes',
    () => api.call('DELETE', `/groups/${group}/participants`, { participants: [contact.number] }),
  ],
  ['an invite link', () => api.get(`/groups/${group}/invite`), 'group'],
  ['a new invite link', () => api.post(`/groups/${group}/invite/reset`), 'group'],
  ['a picture of a group', () => api.post(`/groups/${group}/picture`, { image_base64: picture }), 'group'],
  ['a group without a picture', () => api.delete(`/groups/${group}/picture`), 'group'],
  ['leaving a group', () => api.delete(`/groups/${group}/leave`), 'group'],
  ['a group', () => api.get(`/groups/${group}?refresh=true`)],
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

/** Questions about people, which no message follows. */
const ABOUT_PEOPLE: typeof OPERATIONS = [
  ['a check of a number', async () => api.post('/contact/check', { numbers: [await stranger()] })],
  ['a resolution', async () => api.post('/contacts/resolve', { jids: [await stranger()] })],
  ['a profile', () => api.get(`/contacts/profile?number=${contact.number}`)],
  ['the place of a picture', () => api.get(`/contacts/profile-picture?number=${contact.number}`)],
  ['a picture of somebody', async () => api.get(`/contacts/${await stranger(await jpeg())}/picture`)],
  ['a block', () => api.post('/contacts/block', { number: contact.number })],
  ['an unblock', () => api.post('/contacts/unblock', { number: contact.number })],
  ['the block list, anew', () => api.get('/contacts/blocklist?refresh=true')],
];

async function prepare(): Promise<void> {
  await connected();
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

/**
 * Runs each of the operations and checks its answer; `refuse` gives the order anew for each. A question comes before
 * the stanza: without its answer nothing has left.
 */
async function checkAll(
  operations: typeof OPERATIONS,
  { code, refuse }: { code: Code; refuse: (what?: 'media' | 'group') => void },
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const [name, run, what] of operations) {
    if (what === 'media') await afresh();
    if (what === 'group') expect((await api.get(`/groups/${group}?refresh=true`)).status).toBe(200);
    refuse(what);
    const { status, body } = await run();
    const refused = world.sandbox.faults.questionsRefused;
    world.sandbox.faults.clear();
    const told = `${name} (${code}): ${JSON.stringify(body)}`;
    outcomes.set(name, { status, refused });
    if (status < 300) continue;
    expect(status, told).toBe(statusFor(code));
    if (code !== 'silence' && body.whatsapp_code !== undefined) expect(body.whatsapp_code, told).toBe(code);
    if (!body.message_id || name === 'an edit' || name === 'a deletion') continue;
    const row = await api.get(`/messages/${body.message_id}/status`);
    if (row.status === 200) expect(row.body.status, told).toBe('failed');
  }
  return outcomes;
}

/** What is asked for with which question (`xmlns`), on a connection and for people that are new. */
const QUESTIONS = {
  'a text to somebody new': 'usync',
  'a text to a group': 'w:g2',
  'a forward to a group': 'w:g2',
  'a picture': 'w:m',
  'a download': 'w:m',
  'a star': 'w:sync:app:state',
  'a code for linking': 'md',
  'a list of groups': 'w:g2',
  'a new name of a group': 'w:g2',
  'a description of a group': 'w:g2',
  'a setting of a group': 'w:g2',
  'a timer of a group': 'w:g2',
  'a new member': 'w:g2',
  'an invite link': 'w:g2',
  'a new invite link': 'w:g2',
  'a picture of a group': 'w:profile:picture',
  'a group without a picture': 'w:profile:picture',
  'leaving a group': 'w:g2',
  'a list of channels': 'w:mex',
  'a new channel': 'tos',
  'a channel': 'w:mex',
  'posts of a channel': 'newsletter',
  'following a channel': 'w:mex',
};

/** What is a message, and so is refused by its ack. */
const MESSAGES = [
  'a text',
  'a text with typing',
  'a picture',
  'a poll',
  'a reaction',
  'an edit',
  'a forward',
  'a pin',
  'a post',
  'a reaction to a post',
];

/** Groups and channels are asked of each by themselves, and what waits for no answer waits at once: see `refusal-table.ts`. */
const TOGETHER = /group|channel|invite link|member/;
const SENDS = /^a (text|forward)|^a post|^a new channel|^a new group/;

async function allUnanswered(
  operations: typeof OPERATIONS,
  order: () => void,
): Promise<Map<string, Outcome>> {
  expect((await api.get(`/groups/${group}?refresh=true`)).status).toBe(200);
  order();
  const answers = await Promise.all(operations.map(([, run]) => run()));
  const refused = world.sandbox.faults.questionsRefused;
  world.sandbox.faults.clear();
  return new Map(operations.map(([name], index) => [name, { status: answers[index]?.status ?? 0, refused }]));
}

test.each(CODES)('every question is refused with %s', async (code) => {
  await prepare();
  const asked = ([name]: (typeof OPERATIONS)[number]) => TOGETHER.test(name) && !SENDS.test(name);
  const together = code === 'silence' ? OPERATIONS.filter(asked) : [];
  const outcomes = new Map([
    ...(await allUnanswered(together, () => world.sandbox.faults.refuseQuestions('silence'))),
    ...(await checkAll(
      OPERATIONS.filter((each) => !together.includes(each)),
      {
        code,
        refuse: (what) =>
          world.sandbox.faults.refuseQuestions(code, what === 'media' ? { xmlns: 'w:m' } : {}),
      },
    )),
  ]);
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const { status, refused = [] } = outcomes.get(name) ?? {};
    expect([name, status, refused]).toEqual([name, statusFor(code), expect.arrayContaining([question])]);
  }
});

test.each(CODES)('every message is refused with %s', async (code) => {
  const { presences } = world.sandbox.network;
  const typed = vi.spyOn(presences, 'chatstate');
  await prepare();
  const { faults } = world.sandbox;
  const operations = OPERATIONS.filter(([name]) => MESSAGES.includes(name));
  const refuse = () => {
    // What is refused with 400 may be for the address, and is tried under the other one.
    for (let times = code === 400 ? 2 : 1; times > 0; times -= 1) faults.nextAckError(Number(code));
  };
  const outcomes =
    code === 'silence'
      ? await allUnanswered(operations, () => faults.silenceAck(operations.length))
      : await checkAll(operations, { code, refuse });
  for (const sent of MESSAGES) expect([sent, outcomes.get(sent)?.status]).toEqual([sent, statusFor(code)]);
  // Nobody answers that somebody types: it was shown, and the message refused.
  const states = typed.mock.calls.map(([, { content }]) => Array.isArray(content) && content[0]?.tag);
  expect(states).toEqual(['composing', 'paused']);
  typed.mockRestore();
});

/** The server takes this request as any receipt: only the phone refuses it (its other answers: inbound-media.test.ts). */
test.each([
  ['error_node', 410, 'MEDIA_GONE'],
  ['decryption_error', 502, 'MEDIA_DOWNLOAD_FAILED'],
] as const)('a re-upload is refused with %s', async (policy, refusal, code) => {
  await prepare();
  await afresh();
  world.sandbox.cdn.expireAll(404);
  shop.mediaRetry = policy;
  const before = shop.mediaRetryRequests.length;
  const { status, body } = await api.get(`/messages/${photo}/media?wait=60`);
  shop.mediaRetry = 'reupload';
  expect([status, body?.error_code], JSON.stringify(body)).toEqual([refusal, code]);
  const asked = shop.mediaRetryRequests.slice(before);
  expect(asked).toEqual([expect.objectContaining({ messageId: photo, readable: true })]);
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

test.each(CODES)('every question about people is refused with %s', async (code) => {
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  const asked = code === 'silence' ? [ABOUT_PEOPLE] : ABOUT_PEOPLE.map((each) => [each]);
  for (const together of asked) {
    world.sandbox.faults.refuseQuestions(code);
    const answers = await Promise.all(together.map(([, ask]) => ask()));
    world.sandbox.faults.clear();
    const told = together.map(([name], index) => [name, answers[index]?.status]);
    expect(told).toEqual(together.map(([name]) => [name, statusFor(code)]));
  }
});

test.each(CODES)('saving a contact is refused with %s: it is not saved', async (code) => {
  await prepare();
  world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:sync:app:state' });
  const { status, body } = await api.post('/contacts', { number: contact.number, full_name: `Of ${code}` });
  expect(status, JSON.stringify(body)).toBe(statusFor(code));
  world.sandbox.faults.clear();
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  expect(await shop.account.contacts()).toEqual({});
  expect((await api.get('/contacts?saved=true')).body.contacts).toEqual([]);
});

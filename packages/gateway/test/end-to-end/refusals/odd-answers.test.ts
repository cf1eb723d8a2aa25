/** What WhatsApp answers without what is needed, or with more than was asked: said as such, and nothing else is hurt. */
import type { Phone } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';

let world: World;
let api: Api;
let shop: Phone;
let ana: Phone;
let bia: Phone;
let group: string;

beforeAll(async () => {
  world = await World.create({ settings: { WUTS_PACE_PER_MINUTE: '0' } });
  const token = await world.tenant('odd-answers');
  shop = await world.sandbox.createPhone({ number: '5511933370001', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511933370002', name: 'Ana' });
  bia = await world.sandbox.createPhone({ number: '5511933370003', name: 'Bia' });
  group = (await shop.createGroup('Team', [ana, bia])).jid;
  await world.linkByQr(token, shop);
  api = world.as(token);
  await until('the state is there', async () => (await api.get('/contacts')).body.as_of !== null);
});
afterEach(() => world.sandbox.faults.clear());
afterAll(() => world?.destroy());

type Change = (node: BinaryNode) => BinaryNode[];

/** The node and what is in it, with every node of that tag changed. */
function changed(node: BinaryNode, tag: string, change: Change): BinaryNode[] {
  if (!Array.isArray(node.content)) return node.tag === tag ? change(node) : [node];
  const same = { ...node, content: node.content.flatMap((child) => changed(child, tag, change)) };
  return node.tag === tag ? change(same) : [same];
}

/** So it is in what is answered from now on. */
function answers(tag: string, change: Change): void {
  world.sandbox.faults.changeAnswers((answer) => changed(answer, tag, change)[0] ?? answer);
}

const leftOut: Change = () => [];
const without =
  (name: string): Change =>
  ({ attrs: { [name]: _, ...attrs }, ...node }) => [{ ...node, attrs }];

const pdf = Buffer.from('%PDF-1.4 ').toString('base64');
const participants = () => [ana.number];

test.each<[string, string, Change, () => Promise<{ status: number; body: Json }>]>([
  ['a group', 'group', leftOut, () => api.get(`/groups/${group}?refresh=true`)],
  ['a new group', 'group', leftOut, () => api.post('/groups', { name: 'New', participants: participants() })],
  [
    'the id of a new group',
    'group',
    without('id'),
    () => api.post('/groups', { name: 'New', participants: participants() }),
  ],
  ['a new community', 'group', leftOut, () => api.post('/communities', { name: 'Street' })],
  ['the link of a group', 'invite', leftOut, () => api.get(`/groups/${group}/invite`)],
  [
    'the right to send files',
    'media_conn',
    without('auth'),
    () => api.post('/send/document', { number: ana.number, document: pdf, file_name: 'a.pdf' }),
  ],
])('without %s it is 502, and the next answer is taken', async (_, tag, change, ask) => {
  answers(tag, change);
  const { status, body } = await ask();
  expect([status, body.error_code], JSON.stringify(body)).toEqual([502, 'WHATSAPP_ERROR']);
  expect(body.error).toContain('WhatsApp answered without');
  world.sandbox.faults.clear();
  expect((await ask()).status).toBeLessThan(300);
});

test('a collection of the state that was not asked for changes nothing', async () => {
  answers('sync', (sync) => {
    const novelty = { tag: 'collection', attrs: { name: 'regular_novelty', version: '3' } };
    return [{ ...sync, content: [novelty, ...(Array.isArray(sync.content) ? sync.content : [])] }];
  });
  expect((await api.post('/appstate/sync', { full: true })).status).toBe(200);
});

test.each<[string, number, string, Change]>([
  ['nothing at all', 502, 'sync', leftOut],
  // What is changed needs nothing of them.
  [
    'other collections',
    200,
    'collection',
    ({ attrs, ...node }) => [{ ...node, attrs: { ...attrs, name: 'x' } }],
  ],
])('a state of %s is asked for a few times, and not for ever', async (_, pinned, tag, change) => {
  answers(tag, change);
  const { status, body } = await api.post('/appstate/sync', {});
  expect([status, body.error_code], JSON.stringify(body)).toEqual([502, 'WHATSAPP_ERROR']);
  expect((await api.post(`/chats/${ana.jid}/pin`)).status).toBe(pinned);
  world.sandbox.faults.clear();
  expect((await api.post('/appstate/sync', {})).status).toBe(200);
  expect((await api.post(`/chats/${ana.jid}/pin`)).status).toBe(200);
});

test('what an answer leaves out of the state holds up nothing else', async () => {
  answers('collection', (collection) => (collection.attrs.name === 'regular_low' ? [] : [collection]));
  expect((await api.post('/appstate/sync', { scopes: ['contacts'] })).status).toBe(200);
  const { status, body } = await api.post('/appstate/sync', {});
  expect([status, body.error_code]).toEqual([502, 'WHATSAPP_ERROR']);
  expect(body.error).toContain('regular_low');
  expect(body.error).not.toContain('regular_high');
});

const cut: Change = ({ content, ...node }) => [
  { ...node, content: content instanceof Uint8Array ? content.subarray(1) : [] },
];

test.each<[string, string, string, Change]>([
  ['5511933370011', 'no identity', 'identity', leftOut],
  ['5511933370012', 'half an identity', 'identity', cut],
  ['5511933370013', 'no signed pre-key', 'skey', leftOut],
  ['5511933370014', 'no signature of it', 'signature', leftOut],
  ['5511933370015', 'a pre-key that is none', 'value', cut],
  ['5511933370016', 'no registration', 'registration', leftOut],
  ['5511933370018', 'a name that is none', 'user', (user) => [{ ...user, attrs: { jid: 'Caio' } }]],
])('%s has %s: the others get what is sent to the group', async (number, text, tag, change) => {
  const member = await world.sandbox.createPhone({ number, name: 'Caio' });
  const { jid } = await shop.createGroup('Keys', [ana, member]);
  const [lid = ''] = member.lid.split('@');
  answers('user', (user) => (user.attrs.jid?.startsWith(lid) ? changed(user, tag, change) : [user]));
  const { status, body } = await api.post('/send/text', { number: jid, text });
  expect(status, JSON.stringify(body)).toBe(200);
  expect((await ana.waitForMessage(({ id }) => id === body.message_id)).text).toBe(text);
});

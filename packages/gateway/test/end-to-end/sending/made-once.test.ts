/** What WhatsApp makes, and whose answer is lost: a request that is repeated with its key makes no second one. */
import type { Phone } from '@wuts/sandbox';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, World } from '../harness.ts';

let world: World;
let api: Api;
let token: string;
let shop: Phone;
let ana: Phone;

beforeAll(async () => {
  const patience = { ackTimeoutMs: 4000, queryTimeoutMs: 4000 };
  world = await World.create({ patience, settings: { WUTS_PACE_PER_MINUTE: '0' } });
  token = await world.tenant('makers');
  shop = await world.sandbox.createPhone({ number: '5511944440001', name: 'Shop' });
  await shop.becomeBusiness({ name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511944440002', name: 'Ana' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world?.destroy());

interface Kind {
  name: string;
  path: string;
  body: Json;
  xmlns: string;
  /** The question that makes it. */
  question(iq: BinaryNode): boolean;
  madeBy(answer: Answer): string;
  /** Ids of those with the name, as WhatsApp has them. */
  there(): Promise<string[]>;
  /** The device hears of what was made, before the request is repeated. */
  heardOf?(): Promise<unknown>;
}

function hasPatch(iq: BinaryNode): boolean {
  const collections = getBinaryNodeChildren(getBinaryNodeChild(iq, 'sync'), 'collection');
  return collections.some((collection) => getBinaryNodeChild(collection, 'patch') !== undefined);
}

/** Without those that WhatsApp makes for the announcements of a community. */
const groupsCalled = async (name: string): Promise<string[]> => {
  const { groups } = (await api.get('/groups?refresh=true')).body;
  const called = groups.filter((group: Json) => group.name === name && group.parent_jid === null);
  return called.map(({ jid }: Json) => jid);
};
const kinds: Kind[] = [
  {
    name: 'a group',
    path: '/groups',
    body: { name: 'Drivers', participants: ['5511944440002'] },
    xmlns: 'w:g2',
    question: (iq) => getBinaryNodeChild(iq, 'create') !== undefined,
    madeBy: ({ body }) => body.group?.jid,
    there: () => groupsCalled('Drivers'),
  },
  {
    name: 'a community',
    path: '/communities',
    body: { name: 'Quarter' },
    xmlns: 'w:g2',
    question: (iq) => getBinaryNodeChild(iq, 'create') !== undefined,
    madeBy: ({ body }) => body.community?.jid,
    there: () => groupsCalled('Quarter'),
  },
  {
    name: 'a channel',
    path: '/newsletters',
    body: { name: 'Offers' },
    xmlns: 'w:mex',
    question: (iq) => String(getBinaryNodeChild(iq, 'query')?.content).includes('Offers'),
    madeBy: ({ body }) => body.newsletter?.id,
    there: async () => {
      const { newsletters } = (await api.get('/newsletters')).body;
      return newsletters.filter(({ name }: Json) => name === 'Offers').map(({ id }: Json) => id);
    },
  },
  {
    name: 'a label',
    path: '/labels',
    body: { name: 'Paid', color: 2 },
    xmlns: 'w:sync:app:state',
    question: hasPatch,
    madeBy: ({ body }) => body.label?.id,
    there: async () =>
      (await shop.account.labels()).filter(({ name }) => name === 'Paid').map(({ id }) => id),
    heardOf: async () => {
      await api.post('/appstate/sync', { full: true });
      await until('both are there', async () => (await api.get('/labels')).body.count === 2);
    },
  },
];

/** A question that was not answered may have ended the connection. */
const connected = () =>
  until('the device is connected', async () => (await api.get('/status')).body.data.connected);
beforeEach(connected);

const keyed = (): Record<string, string> => ({ 'idempotency-key': crypto.randomUUID() });
const sorted = async ({ there }: Kind): Promise<string[]> => (await there()).toSorted();

test.each(kinds)('$name whose answer is lost is found by the repetition', async (kind) => {
  // One that is called the same was there before.
  const before = await api.post(kind.path, kind.body);
  expect(before.status, JSON.stringify(before.body)).toBeLessThan(300);
  const headers = keyed();
  world.sandbox.faults.loseAnswer(kind.question);
  const lost = await api.post(kind.path, kind.body, headers);
  expect([lost.status, lost.body.error_code]).toEqual([504, 'WHATSAPP_TIMEOUT']);
  await connected();
  await kind.heardOf?.();
  const again = await api.post(kind.path, kind.body, headers);
  expect(again.status, JSON.stringify(again.body)).toBe(before.status);
  const ids = [kind.madeBy(before), kind.madeBy(again)];
  expect(new Set(ids).size).toBe(2);
  expect(await sorted(kind)).toEqual(ids.toSorted());
  const third = await api.post(kind.path, kind.body, headers);
  expect(third.body).toEqual(again.body);
  // Another key is another one.
  const other = await api.post(kind.path, kind.body, keyed());
  expect(await sorted(kind)).toEqual([...ids, kind.madeBy(other)].toSorted());
});

test.each(kinds)('$name that WhatsApp never heard of is made by the repetition', async (kind) => {
  const [headers, before] = [keyed(), await kind.there()];
  world.sandbox.faults.refuseQuestions('silence', { xmlns: kind.xmlns });
  const lost = await api.post(kind.path, kind.body, headers);
  world.sandbox.faults.refuseQuestions(null);
  await connected();
  expect(lost.status, JSON.stringify(lost.body)).toBe(504);
  const again = await api.post(kind.path, kind.body, headers);
  expect(again.status, JSON.stringify(again.body)).toBeLessThan(300);
  expect(await sorted(kind)).toEqual([...before, kind.madeBy(again)].toSorted());
});

test('a community that was made, and of which the rest could not be told, is told by the repetition', async () => {
  const [headers, body] = [keyed(), { name: 'Harbour' }];
  world.sandbox.faults.loseAnswer((iq) => getBinaryNodeChild(iq, 'sub_groups') !== undefined);
  expect((await api.post('/communities', body, headers)).status).toBe(504);
  await connected();
  const again = await api.post('/communities', body, headers);
  expect(again.status, JSON.stringify(again.body)).toBe(201);
  expect(await groupsCalled('Harbour')).toEqual([again.body.community.jid]);
});

test('a group that was made before the process ended is found after the restart', async () => {
  const [headers, body] = [keyed(), { name: 'Night shift', participants: [ana.number] }];
  world.sandbox.faults.loseAnswer((iq) => getBinaryNodeChild(iq, 'create') !== undefined);
  expect((await api.post('/groups', body, headers)).status).toBe(504);
  await world.restartGateway();
  api = world.as(token);
  await connected();
  const again = await api.post('/groups', body, headers);
  expect(again.status, JSON.stringify(again.body)).toBe(201);
  expect(again.body.refused).toEqual([]);
  expect(again.body.group.participants).toHaveLength(2);
  expect(await groupsCalled('Night shift')).toEqual([again.body.group.jid]);
});

test('what WhatsApp refuses leaves the key free for another request', async () => {
  const headers = keyed();
  world.sandbox.faults.refuseQuestions(403, { xmlns: 'w:g2' });
  const refused = await api.post('/groups', { name: 'No', participants: [] }, headers);
  world.sandbox.faults.refuseQuestions(null);
  expect(refused.status).toBe(422);
  expect((await api.post('/groups', { name: 'Yes', participants: [] }, headers)).status).toBe(201);
});

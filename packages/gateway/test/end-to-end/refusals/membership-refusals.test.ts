/** What WhatsApp refuses, or does not answer, of joining, deciding who joins, and communities. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, World } from '../harness.ts';
import { REFUSALS, type Refusal, statusFor } from './refusal-table.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let group: string;
let community: string;

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 } });
  const token = await world.tenant('members');
  shop = await world.sandbox.createPhone({ number: '5511999994601', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994602', name: 'Contact' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());
afterEach(() => {
  world.sandbox.faults.clear();
});

const JOINING: readonly (readonly [string, () => Promise<Answer>])[] = [
  ['joining', () => api.post('/groups/join', { code: 'AbCdEfGhIjKlMnOpQrStUv' })],
  ['looking at an invite', () => api.get('/groups/join?code=AbCdEfGhIjKlMnOpQrStUv')],
];
const OTHERS: readonly (readonly [string, () => Promise<Answer>])[] = [
  ['a list of who asks', () => api.get(`/groups/${group}/join-requests`)],
  ['a decision', () => api.post(`/groups/${group}/join-requests`, { action: 'reject', all: true })],
  ['a community', () => api.get(`/communities/${community}`)],
  ['a link', () => api.post(`/communities/${community}/groups`, { group_jid: group })],
  ['an end of a link', () => api.call('DELETE', `/communities/${community}/groups`, { group_jid: group })],
  ['a new community', () => api.post('/communities', { name: 'New' })],
  // Last: of a 403 or 404 to the question after it, it learns that the account is not in the community.
  [
    'a new member',
    () => api.post(`/communities/${community}/participants`, { participants: [contact.number] }),
  ],
];

/** Joining has words of its own for some codes. */
const OF_JOINING: Partial<Record<Refusal, number>> = { 401: 403, 403: 403, 405: 403, 409: 409, 410: 410 };

test.each(REFUSALS)('every question about groups is refused with %s', async (code) => {
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  group = (await shop.createGroup('Team', [contact])).jid;
  community = (await shop.createCommunity('Street')).jid;
  await until('the groups are known', async () => {
    const { groups } = (await api.get('/groups')).body;
    return [group, community].every((jid) => groups?.some((each: Json) => each.jid === jid));
  });
  world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:g2' });
  for (const [name, run] of [...JOINING, ...OTHERS]) {
    const { status, body } = await run();
    const joins = JOINING.some(([each]) => each === name);
    const expected = (joins ? OF_JOINING[code] : undefined) ?? statusFor(code);
    expect(status, `${name} (${code}): ${JSON.stringify(body)}`).toBe(expected);
    if (code !== 'silence') expect(body.whatsapp_code, name).toBe(code);
  }
});

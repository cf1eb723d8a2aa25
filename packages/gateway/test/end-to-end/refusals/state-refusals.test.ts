/** What WhatsApp refuses of the state that devices share: said as such, by the one mapping. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, until, World } from '../harness.ts';

let world: World;
let api: Api;
let shop: Phone;

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 } });
  const token = await world.tenant('state-refused');
  shop = await world.sandbox.createPhone({ number: '5511933360001', name: 'Shop' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  await until('the state is there', async () => (await api.get('/contacts')).body.as_of !== null);
});
afterAll(() => world?.destroy());

const ASKED = [
  () => api.post('/appstate/sync', { scopes: ['contacts'] }),
  () => api.post('/appstate/sync', { scopes: ['contacts'], full: true }),
  () => api.get('/contacts?refresh=true'),
];

test.each([
  [400, 422],
  [401, 422],
  [403, 422],
  [404, 404],
  [409, 422],
  [410, 404],
  [429, 429],
  [500, 502],
  [503, 502],
] as const)('a refusal with %s is answered %i, of the question and of a collection', async (code, expected) => {
  const { faults } = world.sandbox;
  for (const refuse of [
    () => faults.refuseQuestions(code, { xmlns: 'w:sync:app:state' }),
    () => faults.refuseCollections(code),
  ]) {
    refuse();
    for (const ask of ASKED) {
      const { status, body } = await ask();
      expect(status, JSON.stringify(body)).toBe(expected);
      expect(body.whatsapp_code).toBe(code);
    }
    faults.clear();
  }
  for (const ask of ASKED) expect((await ask()).status).toBe(200);
});

test('silence is 504', async () => {
  world.sandbox.faults.refuseQuestions('silence', { xmlns: 'w:sync:app:state' });
  const { status, body } = await api.post('/appstate/sync', { scopes: ['contacts'] });
  expect([status, body.error_code]).toEqual([504, 'WHATSAPP_TIMEOUT']);
  world.sandbox.faults.clear();
});

test('a patch that cannot be read holds up its own collection, and no other', async () => {
  shop.hostile.appStatePatch('regular_low', Buffer.alloc(10, 0xff));
  const { status, body } = await api.post('/appstate/sync', {});
  expect([status, body.error_code]).toEqual([502, 'WHATSAPP_ERROR']);
  expect(body.error).toContain('regular_low');
  expect((await api.post('/appstate/sync', { scopes: ['contacts'] })).status).toBe(200);

  // The answer to a change on a version that is not the last one holds what came between: here, what cannot be read.
  const change = await api.post(`/chats/${shop.jid}/pin`);
  expect([change.status, change.body.whatsapp_code]).toEqual([422, 409]);
});

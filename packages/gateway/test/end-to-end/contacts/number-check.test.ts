/** Which numbers are on WhatsApp, and who goes by a number or LID. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, untilReceived, World } from '../harness.ts';

const NOBODY = '5511999991799';
/** The account of Bia, and how people write it today. */
const BIA = { account: '551187650002', written: '+55 (11) 98765-0002', digits: '5511987650002' };

let world: World;
let api: Api;
let shop: Phone;
let ana: Phone;
let bia: Phone;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('checks');
  shop = await world.sandbox.createPhone({ number: '5511999991701', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999991702', name: 'Ana' });
  bia = await world.sandbox.createPhone({ number: BIA.account, name: 'Bia' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());
afterEach(() => world.sandbox.faults.clear());

describe('a check', () => {
  test('answers by number, however it is written', async () => {
    const numbers = [ana.number, BIA.written, NOBODY, 'call me', '+1 2'];
    const { status, body } = await api.post('/contact/check', { numbers });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.data).toEqual({
      [ana.number]: true,
      [BIA.digits]: true,
      [NOBODY]: false,
      callme: false,
      '12': false,
    });
    expect(body.results.map(({ input }: Json) => input)).toEqual(numbers);
    expect(body.results.slice(0, 2)).toMatchObject([
      { number: ana.number, registered: true, jid: ana.jid, lid: ana.lid, problem: null },
      { number: BIA.digits, registered: true, jid: bia.jid, lid: bia.lid, phone_number: BIA.account },
    ]);
    expect(body.results[2]).toMatchObject({ registered: false, jid: null, checked_at: expect.any(String) });
    expect(body.results[3]).toMatchObject({ checked_at: null, problem: expect.stringMatching(/10 to 15/) });
  });

  test('asks WhatsApp for nothing that was asked lately, unless it is to', async () => {
    const numbers = [ana.number, NOBODY];
    const first = await api.post('/contact/check', { numbers });
    world.sandbox.faults.refuseQuestions(500);
    const again = await api.post('/contact/check', { numbers });
    expect([again.status, again.body]).toEqual([200, first.body]);
    const anew = await api.post('/contact/check', { numbers, max_age: 0 });
    expect([anew.status, anew.body.error_code]).toEqual([502, 'WHATSAPP_ERROR']);
  });

  test('of 1,000 numbers is one call', async () => {
    const numbers = Array.from({ length: 997 }, (_, index) => `5521${String(988_000_000 + index)}`);
    const all = [...numbers, ana.number, BIA.written, BIA.account];
    const { status, body } = await api.post('/contact/check', { numbers: all });
    expect(status, JSON.stringify(body).slice(0, 300)).toBe(200);
    expect(Object.keys(body.data)).toHaveLength(1000);
    const registered = Object.entries(body.data).flatMap(([number, is]) => (is ? [number] : []));
    expect(registered.sort()).toEqual([BIA.account, BIA.digits, ana.number].sort());
    const more = await api.post('/contact/check', { numbers: [...all, NOBODY] });
    expect([more.status, more.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('goes on without the device as far as it is known', async () => {
    await api.post('/contact/check', { numbers: [ana.number] });
    await api.post('/disconnect');
    const known = await api.post('/contact/check', { numbers: [ana.number] });
    expect(known.body.data).toEqual({ [ana.number]: true });
    const unknown = await api.post('/contact/check', { numbers: [ana.number, '5511999991798'] });
    expect([unknown.status, unknown.body.error_code]).toEqual([503, 'DEVICE_NOT_READY']);
    expect((await api.post('/connect')).status).toBe(200);
  });
});

describe('resolving', () => {
  const resolve = (jids: string[], more: Json = {}) => api.post('/contacts/resolve', { jids, ...more });

  test('finds who goes by a number', async () => {
    const { status, body } = await resolve([ana.number, BIA.written, ana.jid, NOBODY, 'call me']);
    expect(status, JSON.stringify(body)).toBe(200);
    const anas = {
      resolved_jid: ana.jid,
      jid: ana.jid,
      phone_number: ana.number,
      lid: ana.lid,
      lid_jid: ana.lid,
    };
    expect(body).toMatchObject({
      count: 3,
      items: [
        { input: ana.number, input_jid: ana.jid, ...anas },
        { input: BIA.written, input_jid: `${BIA.digits}@s.whatsapp.net`, jid: bia.jid, lid: bia.lid },
        { input: ana.jid, ...anas },
      ],
      unresolved: [
        { input: NOBODY, reason: 'not_on_whatsapp' },
        { input: 'call me', input_jid: null, reason: 'invalid' },
      ],
    });
  });

  test('finds the number of a LID that the account has met, and asks nobody', async () => {
    const carla = await world.sandbox.createPhone({ number: '5511999991703', name: 'Carla' });
    const stranger = await world.sandbox.createPhone({ number: '5511999991704', name: 'Stranger' });
    const message = await carla.sendText(shop, 'hello');
    await untilReceived(api, message.id);
    world.sandbox.faults.refuseQuestions(500);
    const { status, body } = await resolve([carla.lid, stranger.lid, carla.number]);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.items).toMatchObject([
      { input: carla.lid, input_jid: carla.lid, jid: carla.jid, phone_number: carla.number },
      { input: carla.number, lid_jid: carla.lid },
    ]);
    expect(body.unresolved).toMatchObject([{ input: stranger.lid, reason: 'number_unknown' }]);
  });

  test('looks among the members of a group alone', async () => {
    const group = await shop.createGroup('Team', [ana]);
    const { body } = await resolve([ana.lid, bia.lid], { group_jid: group.jid });
    expect(body.items).toMatchObject([{ input: ana.lid, jid: ana.jid, phone_number: ana.number }]);
    expect(body.unresolved).toMatchObject([{ input: bia.lid, reason: 'not_in_group' }]);
    const wrong = await resolve([ana.lid], { group_jid: ana.jid });
    expect([wrong.status, wrong.body.validation[0].field]).toEqual([400, 'group_jid']);
    const foreign = await bia.createGroup('Others', [ana]);
    const refused = await resolve([ana.lid], { group_jid: foreign.jid });
    expect([404, 422], JSON.stringify(refused.body)).toContain(refused.status);
  });

  test('takes 160 at once', async () => {
    const jids = Array.from({ length: 161 }, (_, index) => `${100_000_000_000 + index}@lid`);
    expect((await resolve(jids)).status).toBe(400);
    expect((await resolve(jids.slice(1))).body).toMatchObject({ count: 0, items: [] });
  });
});

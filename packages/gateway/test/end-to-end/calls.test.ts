/** Calls are refused, on request and by themselves, and the caller's phone hears of it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { type Api, type Json, until, World } from './harness.ts';

let world: World;
let api: Api;
let token: string;
let device: string;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  world = await World.create({
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 },
  });
  token = await world.tenant('called');
  api = world.as(token);
  shop = await world.sandbox.createPhone({ number: '5511999994501', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994502', name: 'Contact' });
  device = await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());
afterEach(async () => {
  world.sandbox.faults.clear();
  await api.put(`/devices/${device}/calls`, { reject: false });
});

const rejected = (phone: Phone, callId: string) =>
  phone.waitForCall((signal) => signal.callId === callId && signal.signal === 'reject');

/** The event of the call, once it is there. */
function offered(callId: string): Promise<Json> {
  return until('the call is told', async () => {
    const { events } = (await api.get('/events?event=call.offer&limit=200')).body;
    return events.find(({ data }: Json) => data.call_id === callId);
  });
}

/** What the contact was sent, by text. */
const texts = (phone: Phone): (string | null | undefined)[] => phone.inbox.map(({ text }) => text);

test('a call is rejected by what its event says, under each name of the caller', async () => {
  for (const name of ['from', 'number', 'lid'] as const) {
    const { id } = await contact.call(shop);
    const { data } = await offered(id);
    const from = { from: data.from, number: contact.number, lid: contact.lid }[name];
    const answer = await api.post('/calls/reject', { call_id: id, from });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body).toMatchObject({ success: true, call_id: id, device_id: device });
    const heard = await rejected(contact, id);
    expect(heard.from).toBe(shop.jid);
  }
});

test('what is no person does not call', async () => {
  const group = (await shop.createGroup('Team', [contact])).jid;
  for (const [from, status, code] of [
    [group, 400, 'INVALID_RECIPIENT'],
    ['nobody', 400, 'INVALID_RECIPIENT'],
    ['5511999990000', 404, 'NOT_ON_WHATSAPP'],
  ] as const) {
    const answer = await api.post('/calls/reject', { call_id: 'X', from });
    expect([answer.status, answer.body.error_code], from).toEqual([status, code]);
  }
});

test.each([
  400,
  401,
  403,
  404,
  405,
  409,
  410,
  429,
  500,
  503,
  'silence',
] as const)('WhatsApp refuses it with %s', async (code) => {
  const { id } = await contact.call(shop);
  const { data } = await offered(id);
  if (code === 'silence') world.sandbox.faults.silenceAck(1);
  else world.sandbox.faults.nextAckError(code);
  const answer = await api.post('/calls/reject', { call_id: id, from: data.from });
  const expected =
    code === 'silence'
      ? 504
      : code === 404 || code === 410
        ? 404
        : code === 429
          ? 429
          : code >= 500
            ? 502
            : 422;
  expect(answer.status, JSON.stringify(answer.body)).toBe(expected);
  if (code !== 'silence') expect(answer.body.whatsapp_code).toBe(code);
});

test('a device that is set to refuses each call, and writes to its caller once an hour', async () => {
  const before = await api.get(`/devices/${device}/calls`);
  expect(before.body).toMatchObject({ device_id: device, reject: false, message: null });
  const set = await api.put(`/devices/${device}/calls`, { reject: true, message: 'Please write.' });
  expect(set.body).toMatchObject({ success: true, reject: true, message: 'Please write.' });
  expect((await api.get(`/devices/${device}/calls`)).body).toEqual(set.body);
  const first = await contact.call(shop);
  await rejected(contact, first.id);
  await contact.waitForMessage(({ text }) => text === 'Please write.');
  for (let ring = 0; ring < 2; ring += 1) {
    const { id } = await contact.call(shop, { video: true });
    await rejected(contact, id);
    await offered(id);
  }
  // Somebody else is told, too, and by then the first was told no second time.
  const other = await world.sandbox.createPhone({ number: '5511999994503', name: 'Other' });
  await rejected(other, (await other.call(shop)).id);
  await other.waitForMessage(({ text }) => text === 'Please write.');
  expect(texts(contact).filter((text) => text === 'Please write.')).toHaveLength(1);
});

test('without a message the caller hears of the refusal alone', async () => {
  const quiet = await world.sandbox.createPhone({ number: '5511999994504', name: 'Quiet' });
  await api.put(`/devices/${device}/calls`, { reject: true, message: '' });
  await rejected(quiet, (await quiet.call(shop)).id);
  await api.post('/send/text', { number: quiet.number, text: 'afterwards' });
  await quiet.waitForMessage(({ text }) => text === 'afterwards');
  expect(texts(quiet)).toEqual(['afterwards']);
});

test('a call of a group is refused, and the group is not written to', async () => {
  const group = await contact.createGroup('Rings', [shop]);
  await api.put(`/devices/${device}/calls`, { reject: true, message: 'Please write.' });
  const { id } = await contact.call(group.jid);
  await rejected(contact, id);
  const sent = await api.post('/send/text', { number: group.jid, text: 'afterwards' });
  await contact.waitForMessage((message) => message.id === sent.body.message_id);
  const inGroup = contact.inbox.filter(({ chat }) => chat === group.jid).map(({ text }) => text);
  expect(inGroup).toEqual(['afterwards']);
});

test('a call that rang while the device was away is over', async () => {
  const late = await world.sandbox.createPhone({ number: '5511999994505', name: 'Late' });
  await api.put(`/devices/${device}/calls`, { reject: true, message: 'Please write.' });
  await api.post(`/disconnect?device_id=${device}`);
  const { id } = await late.call(shop);
  await api.post(`/connect?device_id=${device}`);
  const { data } = await offered(id);
  expect(data.offline).toBe(true);
  await api.post('/send/text', { number: late.number, text: 'afterwards' });
  await late.waitForMessage(({ text }) => text === 'afterwards');
  expect(texts(late)).toEqual(['afterwards']);
  expect(late.callSignals.some(({ callId, signal }) => callId === id && signal === 'reject')).toBe(false);
});

test('after an hour, and after a restart, the caller may be told again', async () => {
  const clock = new AdvancingClock();
  const own = await World.create({ clock, settings: { WUTS_PACE_PER_MINUTE: '0' } });
  try {
    const ownToken = await own.tenant('hours');
    const phone = await own.sandbox.createPhone({ number: '5511999994506', name: 'Shop' });
    const caller = await own.sandbox.createPhone({ number: '5511999994507', name: 'Caller' });
    const id = await own.linkByQr(ownToken, phone);
    await own.as(ownToken).put(`/devices/${id}/calls`, { reject: true, message: 'Please write.' });
    const ring = async () => rejected(caller, (await caller.call(phone)).id);
    const told = () => texts(caller).filter((text) => text === 'Please write.').length;
    await ring();
    await until('the caller is told', async () => told() === 1);
    await own.restartGateway();
    await own.untilConnected(ownToken, id);
    await ring();
    clock.advance(3_600_000);
    await own.untilConnected(ownToken, id);
    await ring();
    await until('the caller is told again', async () => told() === 2);
  } finally {
    await own.destroy();
  }
});

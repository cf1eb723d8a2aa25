/** A network that is not WhatsApp's, or lies: what it signs in others' names is not believed. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, type World } from './harness.ts';
import { openShop } from './shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let token: string;
let deviceId: string;
let numbers = 5511988830000;

beforeAll(async () => {
  ({ world, api, shop, token, deviceId } = await openShop({ tenant: 'forged' }));
});
afterAll(() => world.destroy());
afterEach(() => {
  world.sandbox.faults.clear();
});

async function person(): Promise<Phone> {
  numbers += 1;
  return world.sandbox.createPhone({ number: String(numbers), name: `Person ${numbers}` });
}

const companion = () => `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
const status = async (device: string): Promise<Json> =>
  (await api.get(`/status?device_id=${device}`)).body.data;
const heard = (phone: Phone) => phone.inbox.map(({ text }) => text);
const text = (to: string, words: string) =>
  api.post('/send/text', { number: to, text: words, device_id: deviceId });

async function event(name: string, of: string): Promise<Json> {
  return until(`${name} is an event`, async () => {
    const { events } = (await api.get(`/events?after=0&limit=1000&event=${name}`)).body;
    return events.find((each: Json) => each.device_id === of)?.data;
  });
}

test('who is linked in the name of an account that has not signed is not linked, and says why', async () => {
  const owner = await person();
  world.sandbox.faults.forgeLinking(owner.number);
  const device: string = (await api.post('/devices', { name: 'lured' })).body.device.id;
  const qr = await api.get(`/qr?device_id=${device}`);
  await expect(owner.scanQr(qr.body.data.qr_code)).rejects.toThrow();
  const ended = await until('the linking has ended', async () => {
    const now = await status(device);
    return now.status === 'disconnected' && now;
  });
  expect(ended).toMatchObject({ state_reason: 'pairing_failed', is_logged_in: false });
  expect((await event('connection.pair_error', device)).reason).toBe('Failed to verify account signature');
  expect(owner.companions).toEqual([]);
  // The account itself may be linked.
  world.sandbox.faults.clear();
  const again = await api.get(`/qr?device_id=${device}`);
  await owner.scanQr(again.body.data.qr_code);
  await world.untilConnected(token, device);
  await api.delete(`/devices/${device}`);
});

test.each([
  'another_root',
  'another_key',
] as const)('a server with certificates of %s is not spoken to', async (forgery) => {
  world.sandbox.faults.forgeCertificate(forgery);
  world.sandbox.faults.drop(companion());
  const told = await until('the device says whom it cannot reach', async () => {
    const now = await status(deviceId);
    return now.unreachable?.cause === 'untrusted' && now;
  });
  expect(told).toMatchObject({
    connected: false,
    status: 'reconnecting',
    unreachable: { host: new URL(world.sandbox.url).host, detail: expect.stringContaining('certificate') },
  });
  const refused = await text((await person()).number, 'not while that is there');
  expect([refused.status, refused.body.error_code, refused.body.unreachable?.cause]).toEqual([
    503,
    'DEVICE_NOT_READY',
    'untrusted',
  ]);
  world.sandbox.faults.clear();
  await api.post(`/connect?device_id=${deviceId}`);
  await world.untilConnected(token, deviceId);
});

test('a person for whom the server gives forged keys is not written to, and nothing stays pending', async () => {
  const contact = await person();
  world.sandbox.faults.forgeKeys(contact.number);
  const refused = await text(contact.number, 'for others');
  expect([refused.status, refused.body.error_code]).toEqual([422, 'REJECTED_BY_WHATSAPP']);
  expect(refused.body.error).toContain('forged');
  const { messages } = (await api.get(`/messages?chat_jid=${contact.jid}`)).body;
  expect(messages.map((each: Json) => each.status)).toEqual(['failed']);
  expect(heard(contact)).toEqual([]);
  world.sandbox.faults.clear();
  expect((await text(contact.number, 'for you')).status).toBe(200);
  await contact.waitForMessage((message) => message.text === 'for you');
});

test('a group hears a message without the member whose keys are forged', async () => {
  const [reached, forged] = [await person(), await person()];
  const { jid } = await shop.createGroup('Team', [reached, forged]);
  await until('the group is known', async () => (await api.get(`/groups/${jid}`)).status === 200);
  world.sandbox.faults.forgeKeys(forged.number);
  expect((await text(jid, 'one')).status).toBe(200);
  expect((await text(jid, 'two')).status).toBe(200);
  await reached.waitForMessage((message) => message.text === 'two');
  expect(heard(forged)).toEqual([]);
  world.sandbox.faults.clear();
  expect((await text(jid, 'three')).status).toBe(200);
  await forged.waitForMessage((message) => message.text === 'three');
});

test('who asks for a message again with forged keys does not get it', async () => {
  const contact = await person();
  const leaving: string[] = [];
  const stopWatching = world.sandbox.network.onStanza(({ tag, attrs }, from) => {
    if (tag === 'message' && from.device !== 0) leaving.push(attrs.id ?? '');
  });
  const id: string = (await text(contact.number, 'once')).body.message_id;
  await contact.waitForMessage((message) => message.id === id);
  const askAgain = (t: string) =>
    contact.hostile.forgeReceipt(companion(), { type: 'retry', ids: [id], attrs: { t } });
  world.sandbox.faults.forgeKeys(contact.number);
  await askAgain('1');
  await world.sandbox.waitForAcknowledged(companion());
  expect(leaving.filter((each) => each === id)).toHaveLength(1);
  world.sandbox.faults.clear();
  await askAgain('2');
  await world.sandbox.waitForAcknowledged(companion());
  expect(leaving.filter((each) => each === id)).toHaveLength(2);
  stopWatching();
});

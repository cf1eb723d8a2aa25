import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { type Answer, type Api, type Json, until, untilReceived, World } from '../harness.ts';

/** WhatsApp's times are those of the real clock, so the gateway's begins there. */
const clock = new ManualClock(Date.now());
type Network = World['sandbox']['network'];
type Account = Parameters<Network['reachOut']['lift']>[0];

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let known: Phone;
let strangers: Phone[];

beforeAll(async () => {
  world = await World.create({ clock });
  token = await world.tenant('limits');
  const { sandbox } = world;
  shop = await sandbox.createPhone({ number: '5511999991301', name: 'Shop' });
  known = await sandbox.createPhone({ number: '5511999991302', name: 'Known' });
  strangers = [];
  for (let digit = 3; digit < 9; digit += 1) {
    strangers.push(await sandbox.createPhone({ number: `551199999130${digit}`, name: 'Stranger' }));
  }
  await world.linkByQr(token, shop);
  api = world.as(token);
  const { id } = await known.sendText(shop.number, 'hello');
  await untilReceived(api, id);
});
afterAll(() => world.destroy());
beforeEach(async () => {
  world.sandbox.faults.liftRestriction(shop.number);
  await until('nothing is limited', async () => (await limit()) === null);
});

const limit = async (): Promise<Json> => (await api.get('/status')).body.data.limit;
const events = async (name: string): Promise<Json[]> =>
  (await api.get(`/events?limit=1000&event=${name}`)).body.events;
const send = (to: Phone, headers = {}): Promise<Answer> =>
  api.post('/send/text', { number: to.number, text: 'x' }, headers);
const stranger = (): Phone => strangers.shift() as Phone;

/** Changes the account's lock behind the device's back: it has nothing but the acks to learn from. */
function unheard(change: (locks: Network['reachOut'], account: Account) => void): void {
  const { network } = world.sandbox;
  const account = network.directory.resolve(shop.jid);
  if (!account) throw new Error('no account');
  const { delivery } = network;
  const post = delivery.post.bind(delivery);
  delivery.post = () => undefined;
  change(network.reachOut, account);
  delivery.post = post;
}

test('told of the limit, the device shows it and begins no chats; those that exist go on', async () => {
  const before = (await events('device.limited')).length;
  world.sandbox.faults.restrictNewChats(shop.number, { seconds: 3600, type: 'BIZ_QUALITY' });
  await until('the device knows', async () => (await limit()) !== null);
  const shown = await limit();
  expect(shown).toMatchObject({ reason: 'BIZ_QUALITY' });
  expect((Date.parse(shown.until) - clock.now()) / 1000).toBeGreaterThan(3500);
  const told = await events('device.limited');
  expect(told).toHaveLength(before + 1);
  expect(told.at(-1).data).toMatchObject({ state: 'connected', limit: shown });

  expect((await world.master.get('/metrics')).bytes.toString()).toContain('wuts_devices_limited 1');

  const new1 = stranger();
  const refused = await send(new1);
  expect([refused.status, refused.body.error_code]).toEqual([429, 'ACCOUNT_LIMITED']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
  expect(refused.body.limited_until).toBe(shown.until);
  // Not even tried: it would count against the account.
  expect(await events('message.failed')).toHaveLength(0);
  expect((await send(known)).status).toBe(200);
  const group = (await shop.createGroup('Team', [new1])).jid;
  expect((await api.post('/send/text', { number: group, text: 'x' })).status).toBe(200);

  world.sandbox.faults.liftRestriction(shop.number);
  await until('the device knows', async () => (await limit()) === null);
  expect((await events('device.limit_lifted')).length).toBeGreaterThan(0);
  expect((await send(new1)).status).toBe(200);
});

test('learnt from the refusal of a message, and over by itself', async () => {
  const endsAt = Math.ceil(clock.now() / 1000) + 600;
  unheard((locks, account) => locks.lock(account, { endsAt, type: 'WEB_COMPANION_ONLY' }));
  const new1 = stranger();
  const headers = { 'idempotency-key': 'again when it is over' };
  const refused = await send(new1, headers);
  expect([refused.status, refused.body.error_code]).toEqual([429, 'ACCOUNT_LIMITED']);
  expect(refused.body).toMatchObject({ whatsapp_code: 463, message_id: expect.any(String) });
  await until('the device knows', async () => (await limit()) !== null);
  expect(await limit()).toMatchObject({ reason: 'WEB_COMPANION_ONLY' });
  const failed = (await events('message.failed')).at(-1);
  expect(failed.data).toMatchObject({ message_id: refused.body.message_id });

  await world.restartGateway();
  api = world.as(token);
  expect(await limit()).toMatchObject({ reason: 'WEB_COMPANION_ONLY' });
  await until('the device is back', async () => (await api.get('/status')).body.data.connected);
  expect((await send(stranger())).status).toBe(429);
  unheard((locks, account) => locks.lift(account));
  expect(await limit()).not.toBeNull();
  clock.advance(endsAt * 1000 - clock.now() + 1);
  await until('it is over', async () => (await limit()) === null);
  const again = await send(new1, headers);
  expect(again.status, JSON.stringify(again.body)).toBe(200);
  // Its id was claimed for the stanza and stays the message's: what is repeated goes out under it.
  expect(again.body.message_id).toBe(refused.body.message_id);
});

test('a refusal without a limit stays a refusal of the one message', async () => {
  world.sandbox.faults.nextAckError(463);
  const refused = await send(stranger());
  expect([refused.status, refused.body.error_code]).toEqual([429, 'ACCOUNT_LIMITED']);
  expect(refused.body).toMatchObject({ whatsapp_code: 463 });
  expect(refused.body).not.toHaveProperty('limited_until');
  expect(await limit()).toBeNull();
});

test('too fast for WhatsApp', async () => {
  world.sandbox.faults.nextAckError(429);
  const refused = await send(known);
  expect([refused.status, refused.body.error_code]).toEqual([429, 'RATE_LIMITED']);
  expect(refused.headers.get('retry-after')).toBe('60');
  expect((await send(known)).status).toBe(200);
});

test('what was scheduled waits for the end of the limit', async () => {
  world.sandbox.faults.restrictNewChats(shop.number, { seconds: 600 });
  await until('the device knows', async () => (await limit()) !== null);
  const new1 = stranger();
  const at = new Date(clock.now() + 5000).toISOString();
  const made = await api.post('/send/text', { number: new1.number, text: 'later', send_at: at });
  expect(made.status, JSON.stringify(made.body)).toBe(202);
  clock.advance(5000);
  const job = async (): Promise<Json> => (await api.get(`/jobs/${made.body.job_id}`)).body.job;
  await until('it was tried', async () => {
    const { attempts, state } = await job();
    return attempts > 0 && state !== 'processing';
  });
  expect((await job()).state).toBe('scheduled');
  world.sandbox.faults.liftRestriction(shop.number);
  await until('nothing is limited', async () => (await limit()) === null);
  clock.advance(601_000);
  await new1.waitForMessage(({ text }) => text === 'later');
});

/** The last: the device has another account from here on. */
test('a limit belongs to the account: one that is linked instead is free', async () => {
  world.sandbox.faults.restrictNewChats(shop.number, { seconds: 3600 });
  await until('the device knows', async () => (await limit()) !== null);
  const { device_id: device } = (await api.get('/status')).body.data;
  await api.post('/logout');
  const other = await world.sandbox.createPhone({ number: '5511999991399', name: 'Other' });
  const qr = await api.get(`/qr?device_id=${device}`);
  await other.scanQr(qr.body.data.qr_code);
  await world.untilConnected(token, device);
  expect((await api.get('/status')).body.data.phone_number).toBe(other.number);
  expect(await limit()).toBeNull();
  expect((await send(stranger())).status).toBe(200);
});

test('sends are counted by what became of them', async () => {
  const metrics = (await world.master.get('/metrics')).bytes.toString();
  expect(metrics).toMatch(/^wuts_sends_total\{outcome="sent"\} [1-9]/m);
  expect(metrics).toMatch(/^wuts_sends_total\{outcome="account_limited"\} [1-9]/m);
});

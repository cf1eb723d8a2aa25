/** What users of other gateways reported about linking, and about what ends a link, replayed. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from './harness.ts';

let world: World;
/** Somebody else's number in the same gateway: whatever happens beside it, it stays. */
let bystander: Linked;
let contact: Phone;

interface Linked {
  api: Api;
  token: string;
  phone: Phone;
  deviceId: string;
  /** Of the companion. */
  jid: string;
}

beforeAll(async () => {
  world = await World.create();
  contact = await world.sandbox.createPhone({ number: '5511999990100', name: 'Contact' });
  bystander = await linked();
});
afterAll(() => world.destroy());

let made = 0;
async function unlinked(): Promise<Omit<Linked, 'deviceId' | 'jid'>> {
  made += 1;
  const token = await world.tenant(`reports-${made}`);
  const number = `55119999902${String(made).padStart(2, '0')}`;
  return { api: world.as(token), token, phone: await world.sandbox.createPhone({ number, name: 'Shop' }) };
}

async function linked(): Promise<Linked> {
  const shop = await unlinked();
  const deviceId = await world.linkByQr(shop.token, shop.phone);
  return { ...shop, deviceId, jid: `${shop.phone.number}:${shop.phone.companions[0]}@s.whatsapp.net` };
}

const status = async ({ api }: { api: Api }): Promise<Json> => (await api.get('/status')).body.data;
const events = async ({ api }: { api: Api }, name: string): Promise<Json[]> =>
  (await api.get(`/events?event=${name}`)).body.events.map(({ data }: Json) => data);
const codeFor = async ({ api, phone }: { api: Api; phone: Phone }): Promise<string> =>
  (await api.post('/paircode', { phone: phone.number })).body.data.code;

/** The state that the device comes to rest in. */
const becomes = (shop: { api: Api }, state: string, reason: string): Promise<Json> =>
  until(`${state} because of ${reason}`, async () => {
    const data = await status(shop);
    return data.status === state && data.state_reason === reason && data;
  });

async function scans({ api, phone, token }: Omit<Linked, 'deviceId' | 'jid'>): Promise<void> {
  const { body } = await api.get('/qr');
  await phone.scanQr(body.data.qr_code);
  await world.untilConnected(token, body.data.device_id);
}

async function works({ api, phone }: { api: Api; phone: Phone }): Promise<void> {
  const { id } = await contact.sendText(phone.number, 'are you there?');
  await untilReceived(api, id);
  const sent = await api.post('/send/text', { number: contact.number, text: 'yes' });
  expect(sent.status, JSON.stringify(sent.body)).toBe(200);
}

describe('a pairing code', () => {
  test('that was typed wrong is followed by another, in whatever letters it comes (Baileys 1446, 2590)', async () => {
    const shop = await unlinked();
    const code = await codeFor(shop);
    await expect(shop.phone.enterPairCode('AAAA-AAAA')).rejects.toMatchObject({ reason: 'wrong_code' });
    const anew = { phone: `+${shop.phone.number}` };
    expect((await shop.api.post('/paircode', anew)).body.data).toMatchObject({ code, cached: true });
    const { data } = (await shop.api.post('/paircode?refresh=true', anew)).body;
    expect(data.code).not.toBe(code);
    await shop.phone.enterPairCode(data.code.toLowerCase().replace('-', ' '));
    await becomes(shop, 'connected', 'open');
    await works(shop);
  });

  test('that was typed wrong leaves a QR that can be scanned', async () => {
    const shop = await unlinked();
    await codeFor(shop);
    const before = (await shop.api.get('/qr')).body.data.qr_code;
    await expect(shop.phone.enterPairCode('AAAA-AAAA')).rejects.toMatchObject({ reason: 'wrong_code' });
    await until('the QR has the new secret', async () => {
      const { qr_code } = (await shop.api.get('/qr')).body.data;
      return qr_code !== before;
    });
    await scans(shop);
    expect(await events(shop, 'connection.pair_error')).toEqual([]);
  });

  test.each([
    ['too often (Baileys 2008)', 429, 'RATE_LIMITED', '60'],
    ['for what it does not know (Baileys 1016, zapo 197)', 400, 'REJECTED_BY_WHATSAPP', null],
    ['and WhatsApp is down', 503, 'WHATSAPP_ERROR', null],
  ])('that was asked for %s is refused in words, and the next one links', async (_what, code, error, wait) => {
    const shop = await unlinked();
    world.sandbox.faults.refuseQuestions(code, { xmlns: 'md' });
    const refused = await shop.api.post('/paircode', { phone: shop.phone.number });
    world.sandbox.faults.refuseQuestions(null);
    expect([refused.body.error_code, refused.body.whatsapp_code]).toEqual([error, code]);
    expect(refused.headers.get('retry-after')).toBe(wait);
    await shop.phone.enterPairCode(await codeFor(shop));
    await becomes(shop, 'connected', 'open');
  });
});

test.each([
  ['the account', { account: true, device: false }],
  ['the device', { account: false, device: true }],
  ['both', { account: true, device: true }],
])('a business of which Meta hosts %s links by QR and by code (whatsmeow 893, whatsapp-rust 1440)', async (_what, hosting) => {
  const shop = await unlinked();
  shop.phone.hosting = hosting;
  await scans(shop);
  await works(shop);
  expect((await shop.api.post('/logout')).status).toBe(200);
  await shop.phone.enterPairCode(await codeFor(shop));
  await becomes(shop, 'connected', 'open');
  await works(shop);
});

test('one number is linked for two tenants at once, and each has its own (Baileys-fork 85, waha 1936)', async () => {
  const one = await unlinked();
  const other = { ...(await unlinked()), phone: one.phone };
  await Promise.all([scans(one), scans(other)]);
  expect(one.phone.companions).toHaveLength(2);
  await Promise.all([works(one), works(other)]);
  expect((await one.api.post('/logout')).status).toBe(200);
  await becomes(one, 'logged_out', 'requested');
  await works(other);
});

test('a client that is too old to be linked says so, and links once it is not (whatsmeow 1040, wuzapi 14)', async () => {
  const shop = await unlinked();
  world.sandbox.faults.refuseRegistration(405);
  const refused = await shop.api.get('/qr');
  expect([refused.status, refused.body.error_code, refused.body.reason]).toEqual([
    503,
    'DEVICE_NOT_READY',
    'outdated',
  ]);
  expect(await events(shop, 'connection.failure')).toMatchObject([{ state: 'outdated', status_code: 405 }]);
  await scans(shop);
});

test('a linking that WhatsApp ends is told, and the next one links (waha 884, openmessage 77)', async () => {
  const shop = await unlinked();
  world.sandbox.faults.refuseRegistration(503);
  expect((await shop.api.get('/qr')).status).toBe(503);
  const told = { state: 'disconnected', reason: 'service_unavailable', status_code: 503, will_retry: false };
  expect(await events(shop, 'connection.failure')).toMatchObject([told]);
  await scans(shop);
});

test('a phone that is gone right after it linked, and gives no history, leaves a device that works', async () => {
  const shop = await unlinked();
  const { body } = await shop.api.get('/qr');
  await shop.phone.scanQr(body.data.qr_code);
  await shop.phone.goOffline();
  await becomes(shop, 'connected', 'open');
  await works(shop);
});

describe('a device that WhatsApp removes right after it was linked', () => {
  test.each([
    ['device_removed (evolution-api 2198, waha 958)', 'logged_out'],
    ['a forced logout (Baileys 702)', 516],
  ] as const)('by %s is unlinked, and is linked again as it is (evolution-api 271, whatsmeow 558)', async (_what, end) => {
    const shop = await linked();
    world.sandbox.faults.streamError(shop.jid, end);
    const { is_logged_in, hint } = await becomes(shop, 'logged_out', 'logged_out');
    expect([is_logged_in, hint]).toEqual([false, expect.stringContaining('GET /qr')]);
    expect(await events(shop, 'device.logged_out')).toHaveLength(1);
    await scans(shop);
    expect((await status(shop)).device_id).toBe(shop.deviceId);
    await works(shop);
    expect((await status(bystander)).connected).toBe(true);
  });
});

describe('a login that WhatsApp refuses', () => {
  test.each([
    [403, 'banned', 'banned', false, 'POST /connect'],
    [406, 'banned', 'banned', false, 'force=true'],
    [409, 'outdated', 'outdated', true, 'update'],
    [500, 'reconnecting', 'service_unavailable', true, 'by itself'],
    [415, 'reconnecting', 'refused', true, 'by itself'],
  ] as const)('with %s makes the device %s (%s), is told once, and loses nothing', async (code, state, reason, retries, advice) => {
    const shop = await linked();
    world.sandbox.faults.refuseLogin(code, { number: shop.phone.number });
    world.sandbox.faults.drop(shop.jid);
    const { is_logged_in, hint } = await becomes(shop, state, reason);
    expect([is_logged_in, hint]).toEqual([true, expect.stringContaining(advice)]);
    expect(await events(shop, 'connection.failure')).toMatchObject([
      { state, reason, status_code: code, will_retry: retries },
    ]);
    const { id } = await contact.sendText(shop.phone.number, 'while it is away');
    expect((await status(bystander)).connected).toBe(true);
    world.sandbox.faults.refuseLogin(code, { number: shop.phone.number, times: 0 });
    expect((await shop.api.post('/connect')).body.data).toMatchObject({
      status: 'connected',
      needs_qr: false,
    });
    await untilReceived(shop.api, id);
  });

  test('for good is left by a forced logout, which every refusal names (wuzapi 81, 133)', async () => {
    const shop = await linked();
    world.sandbox.faults.refuseLogin(403, { number: shop.phone.number });
    world.sandbox.faults.drop(shop.jid);
    await becomes(shop, 'banned', 'banned');
    for (const [method, path] of [
      ['GET', '/qr'],
      ['GET', `/qr?device_id=${shop.deviceId}`],
      ['POST', '/paircode'],
      ['POST', '/logout'],
    ] as const) {
      const body = path === '/paircode' ? { phone: shop.phone.number } : undefined;
      const answer = await shop.api.call(method, path, body);
      expect([409, 503]).toContain(answer.status);
      expect(`${answer.body.error} ${answer.body.hint}`, path).toContain('force=true');
    }
    expect((await shop.api.post('/logout?force=true')).status).toBe(200);
    world.sandbox.faults.clear();
    await scans(shop);
    await works(shop);
  });
});

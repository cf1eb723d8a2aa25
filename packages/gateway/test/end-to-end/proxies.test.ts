/**
 * Everything of a device goes by its proxy. WhatsApp and its media hosts have names here that only the proxies know:
 * what went there directly would not arrive.
 */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { issueCdnCertificate } from '../../../sandbox/src/cdn/certificate.ts';
import { type Kind, PROXY_PASSWORD, startProxy, type TestProxy } from '../worlds/proxies.ts';
import { type Api, type Json, until, World } from './harness.ts';
import { jpeg } from './samples.ts';

const NAMED = { cdnName: 'media.invalid' };
const ALLOWED = { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' };

let world: World;
let people = 0;
const proxies: TestProxy[] = [];
beforeAll(async () => {
  world = await World.create({ sandbox: NAMED, settings: ALLOWED });
  await restart();
});
afterAll(() => world.destroy());
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
});

/** The gateway knows WhatsApp by a name that it cannot resolve. */
function restart(more: Record<string, string> = {}): Promise<void> {
  const { port } = new URL(world.sandbox.url);
  return world.restartGateway({ WUTS_NETWORK_URL: `ws://whatsapp.invalid:${port}/ws/chat`, ...more });
}

async function proxy(kind: Kind): Promise<TestProxy> {
  const started = await startProxy(kind, kind === 'https' ? await trustedCertificate() : undefined);
  proxies.push(started);
  return started;
}

/** As if the proxy had a certificate of an authority that the system knows. */
async function trustedCertificate(): Promise<{ key: string; cert: string }> {
  const { caPem, certificatePem, privateKeyPem } = await issueCdnCertificate();
  setDefaultCACertificates([...getCACertificates('default'), caPem]);
  return { key: privateKeyPem, cert: certificatePem };
}

interface Shop {
  api: Api;
  token: string;
  phone: Phone;
  contact: Phone;
  device: string;
}

async function newPhone(of: World, name: string): Promise<Phone> {
  people += 1;
  return of.sandbox.createPhone({ number: `5511999994${String(400 + people)}`, name });
}

/** A tenant of its own with a device that is linked through the proxy. */
async function shopBehind(used: TestProxy, of = world): Promise<Shop> {
  const phone = await newPhone(of, 'Shop');
  const contact = await newPhone(of, 'Contact');
  const token = await of.tenant(`shop-${phone.number}`);
  const api = of.as(token);
  const device = (await api.post('/devices', { name: 'shop' })).body.device.id;
  const set = await api.put(`/devices/${device}/proxy`, { proxy_url: used.url });
  expect(set.body, JSON.stringify(set.body)).toMatchObject({ reconnect: 'new' });
  const qr = await api.get(`/qr?device_id=${device}`);
  expect(qr.status, JSON.stringify(qr.body)).toBe(200);
  await phone.scanQr(qr.body.data.qr_code);
  await of.untilConnected(token, device);
  return { api, token, phone, contact, device };
}

const status = async ({ api, device }: Shop): Promise<Json> =>
  (await api.get(`/status?device_id=${device}`)).body.data;

async function sendAndGetPictures({ api, phone, contact }: Shop): Promise<void> {
  const picture = await jpeg();
  const sent = await api.post('/send/image', { number: contact.number, image: picture.toString('base64') });
  expect(sent.status, JSON.stringify(sent.body)).toBe(200);
  const got = await contact.waitForMessage(({ id }) => id === sent.body.message_id);
  expect(Buffer.from(await contact.downloadMedia(got)).equals(picture)).toBe(true);
  const { id } = await contact.sendImage(phone, { bytes: picture });
  const back = await until('the picture is there', async () => {
    const answer = await api.get(`/messages/${id}/media`);
    return answer.status === 200 && answer;
  });
  expect(back.bytes.equals(picture)).toBe(true);
}

describe.each<Kind>(['http', 'https', 'socks4a', 'socks5', 'socks5h'])('a proxy that speaks %s', (kind) => {
  test('carries messages and files, and resolves the names', async () => {
    const used = await proxy(kind);
    const shop = await shopBehind(used);
    await sendAndGetPictures(shop);
    const { port } = new URL(world.sandbox.url);
    const cdnPort = new URL(world.sandbox.cdn.url).port;
    expect(new Set(used.asked)).toEqual(new Set([`whatsapp.invalid:${port}`, `media.invalid:${cdnPort}`]));
    expect(used.refused).toBe(0);
  });
});

test('a proxy that speaks socks4 takes addresses, and nothing goes there without it', async () => {
  const used = await proxy('socks4');
  const other = await World.create({ settings: ALLOWED });
  try {
    await sendAndGetPictures(await shopBehind(used, other));
    const hosts = [other.sandbox.url, other.sandbox.cdn.url].map((url) => new URL(url).host);
    expect(new Set(used.asked)).toEqual(new Set(hosts));
  } finally {
    await other.destroy();
  }
});

test.each<Kind>([
  'http',
  'socks5',
])('a wrong password of %s is why the device does not connect', async (kind) => {
  const used = await proxy(kind);
  const shop = await shopBehind(used);
  const { api, device } = shop;
  const wrong = used.url.replace(encodeURIComponent(PROXY_PASSWORD), 'not-the-password');
  const set = await api.put(`/devices/${device}/proxy`, { proxy_url: wrong });
  expect(set.body).toMatchObject({ success: true, scope: 'device', device_id: device });
  expect([set.body.reconnect, set.body.reason]).toEqual(['reconnecting', 'proxy_auth']);
  expect(await status(shop)).toMatchObject({
    status: 'reconnecting',
    state_reason: 'proxy_auth',
    reason: 'reconnecting',
    unreachable: { host: used.host, cause: 'proxy_auth' },
  });
  const refused = await api.post('/send/text', { number: shop.contact.number, text: 'x', device_id: device });
  expect([refused.status, refused.body.unreachable?.cause]).toEqual([503, 'proxy_auth']);
  const told = await until('its owner is told', async () => {
    const { events } = (await api.get('/events?event=connection.failure')).body;
    return events.at(-1);
  });
  expect(told.data).toMatchObject({ reason: 'proxy_auth', will_retry: true });
  for (const answer of [set, refused, await api.get(`/devices/${device}/proxy`)]) {
    expect(answer.bytes.toString()).not.toContain('not-the-password');
  }
  const right = await api.put(`/devices/${device}/proxy`, { proxy_url: used.url });
  expect([right.body.reconnect, right.body.reason]).toEqual(['connected', 'open']);
});

test('a proxy that is not there any more holds the device and its files back until it is there again', async () => {
  const used = await proxy('socks5h');
  const shop = await shopBehind(used);
  const { api, contact, phone } = shop;
  await used.stop();
  await until(
    'the device has noticed',
    async () => (await status(shop)).state_reason === 'proxy_unreachable',
  );
  expect((await status(shop)).unreachable).toMatchObject({ host: used.host, cause: 'proxy_unreachable' });
  const { id } = await contact.sendImage(phone, { bytes: await jpeg() });
  expect(world.sandbox.online(`${phone.number}:${phone.companions[0]}@s.whatsapp.net`)).toBe(false);
  const other = await proxy('http');
  const moved = await api.put(`/devices/${shop.device}/proxy`, { proxy_url: other.url });
  expect(moved.body.reconnect).toBe('connected');
  await until('the picture is there', async () => (await api.get(`/messages/${id}/media`)).status === 200);
});

test('files follow the proxy of their device, and fail with it', async () => {
  const used = await proxy('http');
  const shop = await shopBehind(used);
  const { contact, phone } = shop;
  await restart({ WUTS_MEDIA_PREFETCH: 'false' });
  const again = world.as(shop.token);
  await world.untilConnected(shop.token, shop.device);
  const { id } = await contact.sendImage(phone, { bytes: await jpeg() });
  await until('it is stored', async () => {
    const { events } = (await again.get('/events?event=message.received')).body;
    return events.some(({ data }: Json) => data.message_id === id);
  });
  // The way of this session alone is shut for files: what is asked for from now on is refused.
  const before = world.sandbox.cdn.log.length;
  used.refuses = (target) => target.startsWith('media.');
  const failed = await again.get(`/messages/${id}/media`);
  expect([failed.status, failed.body.error_code]).toEqual([502, 'MEDIA_DOWNLOAD_FAILED']);
  expect(world.sandbox.cdn.log.length).toBe(before);
  used.refuses = () => false;
  expect((await again.get(`/messages/${id}/media`)).status).toBe(200);
});

test('the proxy of the tenant is that of the devices without one, and changing it reconnects them alone', async () => {
  const [own, common] = [await proxy('socks5'), await proxy('http')];
  const shop = await shopBehind(own);
  const { api, device, token } = shop;
  const put = await api.put('/proxy', { proxy_url: common.url });
  expect(put.body).toEqual({
    success: true,
    scope: 'tenant',
    proxy_url: common.url.replace(encodeURIComponent(PROXY_PASSWORD), '***'),
    reconnecting_devices: 0,
  });
  const second = (await api.post('/devices', { name: 'second' })).body.device.id;
  const phone = await newPhone(world, 'Second');
  await phone.scanQr((await api.get(`/qr?device_id=${second}`)).body.data.qr_code);
  await world.untilConnected(token, second);
  expect(common.asked.length).toBeGreaterThan(0);
  const since = (await status(shop)).since;
  const effective = async (id: string) => (await api.get(`/devices/${id}/proxy`)).body;
  expect(await effective(second)).toMatchObject({ override: null, effective: { source: 'tenant' } });
  expect(await effective(device)).toMatchObject({ effective: { source: 'device' } });
  const asked = common.asked.length;
  const again = await api.put('/proxy', { proxy_url: common.url });
  expect(again.body.reconnecting_devices).toBe(1);
  await until('it came back through it', async () => common.asked.length > asked);
  await world.untilConnected(token, second);
  expect((await status(shop)).since).toBe(since);
  const listed = (await api.get('/proxy')).body;
  expect(listed.tenant_proxy.proxy_url).toBe(put.body.proxy_url);
  expect(listed.device_overrides.map(({ device_id }: Json) => device_id)).toEqual([device]);
  // Without an own one the tenant's takes its place.
  const deleted = await api.delete(`/devices/${device}/proxy`);
  expect(deleted.body).toMatchObject({ scope: 'device', deleted: true, reconnect: 'connected' });
  expect((await effective(device)).effective.source).toBe('tenant');
  expect((await api.delete(`/devices/${device}/proxy`)).body).toMatchObject({ deleted: false });
  await restart();
  const later = world.as(token);
  await world.untilConnected(token, device);
  const none = await later.delete('/proxy');
  expect(none.body).toMatchObject({ scope: 'tenant', deleted: true, reconnecting_devices: 2 });
  await until('there is no way any more', async () => {
    const { state_reason, unreachable } = (await later.get(`/status?device_id=${device}`)).body.data;
    return state_reason === 'connection_lost' && unreachable?.cause === 'dns';
  });
});

test('pictures of people come by it, too', async () => {
  const used = await proxy('socks5');
  const { api, contact } = await shopBehind(used);
  const { host } = new URL(world.sandbox.cdn.url);
  await contact.setPicture(await jpeg());
  expect(used.asked).not.toContain(host);
  const answer = await api.get(`/contacts/${contact.number}/picture`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(used.asked).toContain(host);
});

test('a proxy can be tried before it is set', async () => {
  const used = await proxy('socks5');
  const { api, device } = await shopBehind(used);
  const asked = used.asked.length;
  const tried = await api.post('/proxy/test', { proxy_url: used.url });
  expect(tried.body).toMatchObject({ success: true, ok: true, unreachable: null, hint: null });
  expect(used.asked.length).toBe(asked + 1);
  expect((await api.post('/proxy/test', { device_id: device })).body.ok).toBe(true);
  const wrong = used.url.replace(encodeURIComponent(PROXY_PASSWORD), 'wrong-secret');
  const refused = await api.post('/proxy/test', { proxy_url: wrong });
  expect(refused.body).toMatchObject({ ok: false, unreachable: { cause: 'proxy_auth', host: used.host } });
  expect(refused.bytes.toString()).not.toContain('wrong-secret');
  // Nothing is set for the tenant: directly, where nobody knows the name.
  expect((await api.post('/proxy/test', {})).body).toMatchObject({
    ok: false,
    proxy_url: null,
    unreachable: { cause: 'dns' },
  });
});

test('users without a role set the proxies of their own devices alone', async () => {
  const used = await proxy('http');
  const { api, device } = await shopBehind(used);
  const hired = { email: 'colleague@behind.example', password: 'correct horse battery', role: 'user' };
  const colleague = world.as((await api.post('/users', hired)).body.user.token);
  for (const answer of [
    await colleague.put('/proxy', { proxy_url: used.url }),
    await colleague.delete('/proxy'),
  ]) {
    expect([answer.status, answer.body.error_code]).toEqual([403, 'FORBIDDEN']);
  }
  expect((await colleague.get('/proxy')).body.device_overrides).toEqual([]);
  expect((await colleague.put(`/devices/${device}/proxy`, { proxy_url: used.url })).status).toBe(404);
  const own = (await colleague.post('/devices', { name: 'own' })).body.device.id;
  expect((await colleague.put(`/devices/${own}/proxy`, { proxy_url: used.url })).status).toBe(200);
});

test('addresses that are not public are refused, by literal and by name', async () => {
  const used = await proxy('http');
  const shop = await shopBehind(used);
  const { device, token } = shop;
  await restart({ WUTS_ALLOW_NETWORKS: '' });
  const api = world.as(token);
  for (const url of [used.url, 'socks5://[::1]:1', 'socks5://0x7f.1:1', 'http://169.254.169.254']) {
    const answer = await api.put(`/devices/${device}/proxy`, { proxy_url: url });
    expect([answer.status, answer.body.error_code], url).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.validation).toEqual([
      { field: 'proxy_url', message: expect.stringContaining('public') },
    ]);
  }
  const byName = await api.post('/proxy/test', { proxy_url: 'http://localhost:1' });
  expect(byName.body).toMatchObject({ ok: false, unreachable: { cause: 'proxy_unreachable' } });
  expect(byName.body.unreachable.detail).toContain('not public');
});

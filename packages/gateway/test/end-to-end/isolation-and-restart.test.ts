import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until, type World } from './harness.ts';
import { jpeg, sha256 } from './samples.ts';
import { openShop } from './shop.ts';

let world: World;
let token: string;
let deviceId: string;
let shop: Phone;
let contact: Phone;
let sentId: string;
let picture: Buffer;
let pictureId: string;

beforeAll(async () => {
  ({ world, token, shop, contact, deviceId } = await openShop({ tenant: 'first' }));
  sentId = (await world.as(token).post('/send/text', { number: contact.number, text: 'hello' })).body
    .message_id;
  picture = await jpeg();
  pictureId = (await contact.sendImage(shop.number, { bytes: picture })).id;
  await until(
    'the picture is there',
    async () => (await world.as(token).get(`/messages/${pictureId}/media`)).status === 200,
  );
  await until(
    'the text is delivered',
    async () => (await world.as(token).get(`/messages/${sentId}/status`)).body.status === 'delivered',
  );
});
afterAll(() => world.destroy());

describe('another tenant', () => {
  test('asks for every id of the first and finds none', async () => {
    const other = world.as(await world.tenant('second'));
    const userId: string = (await world.as(token).get('/users')).body.users[0].id;
    const calls = [
      other.get(`/messages/${pictureId}/media`),
      other.get(`/messages/${sentId}/status`),
      other.get(`/messages/${sentId}/receipts`),
      other.put(`/messages/${sentId}`, { to: contact.number, message: 'x' }),
      other.get(`/users/${userId}`),
      other.put(`/users/${userId}`, { active: false }),
      other.post(`/users/${userId}/promote`, { new_role: 'user' }),
      other.delete(`/users/${userId}`),
      other.delete(`/devices/${deviceId}`),
      other.get(`/qr?device_id=${deviceId}`),
      other.post(`/connect?device_id=${deviceId}`),
      other.post(`/disconnect?device_id=${deviceId}`),
      other.post(`/logout?device_id=${deviceId}`),
      other.post('/send/text', { number: contact.number, text: 'x', device_id: deviceId }),
      other.post('/paircode', { phone: shop.number, device_id: deviceId }),
    ];
    for (const answer of await Promise.all(calls)) {
      expect(answer.status).toBe(404);
      expect(answer.bytes.toString()).not.toContain(deviceId);
    }
    expect((await other.get('/devices')).body.devices).toEqual([]);
    expect((await other.get('/users')).body.users).toHaveLength(1);
  });
});

describe('the gateway is stopped and started', () => {
  test('devices are back by themselves, media and statuses still answer', async () => {
    await world.restartGateway();
    await world.untilConnected(token, deviceId);
    const api = world.as(token);
    expect(sha256((await api.get(`/messages/${pictureId}/media`)).bytes)).toBe(sha256(picture));
    expect((await api.get(`/messages/${sentId}/status`)).body.status).toBe('delivered');
  });

  test('what was sent while it was down is there afterwards', async () => {
    await world.gateway.stop();
    const sent = await contact.sendImage(shop.number, { bytes: picture, caption: 'while you were away' });
    await world.restartGateway();
    const answer = await until('the picture is there', async () => {
      const got = await world.as(token).get(`/messages/${sent.id}/media`);
      return got.status === 200 && got;
    });
    expect(sha256(answer.bytes)).toBe(sha256(picture));
  });
});

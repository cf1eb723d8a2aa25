import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/tenancy/caller.ts';
import { SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { type DevicesWorld, START } from './devices-world.ts';
import { type Answer, InstancesApi } from './instances-api.ts';

let api: InstancesApi;
let world: DevicesWorld;
beforeEach(async () => {
  api = await InstancesApi.create();
  world = api.world;
});
afterEach(() => api.destroy());

describe('GET /qr', () => {
  test('makes a device for a caller without one, once, and gives the QR as text and picture', async () => {
    const caller = await api.user();
    const asked = [api.call(caller, 'GET', '/qr'), api.call(caller, 'GET', '/qr')];
    await (await world.network.started(0)).qr('2@first', world.clock.now() + 60_000);
    const [answer] = await Promise.all(asked);
    expect(answer?.status).toBe(200);
    expect(answer?.body.data).toMatchObject({
      qr_code: '2@first',
      qr_url: 'https://wa.me/settings/linked_devices#2@first',
      cached: false,
      expires_at: new Date(START + 60_000).toISOString(),
      ttl: 60,
    });
    expect(answer?.body.data.image).toMatch(/^data:image\/png;base64,iVBOR/);
    const { devices } = (await api.call(caller, 'GET', '/devices')).body;
    expect(devices).toMatchObject([{ id: answer?.body.data.device_id }]);
    expect(devices).toHaveLength(1);
    expect(world.network.sessions).toHaveLength(1);
  });

  test('gives the same QR while it is valid, the next one afterwards, a new session’s on request', async () => {
    const caller = await api.user();
    await api.askQr(caller, '/qr', '2@first');
    world.clock.advance(20_500);
    expect((await api.call(caller, 'GET', '/qr')).body.data).toMatchObject({
      qr_code: '2@first',
      cached: true,
      ttl: 40,
    });
    world.clock.advance(40_000);
    const waiting = api.call(caller, 'GET', '/qr');
    await world.network.sessions[0]?.qr('2@second', world.clock.now() + 20_000);
    expect((await waiting).body.data).toMatchObject({ qr_code: '2@second', ttl: 20 });
    for (const query of ['refresh=true', 'force_new=true', 'force_refresh=true', 'use_cache=false']) {
      const fresh = await api.askQr(caller, `/qr?${query}`, `2@${query}`);
      expect(fresh.body.data).toMatchObject({ qr_code: `2@${query}`, cached: false });
      expect(world.network.live).toHaveLength(1);
    }
  });

  test('shows a QR whose secret the server retired no longer', async () => {
    const caller = await api.user();
    await api.askQr(caller, '/qr', '2@ref,old-secret');
    await world.network.sessions[0]?.qr('2@ref,new-secret', world.clock.now() + 50_000);
    expect((await api.call(caller, 'GET', '/qr')).body.data.qr_code).toBe('2@ref,new-secret');
  });

  test('408 when WhatsApp gives none in time', async () => {
    const caller = await api.user();
    const asked = api.call(caller, 'GET', '/qr');
    await world.network.started(0);
    world.clock.advance(30_000);
    expect(await asked).toMatchObject({
      status: 408,
      body: { error: 'timeout waiting for QR code', error_code: 'QR_TIMEOUT' },
    });
  });

  test('503 when WhatsApp cannot be reached', async () => {
    world.network.failStart = true;
    const answer = await api.call(await api.user(), 'GET', '/qr');
    expect(answer).toMatchObject({
      status: 503,
      body: { error: 'failed to initialize device: connection_lost', error_code: 'DEVICE_NOT_READY' },
    });
  });

  test('starts again, with new keys, after nobody scanned in time', async () => {
    const caller = await api.user();
    await api.askQr(caller, '/qr', '2@first');
    const { credentials } = world.network.sessions[0]?.options ?? {};
    await credentials?.writeCredentials(new Uint8Array([1]));
    await world.network.sessions[0]?.close('qr_timeout', 408);
    const { data } = (await api.call(caller, 'GET', '/status')).body;
    expect(data).toMatchObject({
      status: 'disconnected',
      reason: 'never_linked',
      state_reason: 'qr_timeout',
      is_logged_in: false,
    });
    expect((await api.call(caller, 'GET', `/qr/status?device_id=${data.device_id}`)).body.data).toEqual({
      exists: false,
      passkey: null,
    });
    expect((await api.askQr(caller, '/qr', '2@again')).body.data.qr_code).toBe('2@again');
    expect(await credentials?.readCredentials()).toBeNull();
  });

  test('409 once a phone is linked, before and after the 515 restart', async () => {
    const caller = await api.user();
    const id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
    await world.network.sessions[0]?.pairWith('5511999990001');
    expect(await api.call(caller, 'GET', `/qr?device_id=${id}`)).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('already connected'), error_code: 'ALREADY_PAIRED' },
    });
    // The restart needs no clock: it is a step of linking, not a failure.
    await (await world.network.started(1)).open('5511999990001');
    expect(await api.call(caller, 'GET', `/qr?device_id=${id}`)).toMatchObject({
      status: 409,
      body: { error: 'already connected', error_code: 'ALREADY_CONNECTED' },
    });
    for (const answer of [
      await api.call(caller, 'GET', '/qr'),
      await api.call(caller, 'POST', '/paircode', { phone: '5511999990002' }),
    ]) {
      expect(answer).toMatchObject({
        status: 409,
        body: { error: expect.stringContaining('POST /devices'), error_code: 'ALREADY_CONNECTED' },
      });
    }
  });

  test('without a device_id a device that waits to be linked is taken, and none of another user', async () => {
    const caller = await api.user();
    const linked = await world.linked(caller);
    world.clock.advance(1);
    const { id: waiting } = await world.devices.create(caller, { name: 'second' });
    const asked = await api.askQr(caller, '/qr', '2@second');
    expect(asked.body.data.device_id).toBe(waiting);
    expect(asked.body.data.device_id).not.toBe(linked.id);
    const admin = await api.user('admin', caller.tenantId);
    expect((await api.askQr(admin, '/qr', '2@third')).body.data.device_id).not.toBe(waiting);
  });
});

describe('GET /qr/status', () => {
  test('says whether a QR waits, and since when', async () => {
    const caller = await api.user();
    const id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
    const url = `/qr/status?device_id=${id}`;
    expect((await api.call(caller, 'GET', url)).body.data).toMatchObject({
      exists: true,
      generated_at: new Date(START).toISOString(),
    });
    world.clock.advance(60_000);
    expect((await api.call(caller, 'GET', url)).body).toEqual({
      success: true,
      data: { exists: false, passkey: null },
    });
  });

  test('needs to be told the device', async () => {
    expect(await api.call(await api.user(), 'GET', '/qr/status')).toMatchObject({
      status: 400,
      body: { error: 'device_id is required', validation: [{ field: 'device_id' }] },
    });
  });
});

describe('POST /paircode', () => {
  async function askCode(caller: Caller, url: string, body: object): Promise<Answer> {
    const next = world.network.sessions.length;
    const asked = api.call(caller, 'POST', url, body);
    await (await world.network.started(next)).qr('2@unseen', world.clock.now() + 60_000);
    return asked;
  }

  test('gives a code for a number in any spelling, the same one while it is valid', async () => {
    const caller = await api.user();
    const first = await askCode(caller, '/paircode', { phone: '+55 (11) 99999-0003' });
    expect(first).toMatchObject({
      status: 200,
      body: {
        success: true,
        data: { code: '0003-ABC1', phone: '5511999990003', expires_in: 160, cached: false },
      },
    });
    expect(first.body.data.instructions).toContain('Dispositivos conectados');
    world.clock.advance(10_000);
    const again = await api.call(caller, 'POST', '/paircode', { phone: '5511999990003' });
    expect(again.body.data).toMatchObject({ code: '0003-ABC1', expires_in: 150, cached: true });
    const fresh = await api.call(caller, 'POST', '/paircode?refresh=true', { phone: '5511999990003' });
    expect(fresh.body.data).toMatchObject({ code: '0003-ABC2', expires_in: 160, cached: false });
    const other = await api.call(caller, 'POST', '/paircode', { phone: '5511999990004' });
    expect(other.body.data).toMatchObject({ code: '0004-ABC3', cached: false });
    expect(world.network.sessions).toHaveLength(1);
  });

  test('a code dies with the pairing that made it', async () => {
    const caller = await api.user();
    await askCode(caller, '/paircode', { phone: '5511999990003' });
    await world.network.sessions[0]?.close('qr_timeout', 408);
    const next = await askCode(caller, '/paircode', { phone: '5511999990003' });
    expect(next.body.data.cached).toBe(false);
  });

  test('two requests at once get one code', async () => {
    const device = await world.devices.create(await api.user(), { name: 'counter' });
    const asked = [1, 2].map(() => world.devices.pairCode(device, '5511999990003', false));
    await (await world.network.started(0)).qr('2@unseen', world.clock.now() + 60_000);
    const answers = await Promise.all(asked);
    expect(answers.map(({ code, cached }) => ({ code, cached }))).toEqual([
      { code: '0003-ABC1', cached: false },
      { code: '0003-ABC1', cached: true },
    ]);
  });

  test.each([
    '123',
    'not a number',
    '',
    '0000999990003',
    '5511999990003@s.whatsapp.net',
    '1'.repeat(5000),
  ])('refuses %s and makes no device for it', async (phone) => {
    const caller = await api.user();
    expect(await api.call(caller, 'POST', '/paircode', { phone })).toMatchObject({
      status: 400,
      body: { error: 'invalid phone number format', validation: [{ field: 'phone' }] },
    });
    expect((await api.call(caller, 'GET', '/devices')).body.devices).toEqual([]);
  });

  test('504 when WhatsApp stays silent', async () => {
    const caller = await api.user();
    const asked = api.call(caller, 'POST', '/paircode', { phone: '5511999990003' });
    const session = await world.network.started(0);
    world.clock.advance(30_000);
    expect(await asked).toMatchObject({
      status: 504,
      body: { error: 'failed to generate pair code: timeout waiting for WhatsApp QR event' },
    });
    await session.qr('2@late', world.clock.now() + 60_000);
    world.network.pairCodeError = new SessionTimeout('no answer to the request for a code');
    expect(await api.call(caller, 'POST', '/paircode', { phone: '5511999990003' })).toMatchObject({
      status: 504,
      body: { error_code: 'WHATSAPP_TIMEOUT' },
    });
  });
});

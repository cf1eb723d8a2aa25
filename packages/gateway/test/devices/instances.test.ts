import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { CloseReason } from '../../src/whatsapp/port/connection.ts';
import { SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { type DevicesWorld, START } from './devices-world.ts';
import { InstancesApi } from './instances-api.ts';

let api: InstancesApi;
let world: DevicesWorld;

beforeEach(async () => {
  api = await InstancesApi.create();
  world = api.world;
});

afterEach(() => api.destroy());

describe('POST /devices/{id}/rename', () => {
  test('is what lists call it, connected or not', async () => {
    const caller = await api.user();
    const created = await api.call(caller, 'POST', '/devices', { name: 'desk' });
    // One is in the database alone, the other one is held by this process.
    for (const id of [created.body.data.device_id, (await world.linked(caller)).id]) {
      const rename = (name: unknown) => api.call(caller, 'POST', `/devices/${id}/rename`, { name });
      expect((await rename(' counter ')).body).toMatchObject({
        success: true,
        device: { id, name: 'counter' },
      });
      expect((await rename('window')).body).toMatchObject({ device: { name: 'window' } });
      for (const name of ['', '  ', 5, 'x'.repeat(101)]) expect((await rename(name)).status).toBe(400);
      expect((await world.row({ id: String(id) })).name).toBe('window');
      const other = await api.user();
      expect((await api.call(other, 'POST', `/devices/${id}/rename`, { name: 'mine' })).status).toBe(404);
    }
    const { devices } = (await api.call(caller, 'GET', '/devices')).body;
    expect(devices).toMatchObject([{ name: 'window' }, { name: 'window' }]);
  });
});

describe('POST /devices, GET /devices, GET /user/devices', () => {
  test('creates and lists, in every documented shape', async () => {
    const caller = await api.user();
    const created = await api.call(caller, 'POST', '/devices', { name: ' WhatsApp Loja 01 ' });
    expect(created.status).toBe(201);
    const id = created.body.data.device_id;
    const at = new Date(START).toISOString();
    const object = {
      id,
      user_id: caller.userId,
      name: 'WhatsApp Loja 01',
      whatsapp_jid: null,
      connected: false,
      last_seen: null,
      webhook_url: null,
      created_at: at,
      updated_at: at,
    };
    expect(created.body).toMatchObject({
      success: true,
      message: 'Device created successfully',
      device: object,
      data: { device_id: id, name: 'WhatsApp Loja 01' },
    });
    expect((await api.call(caller, 'GET', '/devices')).body).toMatchObject({
      success: true,
      devices: [object],
    });
    const mine = await api.call(caller, 'GET', '/user/devices');
    expect(mine.body).toMatchObject({
      success: true,
      data: { devices: [object], count: 1, user_id: caller.userId },
    });
  });

  test.each([
    [{}],
    [{ name: '' }],
    [{ name: '   ' }],
    [{ name: 5 }],
    [{ name: 'x'.repeat(101) }],
  ])('refuses %j', async (body) => {
    const answer = await api.call(await api.user(), 'POST', '/devices', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error_code: 'VALIDATION_ERROR', validation: [{ field: 'name' }] });
  });

  test('shows the whole tenant to an admin who asks, and to no plain user', async () => {
    const admin = await api.user('admin');
    const plain = await api.user('user', admin.tenantId);
    await api.call(plain, 'POST', '/devices', { name: 'desk' });
    expect((await api.call(admin, 'GET', '/devices')).body.devices).toEqual([]);
    expect((await api.call(admin, 'GET', '/devices?scope=tenant')).body.devices).toHaveLength(1);
    expect((await api.call(plain, 'GET', '/devices?scope=tenant')).status).toBe(403);
  });
});

describe('GET /status', () => {
  test('answers 200 without a device', async () => {
    expect(await api.call(await api.user(), 'GET', '/status')).toMatchObject({
      status: 200,
      body: {
        success: true,
        data: {
          connected: false,
          status: 'new',
          device_id: null,
          is_logged_in: false,
          reason: 'no_device',
        },
      },
    });
  });

  test('answers 200 when the device is unknown, or could be one of several', async () => {
    const owner = await api.user();
    const first = await world.linked(owner, '5511999990001');
    world.clock.advance(1);
    const second = await world.linked(owner, '5511999990002');
    const ambiguous = await api.call(owner, 'GET', '/status');
    const nothing = { connected: false, status: 'new', device_id: null, is_logged_in: false };
    expect(ambiguous).toMatchObject({
      status: 200,
      body: { data: { ...nothing, reason: 'device_ambiguous', device_ids: [first.id, second.id] } },
    });
    const stranger = await api.user();
    const colleague = await api.user('user', owner.tenantId);
    const unknown = { status: 200, body: { data: { ...nothing, reason: 'device_not_found' } } };
    for (const id of [first.id, 'no-uuid', 'x'.repeat(10_000), "' or 1=1 --"]) {
      for (const caller of [stranger, colleague]) {
        const answer = await api.call(caller, 'GET', `/status?device_id=${encodeURIComponent(id)}`);
        expect(answer).toMatchObject(unknown);
        expect(JSON.stringify(answer.body)).not.toContain(first.id);
      }
    }
  });

  test('says who is connected and since when', async () => {
    const caller = await api.user();
    const device = await world.linked(caller);
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({
      connected: true,
      status: 'connected',
      device_id: device.id,
      jid: '5511999990001@s.whatsapp.net',
      phone_number: '5511999990001',
      is_logged_in: true,
      last_seen: new Date(START).toISOString(),
      reason: 'open',
      since: new Date(START).toISOString(),
    });
  });
});

describe('a device that is not ready', () => {
  const states: [string, (caller: Caller) => Promise<unknown>][] = [
    ['never_linked', (caller) => api.call(caller, 'POST', '/devices', { name: 'new' })],
    ['linking', (caller) => api.askQr(caller, '/qr', '2@first')],
    ['stopped', async (caller) => world.devices.disconnect(await world.linked(caller))],
    ['reconnecting', (caller) => endedAs(caller, 'connection_lost', 408)],
    ['logged_out', (caller) => endedAs(caller, 'logged_out', 401)],
    ['replaced', (caller) => endedAs(caller, 'replaced', 440)],
    ['banned', (caller) => endedAs(caller, 'banned', 403)],
    ['temporary_ban', (caller) => endedAs(caller, 'banned', 402)],
    ['outdated', (caller) => endedAs(caller, 'outdated', 405)],
  ];

  async function endedAs(caller: Caller, reason: CloseReason, statusCode: number): Promise<void> {
    await world.linked(caller);
    await world.network.sessions[1]?.close(reason, statusCode);
  }

  test.each(states)('says that it is %s, and what to do, also after a restart', async (reason, reach) => {
    const caller = await api.user();
    await reach(caller);
    const words = { reason, hint: expect.stringMatching(/\w/) };
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({
      ...words,
      connected: false,
    });
    expect(await api.call(caller, 'POST', '/logout')).toMatchObject({
      status: 503,
      body: { error: 'WhatsApp session is not connected', error_code: 'DEVICE_NOT_READY', ...words },
    });
    const device = await world.devices.resolve(caller);
    world.restart();
    // As rooms that hold no device ask: there is no actor for it any more.
    const error = await world.devices.notReady(caller.tenantId, device.id);
    expect(error.detail.extra).toMatchObject({ ...words, device_id: device.id });
  });

  test('says which host cannot be reached, and why, until it can', async () => {
    const caller = await api.user();
    await world.linked(caller);
    const unreachable = { host: 'web.whatsapp.com', cause: 'dns', detail: 'getaddrinfo ENOTFOUND' } as const;
    await world.network.sessions[1]?.report({
      type: 'closed',
      reason: 'connection_lost',
      detail: 'gone',
      statusCode: null,
      unreachable,
    });
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({
      reason: 'reconnecting',
      unreachable,
      hint: expect.stringContaining('web.whatsapp.com cannot be reached (dns)'),
    });
    expect((await api.call(caller, 'POST', '/logout')).body).toMatchObject({
      reason: 'reconnecting',
      unreachable,
    });
    world.clock.advance(60_000);
    await (await world.network.started(2)).open('5511999990001');
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({
      reason: 'open',
      unreachable: null,
      hint: null,
    });
  });
});

describe('POST /connect, /disconnect, /logout and DELETE /devices/{deviceID}', () => {
  test('disconnect keeps the credentials and connect comes back without a QR', async () => {
    const caller = await api.user();
    const { id } = await world.linked(caller);
    expect((await api.call(caller, 'POST', '/disconnect')).body).toEqual({
      success: true,
      data: { message: 'device disconnected successfully', device_id: id },
    });
    expect(world.network.live).toHaveLength(0);
    expect(await api.call(caller, 'POST', '/disconnect')).toMatchObject({
      status: 404,
      body: { error: 'device not found or not connected' },
    });
    const connecting = api.call(caller, 'POST', '/connect');
    await (await world.network.started(2)).open('5511999990001');
    expect((await connecting).body).toEqual({
      success: true,
      data: { status: 'connected', device_id: id, needs_qr: false },
    });
  });

  test('connect says that a QR is needed, that WhatsApp refuses, or that it takes too long', async () => {
    const caller = await api.user();
    await api.call(caller, 'POST', '/devices', { name: 'counter' });
    expect((await api.call(caller, 'POST', '/connect')).body.data).toMatchObject({
      status: 'new',
      needs_qr: true,
    });

    const { id } = await world.linked(caller);
    const url = `/connect?device_id=${id}`;
    await api.call(caller, 'DELETE', `/devices/${id}`);
    const refused = api.call(caller, 'POST', url);
    await (await world.network.started(2)).close('outdated', 405);
    expect(await refused).toMatchObject({ status: 503, body: { error: 'reconnect failed: outdated' } });

    const slow = api.call(caller, 'POST', url);
    await world.network.started(3);
    world.clock.advance(20_000);
    expect(await slow).toMatchObject({ status: 504, body: { error_code: 'WHATSAPP_TIMEOUT' } });
    await world.network.sessions[3]?.open('5511999990001');
    expect((await api.call(caller, 'POST', url)).body.data).toMatchObject({ status: 'connected' });
  });

  test('logout removes the companion, forgets the credentials and lets the device pair again', async () => {
    const caller = await api.user();
    const device = await world.linked(caller);
    expect((await api.call(caller, 'POST', '/logout')).body).toEqual({
      success: true,
      data: { message: 'device logged out successfully', device_id: device.id },
    });
    expect(world.network.loggedOut).toBe(1);
    expect(await world.credentials(device).readCredentials()).toBeNull();
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({
      status: 'logged_out',
      reason: 'logged_out',
      state_reason: 'requested',
      is_logged_in: false,
      jid: '5511999990001@s.whatsapp.net',
    });
    expect((await api.call(caller, 'POST', '/connect')).body.data.needs_qr).toBe(true);
    expect((await api.askQr(caller, '/qr', '2@next')).status).toBe(200);
    expect((await api.call(caller, 'GET', '/status')).body.data.jid).toBeNull();
  });

  test('logout needs a connection, unless it is forced', async () => {
    const caller = await api.user();
    const device = await world.linked(caller);
    await world.network.sessions[1]?.close('banned', 403);
    expect(await api.call(caller, 'POST', '/logout')).toMatchObject({
      status: 503,
      body: { error: 'WhatsApp session is not connected', error_code: 'DEVICE_NOT_READY' },
    });
    expect((await api.call(caller, 'POST', '/logout?force=true')).status).toBe(200);
    expect(await world.credentials(device).readCredentials()).toBeNull();
    expect(world.network.loggedOut).toBe(0);
  });

  test('a connection lost during the logout is no logout', async () => {
    const caller = await api.user();
    await world.linked(caller);
    world.network.beforeLogout = async () => {
      await world.network.sessions[1]?.close('connection_lost', 408);
      throw new SessionTimeout('no answer');
    };
    expect((await api.call(caller, 'POST', '/logout')).status).toBe(504);
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({
      status: 'reconnecting',
      is_logged_in: true,
    });
  });

  test('DELETE marks the device offline, deletes nothing, and may be repeated', async () => {
    const caller = await api.user();
    const { id } = await world.linked(caller);
    for (let n = 0; n < 2; n += 1) {
      expect(await api.call(caller, 'DELETE', `/devices/${id}`)).toMatchObject({
        status: 200,
        body: { success: true, message: 'Device disconnected' },
      });
    }
    expect((await api.call(caller, 'GET', '/devices')).body.devices).toMatchObject([
      { id, connected: false },
    ]);
  });
});

test('the log has a line at info when a device is linked, connects and closes', async () => {
  const caller = await api.user();
  const { id } = await world.linked(caller);
  await world.devices.disconnect(await world.devices.resolve(caller, id));
  const lines = world.logLines.map((line) => JSON.parse(line)).filter((line) => line.device_id === id);
  const told = ['a phone has linked a device', 'a device has connected', 'a device has closed'];
  expect(lines.map(({ msg }) => msg).filter((msg) => told.includes(msg))).toEqual(told);
  expect(lines.at(-1)).toMatchObject({
    level: 30,
    tenant_id: caller.tenantId,
    user_id: caller.userId,
    state: 'disconnected',
    reason: 'requested',
  });
});

test('the line of a request has the device that was chosen for it', async () => {
  const caller = await api.user();
  const { id } = await world.linked(caller);
  expect((await api.call(caller, 'POST', '/disconnect')).status).toBe(200);
  const lines = world.logLines.map((line) => JSON.parse(line));
  const line = lines.findLast(({ route }) => route === '/disconnect');
  expect(line).toMatchObject({ msg: 'request answered', user_id: caller.userId, device_id: id });
});

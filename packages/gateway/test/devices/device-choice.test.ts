/** Which of several devices a request means. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DevicesWorld } from './devices-world.ts';
import { InstancesApi } from './instances-api.ts';

let api: InstancesApi;
let world: DevicesWorld;

beforeEach(async () => {
  api = await InstancesApi.create();
  world = api.world;
});

afterEach(() => api.destroy());

describe('a second number', () => {
  test('a list shows the strays; one that is linked and down is meant all the same', async () => {
    const caller = await api.user();
    await api.call(caller, 'POST', '/devices', { name: 'stray' });
    world.clock.advance(1);
    const device = await world.linked(caller);
    world.clock.advance(1);
    await api.call(caller, 'POST', '/devices', { name: 'stray too' });
    await world.network.sessions[1]?.close('connection_lost', 408);
    const { devices } = (await api.call(caller, 'GET', '/devices')).body;
    expect(devices).toMatchObject([
      { stray: true, linked: false, reason: 'never_linked' },
      { stray: false, linked: true, reason: 'reconnecting' },
      { stray: true, linked: false, reason: 'never_linked' },
    ]);
    expect(await api.call(caller, 'POST', '/logout')).toMatchObject({
      status: 503,
      body: { error_code: 'DEVICE_NOT_READY', reason: 'reconnecting', device_id: device.id },
    });
  });

  test('GET /qr takes the device that waits, not the one that is connected', async () => {
    const caller = await api.user();
    const device = await world.linked(caller);
    const { data } = (await api.call(caller, 'POST', '/devices', { name: 'second' })).body;
    const qr = await api.askQr(caller, '/qr', '2@second');
    expect(qr.body.data.device_id).toBe(data.device_id);
    expect(qr.body.data.device_id).not.toBe(device.id);
  });

  test('remove unlinks a device and leaves nothing of it', async () => {
    const caller = await api.user();
    const device = await world.linked(caller);
    const other = await world.linked(caller, '5511999990002');
    expect(await api.call(caller, 'DELETE', `/devices/${device.id}?remove=true`)).toMatchObject({
      status: 200,
      body: { message: 'Device removed', device_id: device.id, unlinked: true, state: 'deleted' },
    });
    expect(world.network.loggedOut).toBe(1);
    expect(await world.db.selectFrom('devices').select('id').execute()).toEqual([{ id: other.id }]);
    const keys = await world.db.selectFrom('signal_keys').select('device_id').distinct().execute();
    expect(keys.map(({ device_id }) => device_id)).not.toContain(device.id);
    expect((await api.call(caller, 'DELETE', `/devices/${device.id}?remove=true`)).status).toBe(404);
    expect((await api.call(caller, 'GET', '/status')).body.data).toMatchObject({ device_id: other.id });
  });

  test('remove says that the phone was not told when the device is offline', async () => {
    const caller = await api.user();
    const { id } = await world.linked(caller);
    await api.call(caller, 'POST', '/disconnect');
    expect((await api.call(caller, 'DELETE', `/devices/${id}?remove=true`)).body).toMatchObject({
      unlinked: false,
    });
    expect((await api.call(caller, 'GET', '/devices')).body.devices).toEqual([]);
  });

  test('a user removes no device of a colleague', async () => {
    const owner = await api.user();
    const colleague = await api.user('user', owner.tenantId);
    const { id } = await world.linked(owner);
    expect((await api.call(colleague, 'DELETE', `/devices/${id}?remove=true`)).status).toBe(404);
    expect((await world.row({ id })).state).toBe('connected');
  });
});

describe('the device is selected', () => {
  test('by query, body or header, on every operation', async () => {
    const caller = await api.user();
    const first = await world.linked(caller, '5511999990001');
    world.clock.advance(1);
    const second = await world.linked(caller, '5511999990002');
    expect(await api.call(caller, 'POST', '/disconnect')).toMatchObject({
      status: 400,
      body: { error_code: 'DEVICE_AMBIGUOUS', device_ids: [first.id, second.id] },
    });
    const header = { 'x-device-id': second.id };
    const status = await api.call(caller, 'GET', '/status', undefined, header);
    expect(status.body.data.device_id).toBe(second.id);
    const off = await api.call(caller, 'POST', '/disconnect', { device_id: first.id });
    expect(off.body.data.device_id).toBe(first.id);
    const out = await api.call(caller, 'POST', `/logout?device_id=${second.id}`);
    expect(out.body.data.device_id).toBe(second.id);
  });

  test('another tenant’s id, or one that cannot be, is 404 everywhere', async () => {
    const owner = await api.user();
    const device = await world.linked(owner);
    const stranger = await api.user();
    for (const id of [device.id, 'no-uuid', `${'x'.repeat(10_000)}`, "' or 1=1 --"]) {
      const query = `device_id=${encodeURIComponent(id)}`;
      const answers = await Promise.all([
        api.call(stranger, 'DELETE', `/devices/${encodeURIComponent(id)}`),
        api.call(stranger, 'GET', `/qr?${query}`),
        api.call(stranger, 'GET', `/qr/status?${query}`),
        api.call(stranger, 'POST', '/paircode', { phone: '5511999990003', device_id: id }),
        api.call(stranger, 'POST', `/connect?${query}`),
        api.call(stranger, 'POST', `/disconnect?${query}`),
        api.call(stranger, 'POST', `/logout?${query}`),
      ]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 404, body: { error_code: 'DEVICE_NOT_FOUND' } });
      }
    }
    expect((await world.row(device)).state).toBe('connected');
  });
});

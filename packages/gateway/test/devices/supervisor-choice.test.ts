/** Which device is meant, and what a session that closes slowly holds up. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DevicesWorld } from './devices-world.ts';
import type { ScriptedSession } from './scripted-session.ts';

let world: DevicesWorld;

beforeEach(async () => {
  world = await DevicesWorld.create();
});

afterEach(() => world.destroy());

describe('which device is meant', () => {
  test('the only connected, else the only linked, else the only one, else the caller must say', async () => {
    const caller = await world.caller('user');
    await expect(world.devices.resolve(caller)).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    const first = await world.devices.create(caller, { name: 'first' });
    expect((await world.devices.resolve(caller)).id).toBe(first.id);
    world.clock.advance(1);
    const second = await world.linked(caller);
    expect((await world.devices.resolve(caller)).id).toBe(second.id);
    // Down, but linked: what was never linked is no rival to it.
    await world.devices.disconnect(second);
    expect((await world.devices.resolve(caller)).id).toBe(second.id);
    world.clock.advance(1);
    const third = await world.linked(caller, '5511999990007');
    expect((await world.devices.resolve(caller)).id).toBe(third.id);
    await world.devices.disconnect(third);
    await expect(world.devices.resolve(caller)).rejects.toMatchObject({
      code: 'DEVICE_AMBIGUOUS',
      detail: { extra: { device_ids: [first.id, second.id, third.id] } },
    });
  });

  test('never the device of another user, whatever the role', async () => {
    const owner = await world.caller('user');
    const device = await world.linked(owner);
    for (const role of ['admin', 'manager'] as const) {
      const caller = await world.caller(role, owner.tenantId);
      await expect(world.devices.resolve(caller)).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
      expect((await world.devices.resolve(caller, device.id)).id).toBe(device.id);
    }
  });

  test('a user commands own devices, a manager those of the tenant, nobody those of another', async () => {
    const admin = await world.caller('admin');
    const user = await world.caller('user', admin.tenantId);
    const manager = await world.caller('manager', admin.tenantId);
    const stranger = await world.caller('admin');
    const ofAdmin = await world.devices.create(admin, { name: 'counter' });
    const ofUser = await world.devices.create(user, { name: 'desk' });
    await expect(world.devices.resolve(user, ofAdmin.id)).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' });
    expect((await world.devices.resolve(manager, ofUser.id)).id).toBe(ofUser.id);
    await expect(world.devices.resolve(stranger, ofUser.id)).rejects.toMatchObject({
      code: 'DEVICE_NOT_FOUND',
    });
    expect((await world.devices.resolve(admin)).id).toBe(ofAdmin.id);
    expect(await world.devices.list(manager)).toEqual([]);
    expect(await world.devices.list(manager, 'visible')).toHaveLength(2);
    expect(await world.devices.list(user, 'visible')).toHaveLength(1);
    expect(await world.devices.list(stranger, 'visible')).toEqual([]);
  });
});

describe('a session that closes slowly', () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  const key = [{ type: 'session', id: 'a', value: bytes(9) }];
  let ends: () => void;
  /** Its `stop` ends with the test; what it still does comes after the limit of the slot. */
  const stopsLate = (session: ScriptedSession) => {
    session.port.stop = () =>
      new Promise((resolve) => {
        ends = resolve;
      });
    return session.options.credentials;
  };
  afterEach(() => ends());

  test('writes nothing once another has taken its place', async () => {
    const device = await world.linked(await world.caller());
    const slow = stopsLate(world.network.last);
    await world.network.last.close('connection_lost', 408);
    world.clock.advance(3_000);
    const { credentials } = (await world.network.started(2)).options;
    await credentials.writeCredentials(bytes(2));
    await expect(slow.writeCredentials(bytes(1))).rejects.toThrow('no longer');
    await expect(slow.write(key)).rejects.toThrow('no longer');
    expect(await credentials.readKeys('session', ['a'])).toEqual(new Map());
    expect([...((await world.credentials(device).readCredentials()) ?? [])]).toEqual([2]);
  });

  test('brings nothing back that a logout has removed', async () => {
    const device = await world.linked(await world.caller());
    const slow = stopsLate(world.network.last);
    const loggedOut = world.devices.logout(device, true);
    await world.until('logged_out:requested');
    world.clock.advance(3_000);
    await loggedOut;
    await expect(slow.writeCredentials(bytes(1))).rejects.toThrow('no longer');
    await expect(slow.write(key)).rejects.toThrow('no longer');
    expect(await world.credentials(device).readCredentials()).toBeNull();
    expect(await world.credentials(device).readKeys('session', ['a'])).toEqual(new Map());
  });
});

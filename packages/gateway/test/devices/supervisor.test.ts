import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';
import { DevicesWorld } from './devices-world.ts';

let world: DevicesWorld;

beforeEach(async () => {
  world = await DevicesWorld.create();
});

afterEach(() => world.destroy());

const text = (id: string): InboundMessage => ({
  id,
  chat: { jid: '5511999990009@s.whatsapp.net', lid: null },
  isGroup: false,
  sender: { jid: '5511999990009@s.whatsapp.net', lid: null },
  fromMe: false,
  timestamp: world.clock.now(),
  pushName: 'Contact',
  content: {
    kind: 'text',
    text: 'hello',
    media: null,
    quoted: null,
    mentions: [],
    forwarded: false,
    viewOnce: false,
    ephemeralSeconds: null,
    targetId: null,
  },
  raw: new Uint8Array(),
  offline: false,
  source: 'phone',
});

describe('a connected device', () => {
  test('comes back by itself after a lost connection, later and later while that fails', async () => {
    const caller = await world.caller();
    const device = await world.linked(caller);
    await world.network.last.close('connection_lost', 408);
    expect(await world.row(device)).toMatchObject({ state: 'reconnecting', state_reason: 'connection_lost' });
    expect(() => world.devices.session(device)).toThrow('WhatsApp session is not connected');
    expect(world.network.sessions).toHaveLength(2);

    world.clock.advance(749);
    expect(world.network.sessions).toHaveLength(2);
    world.clock.advance(1);
    await (await world.network.started(2)).close('service_unavailable', 503);
    world.clock.advance(1_499);
    expect(world.network.sessions).toHaveLength(3);
    world.clock.advance(1);
    await (await world.network.started(3)).open('5511999990001');
    expect(await world.row(device)).toMatchObject({ state: 'connected', state_reason: 'open', wanted: 1 });
    expect(world.devices.session(device)).toBe(world.network.last.port);
  });

  test.each([
    ['replaced', 440, 'replaced', 'replaced'],
    ['banned', 403, 'banned', 'banned'],
    ['outdated', 405, 'outdated', 'outdated'],
    ['logged_out', 401, 'logged_out', 'logged_out'],
  ] as const)('stays down when its session ends as %s', async (reason, code, state, why) => {
    const device = await world.linked(await world.caller());
    await world.network.last.close(reason, code);
    world.clock.advance(24 * 3_600_000);
    expect(await world.row(device)).toMatchObject({ state, state_reason: why });
    expect(world.network.live).toHaveLength(0);
    expect(world.network.sessions).toHaveLength(2);
  });

  test('forgets its credentials when the phone removed it, and keeps the number for display', async () => {
    const caller = await world.caller();
    const device = await world.linked(caller);
    await world.network.last.close('logged_out', 401);
    expect(await world.devices.connect(device)).toMatchObject({ needsQr: true });
    // `disconnect` is a command: those run one after the other, the forgetting before it.
    await world.devices.disconnect(device);
    expect(await world.credentials(device).readCredentials()).toBeNull();
    expect(await world.row(device)).toMatchObject({ phone_number: '5511999990001', wanted: 0 });
  });

  test('is tried again an hour into a temporary ban', async () => {
    const device = await world.linked(await world.caller());
    await world.network.last.close('banned', 402);
    expect(await world.row(device)).toMatchObject({
      state: 'banned',
      state_reason: 'temporary_ban',
      wanted: 1,
    });
    world.clock.advance(3_600_000);
    await (await world.network.started(2)).open('5511999990001');
    expect(await world.row(device)).toMatchObject({ state: 'connected' });
  });

  test('is tried again once a temporary ban is over, and then forgets it', async () => {
    const device = await world.linked(await world.caller());
    const until = world.clock.now() + 7_200_000;
    await world.network.last.report({
      type: 'closed',
      reason: 'banned',
      detail: 'Connection Failure',
      statusCode: 402,
      ban: { until, code: 101 },
    });
    expect(await world.row(device)).toMatchObject({ state: 'banned', ban_until: until, ban_code: 101 });
    world.clock.advance(7_200_000);
    expect(world.network.sessions).toHaveLength(2);
    world.clock.advance(60_000);
    const again = await world.network.started(2);
    expect(await world.row(device)).toMatchObject({ state: 'reconnecting', ban_until: null, ban_code: null });
    await again.open('5511999990001');
    expect(await world.row(device)).toMatchObject({ state: 'connected' });
  });

  test('ignores late reports of a session that was given up', async () => {
    const device = await world.linked(await world.caller());
    const old = world.network.last;
    await world.devices.disconnect(device);
    await old.open('5511999990001');
    await old.close('replaced', 440);
    expect(await world.row(device)).toMatchObject({ state: 'disconnected', state_reason: 'requested' });
    const connect = world.devices.connect(device);
    await (await world.network.started(2)).open('5511999990001');
    await connect;
    await old.close('replaced', 440);
    expect(await world.row(device)).toMatchObject({ state: 'connected', state_reason: 'open' });
  });

  test('stores its last sign of life at most once a minute', async () => {
    const device = await world.linked(await world.caller());
    const opened = world.clock.now();
    world.clock.advance(59_000);
    await world.network.last.report({ type: 'alive' });
    expect((await world.row(device)).last_seen).toBe(opened);
    world.clock.advance(1_000);
    await world.network.last.report({ type: 'alive' });
    expect((await world.row(device)).last_seen).toBe(opened + 60_000);
  });
});

describe('what a session receives', () => {
  test('reaches the handler with its device, and a failure to store it reaches the session', async () => {
    const stored: string[] = [];
    world.restart(
      {},
      {
        message: async (device, message) => {
          if (message.id === 'REFUSED') throw new Error('disk full');
          stored.push(`${device.name}:${message.id}`);
        },
      },
    );
    await world.linked(await world.caller());
    const session = world.network.last;
    await session.report({ type: 'message', message: text('FIRST') });
    await expect(session.report({ type: 'message', message: text('REFUSED') })).rejects.toThrow('disk full');
    await session.close('connection_lost');
    await session.report({ type: 'message', message: text('LATE') });
    expect(stored).toEqual(['counter:FIRST', 'counter:LATE']);
  });
});

describe('one socket per device', () => {
  test('many connects at once make one session and all see it open', async () => {
    const caller = await world.caller();
    const device = await world.linked(caller);
    await world.devices.disconnect(device);
    const connects = Array.from({ length: 5 }, () => world.devices.connect(device));
    await (await world.network.started(2)).open('5511999990001');
    for (const answer of await Promise.all(connects)) expect(answer.needsQr).toBe(false);
    expect(world.network.sessions).toHaveLength(3);
    expect(world.network.live).toHaveLength(1);
  });

  test('a connect during the back-off takes the waiting attempt’s place', async () => {
    const device = await world.linked(await world.caller());
    await world.network.last.close('connection_lost');
    const connect = world.devices.connect(device);
    await (await world.network.started(2)).open('5511999990001');
    expect((await connect).device.state).toBe('connected');
    world.clock.advance(600_000);
    expect(world.network.sessions).toHaveLength(3);
  });

  test('a new session waits until the old one has closed', async () => {
    const caller = await world.caller();
    const device = await world.linked(caller);
    const old = world.network.last;
    let release: () => void = () => {};
    const stop = old.stop.bind(old);
    old.stop = async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      await stop();
    };
    const off = world.devices.disconnect(device);
    await world.until('disconnected:requested');
    const connect = world.devices.connect(device);
    await world.devices.list(caller);
    expect(world.network.sessions).toHaveLength(2);
    release();
    await off;
    await (await world.network.started(2)).open('5511999990001');
    await connect;
    expect(world.network.live).toHaveLength(1);
  });

  test('a session that cannot start is tried again', async () => {
    const device = await world.linked(await world.caller());
    await world.devices.disconnect(device);
    world.network.failStart = true;
    const connect = world.devices.connect(device);
    await world.until('reconnecting:connection_lost');
    world.network.failStart = false;
    world.clock.advance(1_000);
    await (await world.network.started(3)).open('5511999990001');
    expect((await connect).device.state).toBe('connected');
  });
});

describe('a linked device without credentials', () => {
  test('is logged out for that reason when it is to connect', async () => {
    const device = await world.linked(await world.caller());
    await world.devices.disconnect(device);
    await world.credentials(device).clear();
    const answer = await world.devices.connect(device);
    expect(answer.needsQr).toBe(true);
    expect(answer.device).toMatchObject({ state: 'logged_out', stateReason: 'credentials_missing' });
  });

  test('and when WhatsApp wants it to scan', async () => {
    const device = await world.linked(await world.caller());
    await world.network.last.close('connection_lost');
    world.clock.advance(1_000);
    await (await world.network.started(2)).qr('2@unasked', world.clock.now() + 60_000);
    expect(await world.row(device)).toMatchObject({
      state: 'logged_out',
      state_reason: 'credentials_missing',
    });
    await world.devices.disconnect(device);
    expect(world.network.live).toHaveLength(0);
  });
});

describe('the gateway stops and starts', () => {
  test('closes every socket, and a new process takes up what was online', async () => {
    const caller = await world.caller();
    const online = await world.linked(caller, '5511999990001');
    const off = await world.linked(caller, '5511999990002');
    await world.devices.disconnect(off);
    await world.devices.stop();
    expect(world.network.live).toHaveLength(0);
    expect(await world.row(online)).toMatchObject({
      state: 'reconnecting',
      state_reason: 'gateway_stopped',
      wanted: 1,
    });
    await expect(world.devices.connect(online)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });

    world.restart();
    await world.devices.start();
    expect(await world.row(online)).toMatchObject({ state: 'reconnecting', state_reason: 'gateway_started' });
    const session = await world.network.started(0);
    expect(session.options.deviceId).toBe(online.id);
    await session.open('5511999990001');
    expect(world.network.sessions).toHaveLength(1);
    expect(await world.row(off)).toMatchObject({ state: 'disconnected', state_reason: 'requested' });
  });

  test('a process that was killed leaves no false state behind', async () => {
    const caller = await world.caller();
    const linked = await world.linked(caller);
    const pairing = await world.devices.create(caller, { name: 'second' });
    const asked = world.devices.qr(pairing, false);
    await (await world.network.started(2)).qr('2@x', world.clock.now() + 60_000);
    await asked;
    const killed = world.devices;
    world.restart();
    await world.devices.start();
    expect((await world.devices.resolve(caller, linked.id)).state).toBe('reconnecting');
    expect(await world.devices.resolve(caller, pairing.id)).toMatchObject({
      state: 'disconnected',
      stateReason: 'gateway_stopped',
    });
    await killed.stop();
  });

  test('connects in waves', async () => {
    const caller = await world.caller();
    for (let n = 0; n < 5; n += 1) await world.linked(caller, `551199999000${n}`);
    await world.devices.stop();
    world.restart({ waves: { size: 2, gapMs: 1_000 } });
    await world.devices.start();
    await world.network.started(1);
    expect(world.network.sessions).toHaveLength(2);
    world.clock.advance(1_000);
    await world.network.started(3);
    expect(world.network.sessions).toHaveLength(4);
    world.clock.advance(1_000);
    await world.network.started(4);
    world.clock.advance(10_000);
    expect(world.network.sessions).toHaveLength(5);
  });

  test('releasing a tenant closes its sockets and no other', async () => {
    const one = await world.caller();
    const other = await world.caller();
    const device = await world.linked(one, '5511999990001');
    const kept = await world.linked(other, '5511999990002');
    await world.devices.release(one.tenantId);
    expect(world.devices.openSession(device.id)).toBeNull();
    expect(world.devices.tenantSessions(other.tenantId).map((each) => each.device.id)).toEqual([kept.id]);
    expect(world.network.live).toHaveLength(1);
  });
});

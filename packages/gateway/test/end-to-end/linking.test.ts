import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { type Json, until, World } from './harness.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.destroy();
  world = undefined;
});

describe('linking a number', () => {
  test('a phone scans the QR and the status says connected with its number', async () => {
    world = await World.create();
    const token = await world.tenant('one');
    const phone = await world.sandbox.createPhone({ number: '5511999990001', name: 'Shop' });
    const api = world.as(token);

    const created = await api.post('/devices', { name: 'counter' });
    expect(created.status).toBe(201);
    const deviceId = created.body.device.id;
    const qr = await api.get('/qr');
    expect(qr.status).toBe(200);
    expect(qr.body.data.image).toMatch(/^data:image\/png;base64,/);
    expect(qr.body.data.cached).toBe(false);
    expect((await api.get('/qr')).body.data).toMatchObject({ cached: true });
    expect((await api.get(`/qr/status?device_id=${deviceId}`)).body.data.exists).toBe(true);

    await phone.scanQr((await api.get('/qr')).body.data.qr_code);
    await world.untilConnected(token, deviceId);
    const status = await api.get('/status');
    expect(status.body).toMatchObject({
      success: true,
      data: {
        connected: true,
        status: 'connected',
        device_id: deviceId,
        jid: '5511999990001@s.whatsapp.net',
        phone_number: '5511999990001',
        is_logged_in: true,
      },
    });
    expect((await api.get('/qr')).status).toBe(409);
  });

  test('the server retires the ADV secret on the first scan and a fresh QR links', async () => {
    world = await World.create({ sandbox: { companionRegRefresh: 'on_scan' } });
    const token = await world.tenant('refresh');
    const phone = await world.sandbox.createPhone({ number: '5511999990002', name: 'Shop' });
    const api = world.as(token);
    const deviceId = (await api.post('/devices', { name: 'counter' })).body.device.id;
    const first: string = (await api.get('/qr')).body.data.qr_code;
    await expect(phone.scanQr(first)).rejects.toMatchObject({ reason: 'adv_secret_retired' });

    const second = await until('the QR shows a new secret', async () => {
      const { qr_code } = (await api.get('/qr')).body.data;
      return qr_code !== first && (qr_code as string);
    });
    expect(second.split(',')[0]).toBe(first.split(',')[0]);
    await phone.scanQr(second);
    await world.untilConnected(token, deviceId);
  });

  test('a second tenant links by pair code', async () => {
    world = await World.create();
    const token = await world.tenant('code');
    const phone = await world.sandbox.createPhone({ number: '5511999990003', name: 'Shop' });
    const api = world.as(token);
    const answer = await api.post('/paircode', { phone: '+55 (11) 99999-0003' });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toMatchObject({ phone: '5511999990003', cached: false });
    expect(answer.body.data.code).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    await phone.enterPairCode(answer.body.data.code);
    const deviceId: string = (await api.get('/devices')).body.devices[0].id;
    await world.untilConnected(token, deviceId);
    expect((await api.get('/status')).body.data.phone_number).toBe('5511999990003');
  });

  test('a word about the code that has no key in it, as WhatsApp sends with passkeys, changes nothing', async () => {
    world = await World.create();
    const token = await world.tenant('words');
    const phone = await world.sandbox.createPhone({ number: '5511999990007', name: 'Shop' });
    const api = world.as(token);
    const { body } = await api.post('/paircode', { phone: phone.number });
    const registration = {
      tag: 'link_code_companion_reg',
      attrs: { stage: 'refresh_code' },
      content: [{ tag: 'link_code_pairing_ref', attrs: {}, content: Buffer.from('3@another') }],
    };
    const attrs = { from: 's.whatsapp.net', type: 'link_code_companion_reg', id: 'W1', t: '1' };
    world.sandbox.tellUnlinked({ tag: 'notification', attrs, content: [registration] });
    await phone.enterPairCode(body.data.code);
    const deviceId: string = (await api.get('/devices')).body.devices[0].id;
    await world.untilConnected(token, deviceId);
  });

  test('an answer to the code under another reference is refused and told, and the code goes on', async () => {
    world = await World.create();
    const token = await world.tenant('foreign');
    const phone = await world.sandbox.createPhone({ number: '5511999990008', name: 'Shop' });
    const api = world.as(token);
    const { body } = await api.post('/paircode', { phone: phone.number });
    const child = (tag: string, content: Uint8Array) => ({ tag, attrs: {}, content });
    const registration = {
      tag: 'link_code_companion_reg',
      attrs: { stage: 'primary_hello' },
      content: [
        child('link_code_pairing_ref', Buffer.from('3@another')),
        child('primary_identity_pub', randomBytes(32)),
        child('link_code_pairing_wrapped_primary_ephemeral_pub', randomBytes(80)),
      ],
    };
    const attrs = { from: 's.whatsapp.net', type: 'link_code_companion_reg', id: 'W1', t: '1' };
    world.sandbox.tellUnlinked({ tag: 'notification', attrs, content: [registration] });
    const refused = await until('the foreign answer is told', async () => {
      const { events } = (await api.get('/events?event=connection.pair_error')).body;
      return events.length > 0 && events;
    });
    expect(refused.map(({ data }: Json) => data.reason)).toEqual([expect.stringContaining('reference')]);
    await until('it is acknowledged', async () => world?.sandbox.pendingForUnlinked === 0);
    await phone.enterPairCode(body.data.code);
    const deviceId: string = (await api.get('/devices')).body.devices[0].id;
    await world.untilConnected(token, deviceId);
  });

  test('disconnect keeps the credentials, connect comes back without a QR, logout unlinks', async () => {
    world = await World.create();
    const token = await world.tenant('cycle');
    const phone = await world.sandbox.createPhone({ number: '5511999990004', name: 'Shop' });
    const deviceId = await world.linkByQr(token, phone);
    const api = world.as(token);

    expect((await api.post('/disconnect')).body.data.device_id).toBe(deviceId);
    expect((await api.get('/status')).body.data).toMatchObject({ connected: false, is_logged_in: true });
    const connected = await api.post('/connect');
    expect(connected.body.data).toEqual({ status: 'connected', device_id: deviceId, needs_qr: false });

    expect((await api.post('/logout')).status).toBe(200);
    expect((await api.get('/status')).body.data).toMatchObject({ connected: false, is_logged_in: false });
    await until('the phone no longer lists the companion', async () => phone.companions.length === 0);
    expect((await api.post('/connect')).body.data.needs_qr).toBe(true);
  });
});

describe('what the network does to a linked device', () => {
  test('a lost connection comes back by itself; a removed companion becomes logged_out with its reason', async () => {
    world = await World.create();
    const token = await world.tenant('drops');
    const phone = await world.sandbox.createPhone({ number: '5511999990005', name: 'Shop' });
    const deviceId = await world.linkByQr(token, phone);
    const jid = `5511999990005:${phone.companions[0]}@s.whatsapp.net`;

    world.sandbox.faults.drop(jid);
    await world.sandbox.waitForOffline(jid);
    await world.sandbox.waitForOnline(jid);
    await world.untilConnected(token, deviceId);

    await phone.unlink(phone.companions[0] ?? 1);
    const data = await until('the device is logged out', async () => {
      const status = (await world?.as(token).get('/status'))?.body.data;
      return status?.status === 'logged_out' && status;
    });
    expect(data.is_logged_in).toBe(false);
    expect(data.reason).toBeTruthy();
  });

  test.each([
    ['replaced', 'replaced'],
    ['banned', 'banned'],
    ['outdated', 'outdated'],
  ] as const)('a stream that ends as %s stays down in that state', async (fault, state) => {
    world = await World.create();
    const token = await world.tenant('ends');
    const phone = await world.sandbox.createPhone({ number: '5511999990006', name: 'Shop' });
    await world.linkByQr(token, phone);
    world.sandbox.faults.streamError(`5511999990006:${phone.companions[0]}@s.whatsapp.net`, fault);
    const data = await until(`the device is ${state}`, async () => {
      const status = (await world?.as(token).get('/status'))?.body.data;
      return status?.status === state && status;
    });
    expect(data).toMatchObject({ connected: false, status: state });
  });
});

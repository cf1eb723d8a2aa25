/** Accounts for which WhatsApp wants a passkey before it links a device, with the sandbox's server and phone. */
import { type Phone, SoftwareAuthenticator } from '@wuts/sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { type Api, type Json, until, World } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const SERVER = '@s.whatsapp.net';

let world: World;
let clock: AdvancingClock;
let api: Api;
let token: string;
let phone: Phone;
let id: string;

beforeAll(async () => {
  clock = new AdvancingClock();
  world = await World.create({ clock });
});
afterAll(() => world.destroy());

/** Each test has a tenant and a phone of its own. */
beforeEach(async () => {
  const nth = world.sandbox.phones.length;
  token = await world.tenant(`shop${nth}`);
  api = world.as(token);
  const number = String(5_511_999_997_000 + nth);
  phone = await world.sandbox.createPhone({ number, name: 'Paula', passkey: 'required' });
  id = (await api.post('/devices', { name: 'counter' })).body.device.id;
});

const path = () => `/devices/${id}/passkey`;
const status = async () => (await api.get(`/status?device_id=${id}`)).body.data;

/** Looks at how a linking ended only where the test does. */
async function scan(): Promise<{ linked: ReturnType<Phone['scanQr']> }> {
  const { body } = await api.get(`/qr?device_id=${id}&refresh=true`);
  const linked = phone.scanQr(body.data.qr_code);
  linked.catch(() => undefined);
  return { linked };
}

async function step(wanted: string): Promise<Json> {
  await until(`the passkey step ${wanted}`, async () => (await status()).passkey?.step === wanted);
  return (await api.get(path())).body.data;
}

/** Scans, and answers by the phone's own passkey. */
async function scanAndSign(): Promise<{ linked: ReturnType<Phone['scanQr']> }> {
  const scanned = await scan();
  await sign();
  return scanned;
}

async function sign(passkey = phone.authenticator): Promise<Json> {
  const { request_options } = await step('required');
  return api.post(path(), passkey.sign(request_options));
}

async function over(reason: string): Promise<void> {
  await until(`the end by ${reason}`, async () => (await status()).state_reason === reason);
  expect(await status()).toMatchObject({ status: 'disconnected', is_logged_in: false, passkey: null });
  expect(phone.companions).toEqual([]);
}

async function events(): Promise<Json[]> {
  return (await api.get('/events?after=0&limit=100')).body.events;
}

async function linked(): Promise<void> {
  await world.untilConnected(token, id);
  expect(await status()).toMatchObject({ phone_number: phone.number, passkey: null });
  expect(world.sandbox.pendingForUnlinked).toBe(0);
  expect(phone.problems).toEqual([]);
}

const notification = (type: string, content: Json, from = SERVER) => ({
  tag: 'notification',
  attrs: { from, type, id: `told-${type}`, t: '1' },
  content: [content],
});

describe('a device whose account needs a passkey', () => {
  test('is linked by QR once the passkey has signed, and then like any other', async () => {
    const scanned = await scan();
    const asked = await step('required');
    expect(asked.request_options).toMatchObject({
      rpId: 'whatsapp.com',
      allowCredentials: [],
      userVerification: 'required',
    });
    expect(asked.ttl).toBeGreaterThan(5 * 60);
    expect((await sign()).status).toBe(200);
    await expect(scanned.linked).resolves.toMatchObject({ device: 1 });
    await linked();
    const contact = await world.sandbox.createPhone({ number: '5511999990072', name: 'Rui' });
    const sent = await contact.sendText(phone.number, 'hello');
    await until('the message', async () => (await api.get(`/messages/${sent.id}`)).status === 200);
    const names = (await events()).map((each) => each.event);
    expect(names).toEqual(
      expect.arrayContaining(['device.passkey_required', 'pair.success', 'device.connected']),
    );
    expect(names).not.toContain('device.passkey_confirm');
  });

  test('is linked by code as well', async () => {
    const { body } = await api.post('/paircode', { phone: phone.number, device_id: id });
    const entered = phone.enterPairCode(body.data.code);
    expect((await sign()).status).toBe(200);
    await expect(entered).resolves.toMatchObject({ device: 1 });
    await linked();
  });

  test('asks for the options where the notification has none, and takes a passkey that is listed', async () => {
    phone.passkey = { embedded: false, listed: true };
    const { id: credential } = phone.authenticator.credential;
    await scan();
    expect((await step('required')).request_options.allowCredentials).toMatchObject([{ id: credential }]);
    expect((await sign(new SoftwareAuthenticator())).body.error_code).toBe('PASSKEY_CREDENTIAL_MISMATCH');
    expect((await sign()).status).toBe(200);
    await linked();
  });

  test('may be signed for once more after WhatsApp has refused a passkey', async () => {
    await scan();
    expect(await sign(new SoftwareAuthenticator())).toMatchObject({
      status: 422,
      body: { error_code: 'PASSKEY_REFUSED', whatsapp_code: 403 },
    });
    expect((await sign()).status).toBe(200);
    await linked();
  });

  test('waits longer than any QR lasts, and no QR follows the one that was scanned', async () => {
    await scan();
    await step('required');
    const shown = (await events()).filter((each) => each.event === 'qr.generated').length;
    clock.advance(4 * MINUTE);
    expect((await sign()).status).toBe(200);
    await linked();
    expect((await events()).filter((each) => each.event === 'qr.generated')).toHaveLength(shown);
  });
});

describe('a passkey that comes too late to prove that it is the same linking', () => {
  beforeEach(async () => {
    phone.passkey = { codes: 'ask' };
  });

  /** Scans, and signs after the 5 minutes of the proof. */
  async function signLate(): Promise<{ linked: ReturnType<Phone['scanQr']>; code: string }> {
    const scanned = await scan();
    await step('required');
    clock.advance(5 * MINUTE + SECOND);
    expect((await sign()).status).toBe(200);
    const { code, code_required: required } = await step('confirm');
    expect(required).toBe(true);
    return { ...scanned, code };
  }

  test('is linked after somebody has seen the same code on both', async () => {
    const { linked: scanned, code } = await signLate();
    expect(await phone.passkeyCode()).toEqual({ code, proved: false });
    expect((await events()).at(-1)).toMatchObject({ event: 'device.passkey_confirm', data: { code } });
    expect(await status()).toMatchObject({ state_reason: 'passkey_confirm' });
    phone.answerPasskeyCode(true);
    expect((await api.post(`${path()}/confirm`)).status).toBe(200);
    await expect(scanned).resolves.toMatchObject({ device: 1 });
    await linked();
  });

  test('is not linked when the phone says no first', async () => {
    const { linked: scanned } = await signLate();
    phone.answerPasskeyCode(false);
    expect(await api.post(`${path()}/confirm`)).toMatchObject({
      status: 422,
      body: { error_code: 'PASSKEY_REFUSED_BY_PHONE', whatsapp_code: 403 },
    });
    await expect(scanned).rejects.toMatchObject({ reason: 'passkey_refused' });
    await over('passkey_refused');
  });

  test('is not linked when the phone says no last', async () => {
    const { linked: scanned } = await signLate();
    await api.post(`${path()}/confirm`);
    phone.answerPasskeyCode(false);
    await expect(scanned).rejects.toMatchObject({ reason: 'passkey_refused' });
    await over('connection_lost');
  });

  test('reveals its nonce to one key alone', async () => {
    const { linked: scanned } = await signLate();
    const other = Buffer.concat([Buffer.from('0a20', 'hex'), Buffer.alloc(32, 9)]);
    const primary = Buffer.concat([other, Buffer.from('1220', 'hex'), Buffer.alloc(32, 9)]);
    world.sandbox.tellUnlinked(
      notification('crsc_continuation', {
        tag: 'primary_ephemeral_identity',
        attrs: {},
        content: primary,
      }),
    );
    phone.answerPasskeyCode(true);
    expect((await api.post(`${path()}/confirm`)).status).toBe(200);
    await expect(scanned).resolves.toMatchObject({ device: 1 });
    await linked();
  });
});

describe('what does not fit', () => {
  test('a demand of anybody but the server, and a phone that goes on with nothing, change nothing', async () => {
    const { body } = await api.get(`/qr?device_id=${id}`);
    const content = Buffer.from('{"challenge":"AAAA","rpId":"whatsapp.com"}');
    const options = { tag: 'passkey_request_options', attrs: {}, content };
    const stranger = '5511999990099@s.whatsapp.net';
    world.sandbox.tellUnlinked(notification('passkey_prologue_request', options, stranger));
    const primary = { tag: 'primary_ephemeral_identity', attrs: {}, content: Buffer.alloc(70) };
    world.sandbox.tellUnlinked(notification('crsc_continuation', primary));
    phone.passkey = { demand: 'none' };
    await expect(phone.scanQr(body.data.qr_code)).resolves.toMatchObject({ device: 1 });
    await linked();
    expect((await events()).map((each) => each.event)).not.toContain('device.passkey_required');
  });

  test('the same demand once more is told once more, and the proof still holds', async () => {
    const scanned = await scan();
    const { request_options } = await step('required');
    const content = Buffer.from(JSON.stringify(request_options));
    world.sandbox.tellUnlinked(
      notification('passkey_prologue_request', { tag: 'passkey_request_options', attrs: {}, content }),
    );
    await until('the second event', async () => {
      const told = (await events()).filter((each) => each.event === 'device.passkey_required');
      return told.length === 2;
    });
    expect((await sign()).status).toBe(200);
    await expect(scanned.linked).resolves.toMatchObject({ device: 1 });
    await linked();
  });

  test('options that nobody can read end the linking', async () => {
    await api.get(`/qr?device_id=${id}`);
    const options = { tag: 'passkey_request_options', attrs: {}, content: Buffer.from('[]') };
    world.sandbox.tellUnlinked(notification('passkey_prologue_request', options));
    await over('passkey_failed');
  });

  test('a phone whose answer has no key ends the linking', async () => {
    phone.passkey = { codes: 'silent' };
    await scanAndSign();
    await step('verifying');
    const primary = { tag: 'primary_ephemeral_identity', attrs: {}, content: Buffer.alloc(3) };
    world.sandbox.tellUnlinked(notification('crsc_continuation', primary));
    await over('passkey_failed');
  });
});

describe('a linking that comes to nothing', () => {
  test.each([
    ['required', 10 * MINUTE],
    ['verifying', 5 * MINUTE],
  ])('is over when the time of the step %s is', async (wanted, ms) => {
    phone.passkey = { codes: 'silent' };
    const scanned = wanted === 'required' ? await scan() : await scanAndSign();
    await step(wanted);
    clock.advance(ms);
    await over('passkey_expired');
    await expect(scanned.linked).rejects.toMatchObject({ reason: 'companion_gone' });
    expect(await api.get(path())).toMatchObject({ status: 410, body: { error_code: 'PASSKEY_EXPIRED' } });
  });

  test('is over when it is given up, and the next one is linked', async () => {
    const scanned = await scan();
    await step('required');
    expect((await api.delete(path())).status).toBe(200);
    await over('passkey_given_up');
    await expect(scanned.linked).rejects.toMatchObject({ reason: 'companion_gone' });
    await scanAndSign();
    await linked();
  });

  test('is over when the connection ends', async () => {
    await scan();
    await step('required');
    world.sandbox.tellUnlinked({ tag: 'stream:error', attrs: { code: '503' } });
    await over('service_unavailable');
  });

  test('does not survive the gateway, and the next one is linked', async () => {
    await scan();
    await step('required');
    await world.restartGateway();
    api = world.as(token);
    await over('gateway_stopped');
    expect(await api.get(path())).toMatchObject({ status: 409 });
    await scanAndSign();
    await linked();
  });

  test('has none of the time of the next one: refresh begins anew', async () => {
    const scanned = await scan();
    await step('required');
    await scanAndSign();
    await expect(scanned.linked).rejects.toMatchObject({ reason: 'companion_gone' });
    await linked();
  });
});

describe('an account for which a passkey is offered', () => {
  test('is linked for good by whoever signs', async () => {
    phone.passkey = { demand: 'offered', offerMs: 60 * SECOND };
    await scanAndSign();
    await linked();
  });

  test('is linked by who has signed with another passkey, by what the phone has read', async () => {
    phone.passkey = { demand: 'offered', offerMs: 5 * SECOND };
    const scanned = await scan();
    expect((await sign(new SoftwareAuthenticator())).body.error_code).toBe('PASSKEY_REFUSED');
    await expect(scanned.linked).resolves.toMatchObject({ device: 1 });
    await linked();
  });

  test('is linked by who says nothing, and loses the device again', async () => {
    phone.passkey = { demand: 'offered', offerMs: 300, removeAfterMs: 300 };
    const scanned = await scan();
    await expect(scanned.linked).resolves.toMatchObject({ device: 1 });
    await until('the end', async () => (await status()).state_reason === 'logged_out');
    const names = (await events()).map((each) => each.event);
    expect(names).toEqual(expect.arrayContaining(['device.passkey_required', 'device.logged_out']));
  });
});

test('without a passkey the QRs follow each other, and the last one ends the linking', async () => {
  const codes = new Set<string>();
  const shown = async () => {
    const { body } = await api.get(`/qr?device_id=${id}`);
    codes.add(body.data.qr_code.split(',')[0]);
  };
  await shown();
  for (const ms of [60, 20, 20, 20, 20]) {
    clock.advance(ms * SECOND);
    await shown();
  }
  expect(codes.size).toBe(6);
  clock.advance(20 * SECOND);
  await over('qr_timeout');
  const told = (await events()).filter(({ event }) => event === 'connection.failure');
  expect(told.map(({ data }) => data)).toMatchObject([{ state: 'disconnected', reason: 'qr_timeout' }]);
});

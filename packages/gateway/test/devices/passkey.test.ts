/** The passkey step of linking through the API, with a session that reports what it is told to. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/tenancy/caller.ts';
import { RequestRefused, SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { SoftwareAuthenticator } from '../worlds/authenticator.ts';
import { type DevicesWorld, START } from './devices-world.ts';
import { type Answer, InstancesApi } from './instances-api.ts';
import { MINUTE, OPTIONS } from './passkey-page-world.ts';
import type { ScriptedSession } from './scripted-session.ts';

let api: InstancesApi;
let world: DevicesWorld;
let caller: Caller;
let id: string;
let session: ScriptedSession;
let passkey: SoftwareAuthenticator;

beforeEach(async () => {
  api = await InstancesApi.create();
  world = api.world;
  caller = await api.user();
  id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
  session = await world.network.started(0);
  passkey = new SoftwareAuthenticator();
});
afterEach(() => api.destroy());

const call = (method: 'GET' | 'POST' | 'DELETE', rest = '', body?: object): Promise<Answer> =>
  api.call(caller, method, `/devices/${id}/passkey${rest}`, body);

const asked = (options = OPTIONS) => session.report({ type: 'passkey_required', options });

async function status() {
  return (await api.call(caller, 'GET', `/status?device_id=${id}`)).body.data;
}

describe('while nobody asks for a passkey', () => {
  test.each([
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/confirm'],
  ] as const)('%s /passkey%s is 409 PASSKEY_NOT_REQUESTED', async (method, rest) => {
    expect(await call(method, rest)).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_NOT_REQUESTED' },
    });
    expect((await status()).passkey).toBeNull();
  });
});

describe('when WhatsApp asks for a passkey', () => {
  test('the device goes on pairing, with what to sign and the time left, in every place that tells of it', async () => {
    await asked();
    const step = {
      step: 'required',
      expires_at: new Date(START + 10 * MINUTE).toISOString(),
      ttl: 600,
      code: null,
      code_required: null,
    };
    expect((await call('GET')).body.data).toEqual({ device_id: id, ...step, request_options: OPTIONS });
    expect(await status()).toMatchObject({
      status: 'pairing',
      reason: 'linking',
      state_reason: 'passkey_required',
      hint: expect.stringContaining('GET /devices/{id}/passkey'),
      passkey: step,
    });
    expect((await api.call(caller, 'GET', `/qr/status?device_id=${id}`)).body.data).toEqual({
      exists: false,
      passkey: step,
    });
  });

  test('neither a QR nor a code is given, unless it is to begin anew', async () => {
    await asked();
    const refused = { status: 409, body: { error_code: 'PASSKEY_REQUIRED' } };
    expect(await api.call(caller, 'GET', `/qr?device_id=${id}`)).toMatchObject(refused);
    const code = { phone: '5511999990003', device_id: id };
    expect(await api.call(caller, 'POST', '/paircode', code)).toMatchObject(refused);
    expect((await api.askQr(caller, `/qr?device_id=${id}&refresh=true`, '2@again')).status).toBe(200);
    expect(await status()).toMatchObject({ state_reason: 'waiting_for_scan', passkey: null });
    expect(await call('GET')).toMatchObject({ status: 409 });
  });

  test('what was signed goes to WhatsApp as the browser gave it, and the phone goes on by itself', async () => {
    await asked();
    const assertion = passkey.sign(OPTIONS);
    const padded = { ...assertion, id: `${assertion.id}=`, rawId: `${assertion.id}=` };
    expect((await call('POST', '', padded)).body.data.passkey).toMatchObject({ step: 'verifying' });
    const [sent] = session.passkeyAnswers;
    expect(JSON.parse(sent?.json ?? '')).toEqual(assertion);
    expect(Buffer.from(sent?.credentialId ?? []).toString('base64url')).toBe(assertion.id);
    await session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: false });
    expect((await status()).passkey).toMatchObject({
      step: 'linking',
      code: 'K7M2-9QXZ',
      code_required: false,
    });
    await session.pairWith('5511999990001');
    await (await world.network.started(1)).open('5511999990001');
    expect(await status()).toMatchObject({ status: 'connected', passkey: null });
  });

  test('asked once more, it wants the new challenge signed, whatever was answered before', async () => {
    await asked();
    await call('POST', '', passkey.sign(OPTIONS));
    const again = { ...OPTIONS, challenge: 'bmV3IGNoYWxsZW5nZQ' };
    await asked(again);
    expect((await call('GET')).body.data).toMatchObject({ step: 'required', request_options: again });
    expect((await call('POST', '', passkey.sign(OPTIONS))).body.error_code).toBe(
      'PASSKEY_CHALLENGE_MISMATCH',
    );
    expect((await call('POST', '', passkey.sign(again))).status).toBe(200);
  });

  test('of two answers at once one is taken, and one that comes later is refused', async () => {
    await asked();
    const assertion = passkey.sign(OPTIONS);
    const answers = await Promise.all([call('POST', '', assertion), call('POST', '', assertion)]);
    expect(answers.map((each) => each.status).sort()).toEqual([200, 409]);
    expect(await call('POST', '', assertion)).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_ALREADY_ANSWERED' },
    });
    expect(session.passkeyAnswers).toHaveLength(1);
  });
});

describe('an answer that cannot be right is refused before WhatsApp hears of it', () => {
  const other = 'YW5vdGhlcg';
  test.each([
    ['another challenge', {}, { ...OPTIONS, challenge: other }, 'PASSKEY_CHALLENGE_MISMATCH'],
    ['another site', { origin: 'https://web.whatsapp.com.example' }, OPTIONS, 'PASSKEY_ORIGIN_MISMATCH'],
    ['no port of another', { origin: 'https://web.whatsapp.com:444' }, OPTIONS, 'PASSKEY_ORIGIN_MISMATCH'],
    ['a passkey of another site', { rpId: 'example.com' }, OPTIONS, 'PASSKEY_RP_MISMATCH'],
    ['nobody verified', { userVerified: false }, OPTIONS, 'PASSKEY_USER_NOT_VERIFIED'],
  ] as const)('%s', async (_what, signing, options, code) => {
    await asked();
    expect(await call('POST', '', passkey.sign(options, signing))).toMatchObject({
      status: 422,
      body: { error_code: code },
    });
    expect(session.passkeyAnswers).toEqual([]);
    expect((await status()).passkey).toMatchObject({ step: 'required' });
    expect((await call('POST', '', passkey.sign(OPTIONS))).status).toBe(200);
  });

  test('another passkey than those that WhatsApp lists', async () => {
    const listed = { ...OPTIONS, allowCredentials: [{ id: other, type: 'public-key' }] };
    await asked(listed);
    expect((await call('POST', '', passkey.sign(listed))).body.error_code).toBe(
      'PASSKEY_CREDENTIAL_MISMATCH',
    );
    await asked({ ...listed, allowCredentials: [{ id: passkey.credential.id }] });
    expect((await call('POST', '', passkey.sign(listed))).status).toBe(200);
  });

  test.each([
    ['id', (body: Assertion) => ({ ...body, id: 'not base64url!' })],
    ['rawId', (body: Assertion) => ({ ...body, rawId: other })],
    ['type', (body: Assertion) => ({ ...body, type: 'password' })],
    ['response', (body: Assertion) => ({ ...body, response: null })],
    ['response.clientDataJSON', (body: Assertion) => withResponse(body, { clientDataJSON: other })],
    ['response.clientDataJSON', (body: Assertion) => withResponse(body, { clientDataJSON: 'W10' })],
    ['response.clientDataJSON', () => passkey.sign(OPTIONS, { type: 'webauthn.create' })],
    ['response.authenticatorData', (body: Assertion) => withResponse(body, { authenticatorData: other })],
    ['response.signature', (body: Assertion) => withResponse(body, { signature: '+++' })],
    ['response.signature', (body: Assertion) => withResponse(body, { signature: 'A'.repeat(100_000) })],
    ['clientExtensionResults', (body: Assertion) => ({ ...body, clientExtensionResults: wide(20_000) })],
    ['response.userHandle', (body: Assertion) => withResponse(body, { userHandle: '{}' })],
  ] as const)('a body whose %s is hostile is 400 and names it', async (field, spoil) => {
    await asked();
    const answer = await call('POST', '', spoil(passkey.sign(OPTIONS)));
    expect(answer).toMatchObject({ status: 400, body: { validation: [{ field }] } });
    expect(session.passkeyAnswers).toEqual([]);
  });
});

const wide = (length: number) => ({ a: 'a'.repeat(length) });

type Assertion = ReturnType<SoftwareAuthenticator['sign']>;

function withResponse(body: Assertion, change: object): object {
  return { ...body, response: { ...body.response, ...change } };
}

describe('what WhatsApp refuses', () => {
  test('may be signed again, in the time that was left', async () => {
    await asked();
    session.passkeyError = new RequestRefused(403, 'forbidden');
    world.clock.advance(MINUTE);
    expect(await call('POST', '', passkey.sign(OPTIONS))).toMatchObject({
      status: 422,
      body: { error_code: 'PASSKEY_REFUSED', whatsapp_code: 403 },
    });
    expect((await status()).passkey).toMatchObject({ step: 'required', ttl: 540 });
    session.passkeyError = null;
    expect((await call('POST', '', passkey.sign(OPTIONS))).status).toBe(200);
  });

  test.each([
    [new RequestRefused(500, 'internal'), 502, 'WHATSAPP_ERROR'],
    [new RequestRefused(429, 'too many'), 429, 'RATE_LIMITED'],
    [new SessionTimeout('no answer'), 504, 'WHATSAPP_TIMEOUT'],
  ])('%s is told as what it is', async (error, code, errorCode) => {
    await asked();
    session.passkeyError = error;
    expect(await call('POST', '', passkey.sign(OPTIONS))).toMatchObject({
      status: code,
      body: { error_code: errorCode },
    });
    expect((await status()).passkey).toMatchObject({ step: 'required' });
  });
});

describe('a code that somebody has to compare', () => {
  beforeEach(async () => {
    await asked();
    expect((await call('POST', '/confirm')).body.error_code).toBe('PASSKEY_NO_CODE');
    await call('POST', '', passkey.sign(OPTIONS));
    await session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: true });
  });

  test('is shown, and nothing goes on before it was confirmed; twice is no error', async () => {
    expect(await status()).toMatchObject({
      state_reason: 'passkey_confirm',
      passkey: { step: 'confirm', code: 'K7M2-9QXZ', code_required: true, ttl: 300 },
    });
    expect(session.passkeyConfirms).toBe(0);
    expect((await call('POST', '/confirm')).body.data.passkey).toMatchObject({ step: 'linking' });
    expect((await call('POST', '/confirm')).status).toBe(200);
    expect(session.passkeyConfirms).toBe(1);
  });

  test('that the phone refuses ends the linking', async () => {
    session.passkeyError = new RequestRefused(403, 'forbidden');
    expect(await call('POST', '/confirm')).toMatchObject({
      status: 422,
      body: { error_code: 'PASSKEY_REFUSED_BY_PHONE' },
    });
    expect(await status()).toMatchObject({
      status: 'disconnected',
      state_reason: 'passkey_refused',
      passkey: null,
    });
    expect(world.network.live).toEqual([]);
  });
});

describe('a passkey step that comes to nothing', () => {
  test('is over when its time is, and says so to a late answer', async () => {
    await asked();
    world.clock.advance(10 * MINUTE);
    await world.until('disconnected:passkey_expired');
    expect(await call('POST', '', passkey.sign(OPTIONS))).toMatchObject({
      status: 410,
      body: { error_code: 'PASSKEY_EXPIRED' },
    });
    expect(await status()).toMatchObject({ reason: 'never_linked', passkey: null });
    expect(world.network.live).toEqual([]);
    expect((await api.askQr(caller, `/qr?device_id=${id}`, '2@again')).status).toBe(200);
  });

  test('may be given up', async () => {
    await asked();
    expect((await call('DELETE')).status).toBe(200);
    expect(await status()).toMatchObject({ status: 'disconnected', state_reason: 'passkey_given_up' });
    expect(await call('DELETE')).toMatchObject({ status: 409 });
    expect(world.network.live).toEqual([]);
  });

  test('given up while the phone takes the device in, it is linked to nobody', async () => {
    await asked();
    await call('POST', '', passkey.sign(OPTIONS));
    await session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: false });
    expect((await status()).passkey).toMatchObject({ step: 'linking' });
    expect((await call('DELETE')).status).toBe(200);
    // Whoever completes a linking is told that it is unwanted before the phone hears of a device.
    const paired = session.report({
      type: 'paired',
      jid: '5511999999999@s.whatsapp.net',
      lid: null,
      platform: null,
    });
    await expect(paired).rejects.toThrow('given up');
    expect(await status()).toMatchObject({ is_logged_in: false, state_reason: 'passkey_given_up' });
  });

  test.each([
    [true, 'passkey_refused'],
    [false, 'passkey_failed'],
  ])('refused %s: the session reports it', async (refused, reason) => {
    await asked();
    await session.report({ type: 'passkey_failed', refused, detail: 'the phone sent no key' });
    await world.until(`disconnected:${reason}`);
    expect(world.network.live).toEqual([]);
  });

  test('ends with the connection', async () => {
    await asked();
    await session.close('connection_lost', 428);
    expect(await status()).toMatchObject({ state_reason: 'connection_lost', passkey: null });
  });

  test('ends with the process: the next one finds the device ready to be linked anew', async () => {
    await asked();
    world.restart();
    await world.devices.start();
    const device = await world.devices.resolve(caller, id);
    expect(device).toMatchObject({ state: 'disconnected', stateReason: 'gateway_stopped' });
    expect(world.devices.currentPasskey(device)).toBeNull();
  });
});

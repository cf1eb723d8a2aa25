/** The page that helps with the passkey step, as a browser asks it, with a session that reports what it is told to. */

import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/tenancy/caller.ts';
import { RequestRefused } from '../../src/whatsapp/port/errors.ts';
import type { PasskeyRequestOptions } from '../../src/whatsapp/port/passkey.ts';
import { SoftwareAuthenticator } from '../worlds/authenticator.ts';
import { InstancesApi } from './instances-api.ts';
import type { ScriptedSession } from './scripted-session.ts';

const PUBLIC_URL = 'https://gateway.example/wuts';
const ORIGIN = 'https://gateway.example';
/** The page's words, from plain JavaScript. */
const TEXTS_FILE = new URL('../../pages/passkey/texts.js', import.meta.url).href;
const MINUTE = 60_000;
const OPTIONS: PasskeyRequestOptions = {
  challenge: 'FC6vcJgP-Ov_66yfWgoh1w8m_trR92BnFDhg-e5JEwk',
  timeout: 10 * MINUTE,
  rpId: 'whatsapp.com',
  allowCredentials: [],
  userVerification: 'required',
  extensions: { uvm: true },
};

let api: InstancesApi;
let caller: Caller;
let id: string;
let session: ScriptedSession;
let passkey: SoftwareAuthenticator;

beforeEach(async () => {
  api = await InstancesApi.create({ publicUrl: PUBLIC_URL });
  caller = await api.user();
  id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
  session = await api.world.network.started(0);
  passkey = new SoftwareAuthenticator();
});
afterEach(() => api.destroy());

const asked = (options = OPTIONS) => session.report({ type: 'passkey_required', options });

/** Where a new link leads, and the token in it. */
async function newLink(): Promise<{ url: string; token: string }> {
  const { status, body } = await api.call(caller, 'GET', `/devices/${id}/passkey/link`);
  expect(status).toBe(200);
  const url = body.data.url as string;
  return { url, token: new URL(url).hash.slice(1) };
}

const OWN = { origin: ORIGIN, 'sec-fetch-site': 'same-origin' };

/** A browser with its cookies, on our page unless its headers say otherwise. */
class Browser {
  readonly cookies = new Map<string, string>();

  async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    payload?: object,
    headers: Record<string, string> = OWN,
  ) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const options: InjectOptions = {
      method,
      url: `/passkey/${path}`,
      headers: { ...headers, ...(cookie && { cookie }) },
      ...(payload && { payload }),
    };
    const answer = await api.browser(options);
    const { 'set-cookie': set } = answer.headers;
    const [name, value] = typeof set === 'string' ? (set.split(';')[0] ?? '').split('=') : [];
    if (name && value) this.cookies.set(name, value);
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  }

  async open(token: string): Promise<string> {
    const { status, body } = await this.ask('POST', 'open', { token });
    expect(status).toBe(200);
    return body.data.link;
  }
}

const UNKNOWN = { status: 404, body: { error_code: 'PASSKEY_LINK_UNKNOWN' } };

describe('a link', () => {
  test('needs a passkey step', async () => {
    expect(await api.call(caller, 'GET', `/devices/${id}/passkey/link`)).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_NOT_REQUESTED' },
    });
  });

  test('leads to the page, by a token that no server sees, for as long as the step', async () => {
    await asked();
    const { body } = await api.call(caller, 'GET', `/devices/${id}/passkey/link`);
    expect(body.data).toMatchObject({
      device_id: id,
      url: expect.stringMatching(/^https:\/\/gateway\.example\/wuts\/passkey\/#[\w-]{43}$/),
      expires_at: new Date(api.world.clock.now() + 10 * MINUTE).toISOString(),
    });
  });

  test('is not given to another tenant', async () => {
    await asked();
    const stranger = await api.user();
    expect(await api.call(stranger, 'GET', `/devices/${id}/passkey/link`)).toMatchObject({
      status: 404,
      body: { error_code: 'DEVICE_NOT_FOUND' },
    });
  });

  test('leads to the host of the request where the public address is not set', async () => {
    await api.destroy();
    api = await InstancesApi.create();
    caller = await api.user();
    id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
    session = await api.world.network.started(0);
    await asked();
    const link = (host: string) =>
      api.call(caller, 'GET', `/devices/${id}/passkey/link`, undefined, { host });
    expect((await link('192.168.0.7:3000')).body.data.url).toMatch(
      /^http:\/\/192\.168\.0\.7:3000\/passkey\/#/,
    );
    expect(await link('evil.example/passkey/#x')).toMatchObject({ status: 400 });
  });
});

describe('a browser that starts with a link', () => {
  test('sees what has to be signed, and nothing of the device, its owner or the account', async () => {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const link = await browser.open(token);
    const { body } = await browser.ask('GET', `links/${link}`);
    expect(body.data).toEqual({
      link,
      state: expect.stringMatching(/^[\w-]{43}$/),
      step: 'required',
      ttl: 600,
      code: null,
      request_options: OPTIONS,
      reason: null,
    });
    const told = JSON.stringify(body);
    for (const secret of [id, caller.userId, caller.tenantId, token, ...browser.cookies.values()]) {
      expect(told).not.toContain(secret);
    }
  });

  test('gets a cookie that no script, other site or neighbouring host has to do with', async () => {
    await asked();
    const { token } = await newLink();
    const { headers } = await new Browser().ask('POST', 'open', { token });
    expect(headers['set-cookie']).toMatch(
      /^__Host-wuts-passkey-[\da-f]{16}=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  test('may start again; another one may not, until there is a new link', async () => {
    await asked();
    const { token } = await newLink();
    const [first, second] = [new Browser(), new Browser()];
    const link = await first.open(token);
    const [cookie] = first.cookies.values();
    expect(await first.open(token)).toBe(link);
    expect([...first.cookies.values()]).toEqual([cookie]);
    expect(await second.ask('POST', 'open', { token })).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_LINK_USED' },
    });
    expect(await second.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
    const renewed = await newLink();
    expect(await first.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
    expect(await first.ask('POST', 'open', { token })).toMatchObject(UNKNOWN);
    await second.open(renewed.token);
  });

  test('of two at the same moment, one has it', async () => {
    await asked();
    const { token } = await newLink();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => new Browser().ask('POST', 'open', { token })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });

  test('with a guessed link or cookie gets nowhere', async () => {
    await asked();
    const { token } = await newLink();
    const guess = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    for (const wrong of [guess, token.toLowerCase(), '', 'x'.repeat(64)]) {
      expect(await new Browser().ask('POST', 'open', { token: wrong })).toMatchObject(UNKNOWN);
    }
    const browser = new Browser();
    const link = await browser.open(token);
    for (const name of browser.cookies.keys()) browser.cookies.set(name, guess);
    expect(await browser.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
  });

  test('has a token of the API for nothing here, and the cookie for nothing there', async () => {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const link = await browser.open(token);
    const authorization = `Bearer ${caller.userId}`;
    const headers = { ...OWN, authorization };
    expect(await browser.ask('DELETE', `links/${link}`, undefined, headers)).toMatchObject(UNKNOWN);
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    const { statusCode } = await api.browser({ method: 'GET', url: '/devices', headers: { cookie } });
    expect(statusCode).toBe(401);
  });
});

describe('what is asked by another page', () => {
  const FOREIGN: [string, Record<string, string>][] = [
    ['of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['of the same domain', { origin: 'https://other.gateway.example', 'sec-fetch-site': 'same-site' }],
    ['that says another origin alone', { origin: 'https://evil.example' }],
    ['in a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['over plain http', { origin: 'http://gateway.example' }],
    ['of another port', { origin: 'https://gateway.example:8443', 'sec-fetch-site': 'same-site' }],
    ['by no page at all', {}],
  ];

  test.each(FOREIGN)('%s changes nothing', async (_what, headers) => {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const refused = { status: 403, body: { error_code: 'ORIGIN_REFUSED' } };
    expect(await browser.ask('POST', 'open', { token }, headers)).toMatchObject(refused);
    const link = await browser.open(token);
    const { body } = await browser.ask('GET', `links/${link}`);
    const answer = { state: body.data.state, credential: passkey.sign(OPTIONS) };
    expect(await browser.ask('POST', `links/${link}/assertion`, answer, headers)).toMatchObject(refused);
    expect(await browser.ask('POST', `links/${link}/confirm`, undefined, headers)).toMatchObject(refused);
    expect(await browser.ask('DELETE', `links/${link}`, undefined, headers)).toMatchObject(refused);
    expect(session.passkeyAnswers).toEqual([]);
    expect((await browser.ask('GET', `links/${link}`)).body.data.step).toBe('required');
  });

  test('cannot be read either', async () => {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const link = await browser.open(token);
    const read = (headers: Record<string, string>) => browser.ask('GET', `links/${link}`, undefined, headers);
    expect(await read({ 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 });
    expect(await read({ 'sec-fetch-site': 'none' })).toMatchObject({ status: 403 });
    expect(await read({ origin: 'https://evil.example' })).toMatchObject({ status: 403 });
    const { headers } = await read(OWN);
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['cache-control']).toBe('no-store');
  });
});

describe('an answer', () => {
  async function started() {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const link = await browser.open(token);
    const view = async () => (await browser.ask('GET', `links/${link}`)).body.data;
    const { state } = await view();
    const handIn = (answer: object) =>
      browser.ask('POST', `links/${link}/assertion`, { state, credential: passkey.sign(OPTIONS), ...answer });
    return { browser, link, view, state, handIn };
  }

  test('is handed in, and the page follows it to the end', async () => {
    const { handIn, view } = await started();
    expect((await handIn({})).status).toBe(200);
    expect(session.passkeyAnswers).toHaveLength(1);
    expect(await view()).toMatchObject({ step: 'verifying', request_options: null });
    await session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: false });
    expect(await view()).toMatchObject({ step: 'linking', code: 'K7M2-9QXZ' });
    await session.pairWith('5511999990001');
    await (await api.world.network.started(1)).open('5511999990001');
    expect(await view()).toMatchObject({ step: 'linked', code: null, request_options: null, reason: null });
  });

  test('of another linking is refused, though it is right', async () => {
    const { handIn, view } = await started();
    for (const state of ['', 'x'.repeat(43)]) {
      expect(await handIn({ state })).toMatchObject({
        status: 409,
        body: { error_code: 'PASSKEY_STATE_MISMATCH' },
      });
    }
    expect(session.passkeyAnswers).toEqual([]);
    expect(await view()).toMatchObject({ step: 'required' });
  });

  test('to a challenge of somebody else is refused', async () => {
    const { handIn } = await started();
    const theirs = { ...OPTIONS, challenge: Buffer.alloc(32, 1).toString('base64url') };
    expect(await handIn({ credential: passkey.sign(theirs) })).toMatchObject({
      body: { error_code: 'PASSKEY_CHALLENGE_MISMATCH' },
    });
    expect(session.passkeyAnswers).toEqual([]);
  });

  test('is taken once', async () => {
    const { handIn } = await started();
    await handIn({});
    expect(await handIn({})).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_ALREADY_ANSWERED' },
    });
    expect(session.passkeyAnswers).toHaveLength(1);
  });

  test('that WhatsApp refuses may be given again', async () => {
    const { handIn, view } = await started();
    session.passkeyError = new RequestRefused(403, 'no');
    expect((await handIn({})).body.error_code).toBe('PASSKEY_REFUSED');
    expect(await view()).toMatchObject({ step: 'required' });
  });

  test('is followed by a code to compare', async () => {
    const { browser, link, handIn, view } = await started();
    await handIn({});
    await session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: true });
    expect(await view()).toMatchObject({ step: 'confirm', code: 'K7M2-9QXZ' });
    expect((await browser.ask('POST', `links/${link}/confirm`)).status).toBe(200);
    expect(session.passkeyConfirms).toBe(1);
  });

  test('whose code differs ends the linking', async () => {
    const { browser, link, handIn, view } = await started();
    await handIn({});
    await session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: true });
    expect((await browser.ask('DELETE', `links/${link}`)).status).toBe(200);
    expect(session.passkeyConfirms).toBe(0);
    expect(await view()).toMatchObject({ step: 'over', reason: 'passkey_given_up' });
    expect(await browser.ask('POST', `links/${link}/confirm`)).toMatchObject(UNKNOWN);
  });

  test('of unreasonable size is refused before it is read', async () => {
    const { handIn } = await started();
    expect((await handIn({ more: 'x'.repeat(70_000) })).status).toBe(413);
  });
});

describe('the end of a link', () => {
  test('is the end of its step, whatever the device waits for later', async () => {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const link = await browser.open(token);
    api.world.clock.advance(10 * MINUTE);
    await api.world.until('disconnected:passkey_expired');
    const view = async () => (await browser.ask('GET', `links/${link}`)).body.data;
    expect(await view()).toMatchObject({ step: 'over', reason: 'passkey_expired', request_options: null });
    // A second linking of the device, with the challenge of the first.
    const next = api.world.network.sessions.length;
    await api.askQr(caller, `/qr?device_id=${id}`, '2@second');
    session = await api.world.network.started(next);
    await asked();
    expect(await view()).toMatchObject({ step: 'over', request_options: null });
    expect(await browser.ask('DELETE', `links/${link}`)).toMatchObject(UNKNOWN);
    api.world.clock.advance(10 * MINUTE);
    expect(await browser.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
  });

  test('of one that nobody has opened is no result to look at', async () => {
    await asked();
    const { token } = await newLink();
    await api.call(caller, 'DELETE', `/devices/${id}/passkey`);
    expect(await new Browser().ask('POST', 'open', { token })).toMatchObject(UNKNOWN);
  });

  test('comes with a challenge that takes the place of its own', async () => {
    await asked();
    const { token } = await newLink();
    await asked({ ...OPTIONS, challenge: 'bmV3IGNoYWxsZW5nZSBvZiB0aGlzIGRldmljZQ' });
    expect(await new Browser().ask('POST', 'open', { token })).toMatchObject(UNKNOWN);
  });

  test('comes with the rights of the user who asked for it', async () => {
    await asked();
    const { token } = await newLink();
    const browser = new Browser();
    const link = await browser.open(token);
    await api.world.db.updateTable('users').set({ active: 0 }).where('id', '=', caller.userId).execute();
    expect(await browser.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
  });
});

describe('the files of the page', () => {
  test('come with a policy that lets nothing in from elsewhere, and no frame around', async () => {
    for (const path of ['', 'page.js', 'page.css', 'texts.js', 'show.js', 'base64url.js', 'snippet.js']) {
      const { statusCode, headers } = await api.browser({ method: 'GET', url: `/passkey/${path}` });
      expect([path, statusCode]).toEqual([path, 200]);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
      });
    }
  });

  test('have no script, style or address in the page itself, and a text for each place', async () => {
    const { TEXTS } = await import(TEXTS_FILE);
    const { body } = await api.browser({ method: 'GET', url: '/passkey/' });
    expect(body).not.toMatch(/<style|\son\w+=|style=|javascript:/i);
    expect(body.match(/<script[^>]*>/g)).toEqual(['<script type="module" src="page.js">']);
    for (const [, path = ''] of body.matchAll(/data-text="([\w.]+)"/g)) {
      const text = path
        .split('.')
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], TEXTS);
      expect([path, typeof text]).toEqual([path, 'string']);
    }
  });

  test('are found without the slash too', async () => {
    const { statusCode, headers } = await api.browser({ method: 'GET', url: '/passkey' });
    expect([statusCode, headers.location]).toEqual([308, 'passkey/']);
  });
});

test('whatever is sent to the page, its answer is one of ours, and nothing is handed in', async () => {
  await asked();
  const { token } = await newLink();
  const browser = new Browser();
  const link = await browser.open(token);
  const { state } = (await browser.ask('GET', `links/${link}`)).body.data;
  const credential = passkey.sign(OPTIONS);
  const anything = fc.oneof(fc.jsonValue(), fc.string(), fc.constantFrom(token, link, state));
  const nearly = fc.record(
    {
      token: anything,
      state: fc.oneof(fc.constant(state), anything),
      credential: fc.oneof(
        anything,
        anything.map((response) => ({ ...credential, response })),
      ),
    },
    { requiredKeys: [] },
  );
  const path = fc.oneof(
    fc.constantFrom('open', `links/${link}/assertion`, `links/${link}`),
    fc.string().map((text) => `links/${encodeURIComponent(text)}/assertion`),
  );
  await fc.assert(
    fc.asyncProperty(path, fc.oneof(nearly, fc.object()), async (to, body) => {
      const { status, body: answer } = await new Browser().ask('POST', to, body);
      const { status: own } = await browser.ask('POST', to, body);
      expect([status, own].every((each) => each < 500)).toBe(true);
      expect(typeof answer.success).toBe('boolean');
    }),
    { numRuns: 150 },
  );
  expect(session.passkeyAnswers).toEqual([]);
});

test('the log has neither link nor cookie, challenge, state nor answer', async () => {
  await asked();
  const { token } = await newLink();
  const browser = new Browser();
  const link = await browser.open(token);
  const { state } = (await browser.ask('GET', `links/${link}`)).body.data;
  const credential = passkey.sign(OPTIONS);
  await browser.ask('POST', `links/${link}/assertion`, { state: 'of another', credential });
  await browser.ask('POST', `links/${link}/assertion`, { state, credential });
  const log = api.world.logLines.join('');
  expect(log).toContain('/passkey/links/:link/assertion');
  for (const secret of [
    token,
    ...browser.cookies.values(),
    OPTIONS.challenge,
    state,
    credential.response.signature,
  ]) {
    expect(log).not.toContain(secret);
  }
});

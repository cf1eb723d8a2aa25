/** The passkey step as the browser goes through it that a link is for, and others that it is not for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RequestRefused } from '../../src/whatsapp/port/errors.ts';
import { MINUTE, OPTIONS, OWN, PasskeyPage, UNKNOWN } from './passkey-page-world.ts';

let page: PasskeyPage;
beforeEach(async () => {
  page = await PasskeyPage.open();
});
afterEach(() => page.close());

describe('a browser that starts with a link', () => {
  test('sees what has to be signed, and nothing of the device, its owner or the account', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
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
    for (const secret of [
      page.id,
      page.caller.userId,
      page.caller.tenantId,
      token,
      ...browser.cookies.values(),
    ]) {
      expect(told).not.toContain(secret);
    }
  });

  test('gets a cookie that no script, other site or neighbouring host has to do with', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const { headers } = await page.browser().ask('POST', 'open', { token });
    expect(headers['set-cookie']).toMatch(
      /^__Host-wuts-passkey-[\da-f]{16}=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  test('may start again; another one may not, until there is a new link', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const [first, second] = [page.browser(), page.browser()];
    const link = await first.open(token);
    const [cookie] = first.cookies.values();
    expect(await first.open(token)).toBe(link);
    expect([...first.cookies.values()]).toEqual([cookie]);
    expect(await second.ask('POST', 'open', { token })).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_LINK_USED' },
    });
    expect(await second.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
    const renewed = await page.newLink();
    expect(await first.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
    expect(await first.ask('POST', 'open', { token })).toMatchObject(UNKNOWN);
    await second.open(renewed.token);
  });

  test('of two at the same moment, one has it', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => page.browser().ask('POST', 'open', { token })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });

  test('with a guessed link or cookie gets nowhere', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const guess = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    for (const wrong of [guess, token.toLowerCase(), '', 'x'.repeat(64)]) {
      expect(await page.browser().ask('POST', 'open', { token: wrong })).toMatchObject(UNKNOWN);
    }
    const browser = page.browser();
    const link = await browser.open(token);
    for (const name of browser.cookies.keys()) browser.cookies.set(name, guess);
    expect(await browser.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
  });

  test('has a token of the API for nothing here, and the cookie for nothing there', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
    const link = await browser.open(token);
    const authorization = `Bearer ${page.caller.userId}`;
    const headers = { ...OWN, authorization };
    expect(await browser.ask('DELETE', `links/${link}`, undefined, headers)).toMatchObject(UNKNOWN);
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    const { statusCode } = await page.api.browser({ method: 'GET', url: '/devices', headers: { cookie } });
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
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
    const refused = { status: 403, body: { error_code: 'ORIGIN_REFUSED' } };
    expect(await browser.ask('POST', 'open', { token }, headers)).toMatchObject(refused);
    const link = await browser.open(token);
    const { body } = await browser.ask('GET', `links/${link}`);
    const answer = { state: body.data.state, credential: page.passkey.sign(OPTIONS) };
    expect(await browser.ask('POST', `links/${link}/assertion`, answer, headers)).toMatchObject(refused);
    expect(await browser.ask('POST', `links/${link}/confirm`, undefined, headers)).toMatchObject(refused);
    expect(await browser.ask('DELETE', `links/${link}`, undefined, headers)).toMatchObject(refused);
    expect(page.session.passkeyAnswers).toEqual([]);
    expect((await browser.ask('GET', `links/${link}`)).body.data.step).toBe('required');
  });

  test('cannot be read either', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
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
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
    const link = await browser.open(token);
    const view = async () => (await browser.ask('GET', `links/${link}`)).body.data;
    const { state } = await view();
    const handIn = (answer: object) =>
      browser.ask('POST', `links/${link}/assertion`, {
        state,
        credential: page.passkey.sign(OPTIONS),
        ...answer,
      });
    return { browser, link, view, state, handIn };
  }

  test('is handed in, and the page follows it to the end', async () => {
    const { handIn, view } = await started();
    expect((await handIn({})).status).toBe(200);
    expect(page.session.passkeyAnswers).toHaveLength(1);
    expect(await view()).toMatchObject({ step: 'verifying', request_options: null });
    await page.session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: false });
    expect(await view()).toMatchObject({ step: 'linking', code: 'K7M2-9QXZ' });
    await page.session.pairWith('5511999990001');
    await (await page.api.world.network.started(1)).open('5511999990001');
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
    expect(page.session.passkeyAnswers).toEqual([]);
    expect(await view()).toMatchObject({ step: 'required' });
  });

  test('to a challenge of somebody else is refused', async () => {
    const { handIn } = await started();
    const theirs = { ...OPTIONS, challenge: Buffer.alloc(32, 1).toString('base64url') };
    expect(await handIn({ credential: page.passkey.sign(theirs) })).toMatchObject({
      body: { error_code: 'PASSKEY_CHALLENGE_MISMATCH' },
    });
    expect(page.session.passkeyAnswers).toEqual([]);
  });

  test('is taken once', async () => {
    const { handIn } = await started();
    await handIn({});
    expect(await handIn({})).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_ALREADY_ANSWERED' },
    });
    expect(page.session.passkeyAnswers).toHaveLength(1);
  });

  test('that WhatsApp refuses may be given again', async () => {
    const { handIn, view } = await started();
    page.session.passkeyError = new RequestRefused(403, 'no');
    expect((await handIn({})).body.error_code).toBe('PASSKEY_REFUSED');
    expect(await view()).toMatchObject({ step: 'required' });
  });

  test('is followed by a code to compare', async () => {
    const { browser, link, handIn, view } = await started();
    await handIn({});
    await page.session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: true });
    expect(await view()).toMatchObject({ step: 'confirm', code: 'K7M2-9QXZ' });
    expect((await browser.ask('POST', `links/${link}/confirm`)).status).toBe(200);
    expect(page.session.passkeyConfirms).toBe(1);
  });

  test('whose code differs ends the linking', async () => {
    const { browser, link, handIn, view } = await started();
    await handIn({});
    await page.session.report({ type: 'passkey_code', code: 'K7M2-9QXZ', codeRequired: true });
    expect((await browser.ask('DELETE', `links/${link}`)).status).toBe(200);
    expect(page.session.passkeyConfirms).toBe(0);
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
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
    const link = await browser.open(token);
    page.api.world.clock.advance(10 * MINUTE);
    await page.api.world.until('disconnected:passkey_expired');
    const view = async () => (await browser.ask('GET', `links/${link}`)).body.data;
    expect(await view()).toMatchObject({ step: 'over', reason: 'passkey_expired', request_options: null });
    // A second linking of the device, with the challenge of the first.
    const next = page.api.world.network.sessions.length;
    await page.api.askQr(page.caller, `/qr?device_id=${page.id}`, '2@second');
    page.session = await page.api.world.network.started(next);
    await page.asked();
    expect(await view()).toMatchObject({ step: 'over', request_options: null });
    expect(await browser.ask('DELETE', `links/${link}`)).toMatchObject(UNKNOWN);
    page.api.world.clock.advance(10 * MINUTE);
    expect(await browser.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
  });

  test('of one that nobody has opened is no result to look at', async () => {
    await page.asked();
    const { token } = await page.newLink();
    await page.api.call(page.caller, 'DELETE', `/devices/${page.id}/passkey`);
    expect(await page.browser().ask('POST', 'open', { token })).toMatchObject(UNKNOWN);
  });

  test('comes with a challenge that takes the place of its own', async () => {
    await page.asked();
    const { token } = await page.newLink();
    await page.asked({ ...OPTIONS, challenge: 'bmV3IGNoYWxsZW5nZSBvZiB0aGlzIGRldmljZQ' });
    expect(await page.browser().ask('POST', 'open', { token })).toMatchObject(UNKNOWN);
  });

  test('comes with the rights of the user who asked for it', async () => {
    await page.asked();
    const { token } = await page.newLink();
    const browser = page.browser();
    const link = await browser.open(token);
    await page.api.world.db
      .updateTable('users')
      .set({ active: 0 })
      .where('id', '=', page.caller.userId)
      .execute();
    expect(await browser.ask('GET', `links/${link}`)).toMatchObject(UNKNOWN);
  });
});

/** Links to the passkey page, its files, and what is thrown at it. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { MINUTE, OPTIONS, PasskeyPage } from './passkey-page-world.ts';

/** The page's words, from plain JavaScript. */
const TEXTS_FILE = new URL('../../pages/passkey/texts.js', import.meta.url).href;

let page: PasskeyPage;
beforeEach(async () => {
  page = await PasskeyPage.open();
});
afterEach(() => page.close());

describe('a link', () => {
  test('needs a passkey step', async () => {
    expect(await page.api.call(page.caller, 'GET', `/devices/${page.id}/passkey/link`)).toMatchObject({
      status: 409,
      body: { error_code: 'PASSKEY_NOT_REQUESTED' },
    });
  });

  test('leads to the page, by a token that no server sees, for as long as the step', async () => {
    await page.asked();
    const { body } = await page.api.call(page.caller, 'GET', `/devices/${page.id}/passkey/link`);
    expect(body.data).toMatchObject({
      device_id: page.id,
      url: expect.stringMatching(/^https:\/\/gateway\.example\/wuts\/passkey\/#[\w-]{43}$/),
      expires_at: new Date(page.api.world.clock.now() + 10 * MINUTE).toISOString(),
    });
  });

  test('is not given to another tenant', async () => {
    await page.asked();
    const stranger = await page.api.user();
    expect(await page.api.call(stranger, 'GET', `/devices/${page.id}/passkey/link`)).toMatchObject({
      status: 404,
      body: { error_code: 'DEVICE_NOT_FOUND' },
    });
  });

  test('leads to the host of the request where the public address is not set', async () => {
    await page.close();
    page = await PasskeyPage.open({});
    await page.asked();
    const link = (host: string) =>
      page.api.call(page.caller, 'GET', `/devices/${page.id}/passkey/link`, undefined, { host });
    expect((await link('192.168.0.7:3000')).body.data.url).toMatch(
      /^http:\/\/192\.168\.0\.7:3000\/passkey\/#/,
    );
    expect(await link('evil.example/passkey/#x')).toMatchObject({ status: 400 });
  });
});

describe('the files of the page', () => {
  test('come with a policy that lets nothing in from elsewhere, and no frame around', async () => {
    for (const path of ['', 'page.js', 'page.css', 'texts.js', 'show.js', 'base64url.js', 'snippet.js']) {
      const { statusCode, headers } = await page.api.browser({ method: 'GET', url: `/passkey/${path}` });
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
    const { body } = await page.api.browser({ method: 'GET', url: '/passkey/' });
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
    const { statusCode, headers } = await page.api.browser({ method: 'GET', url: '/passkey' });
    expect([statusCode, headers.location]).toEqual([308, 'passkey/']);
  });
});

test('whatever is sent to the page, its answer is one of ours, and nothing is handed in', async () => {
  await page.asked();
  const { token } = await page.newLink();
  const browser = page.browser();
  const link = await browser.open(token);
  const { state } = (await browser.ask('GET', `links/${link}`)).body.data;
  const credential = page.passkey.sign(OPTIONS);
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
      const { status, body: answer } = await page.browser().ask('POST', to, body);
      const { status: own } = await browser.ask('POST', to, body);
      expect([status, own].every((each) => each < 500)).toBe(true);
      expect(typeof answer.success).toBe('boolean');
    }),
    { numRuns: 150 },
  );
  expect(page.session.passkeyAnswers).toEqual([]);
});

test('the log has neither link nor cookie, challenge, state nor answer', async () => {
  await page.asked();
  const { token } = await page.newLink();
  const browser = page.browser();
  const link = await browser.open(token);
  const { state } = (await browser.ask('GET', `links/${link}`)).body.data;
  const credential = page.passkey.sign(OPTIONS);
  await browser.ask('POST', `links/${link}/assertion`, { state: 'of another', credential });
  await browser.ask('POST', `links/${link}/assertion`, { state, credential });
  const log = page.api.world.logLines.join('');
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

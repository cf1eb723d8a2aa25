import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chromium, type Passkey, type Tab } from './chromium.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const passkey: Passkey = {
  credentialId: Buffer.from('the credential id').toString('base64'),
  privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  userHandle: Buffer.from('the account').toString('base64'),
  signCount: 0,
};
const challenge = Buffer.alloc(32, 9).toString('base64url');

/** Does to a panel whatever a script of the page can do. */
const HOSTILE_WHATSAPP = `<!doctype html><title>WhatsApp</title><script>
  const roots = [];
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    const root = attach.call(this, { ...init, mode: 'open' });
    roots.push(root);
    return root;
  };
  navigator.credentials.get = () => Promise.reject(new Error('replaced by the page'));
  window.attack = () => {
    const hosts = [...document.querySelectorAll('*')];
    const inside = [...roots, ...hosts.map(({ shadowRoot }) => shadowRoot)].filter(Boolean);
    const all = [...hosts, ...inside.flatMap((root) => [...root.querySelectorAll('*')])];
    for (const each of all) {
      each.click?.();
      for (const type of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click']) {
        each.dispatchEvent(new MouseEvent(type, { bubbles: true, composed: true, clientX: 500, clientY: 490 }));
      }
      each.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
    }
    return inside.length;
  };
</script><h1>A page that is not ours</h1>`;

let chromium: Chromium;
let asking: Server;
let page: string;

beforeAll(async () => {
  asking = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>The page that asks</title>');
  });
  await new Promise<void>((resolve) => asking.listen(0, '127.0.0.1', resolve));
  page = `http://localhost:${(asking.address() as AddressInfo).port}/passkey/`;
  chromium = await Chromium.open({ extension: true, whatsapp: HOSTILE_WHATSAPP });
});

afterAll(async () => {
  await chromium?.close();
  asking.closeAllConnections();
  await new Promise((resolve) => asking.close(resolve));
});

const whatsapp = (changed: object = {}): string => {
  const options = { challenge, rpId: 'whatsapp.com', allowCredentials: [], userVerification: 'required' };
  const asked = { v: 1, page, link: 'link-of-8', state: 'state-of-the-page', options, ...changed };
  return `https://web.whatsapp.com/#wuts-passkey=${Buffer.from(JSON.stringify(asked)).toString('base64url')}`;
};

async function asked(changed: object = {}, withPasskey = true): Promise<Tab> {
  const tab = await chromium.tab(withPasskey ? passkey : undefined);
  await tab.page.goto(whatsapp(changed));
  await tab.until('the panel is there', () => tab.panel());
  return tab;
}

test('it shows who asks, signs for WhatsApp, and answers that page alone', async () => {
  const tab = await asked();
  expect(tab.page.url()).toBe('https://web.whatsapp.com/');
  expect(await tab.panel()).toContain(`\n${new URL(page).origin}\n`);
  await tab.press('Sign with my passkey');
  await tab.page.waitForURL((url) => url.href.startsWith(`${page}#wuts-answer=`));
  const text = new URL(tab.page.url()).hash.slice('#wuts-answer='.length);
  const { credential, ...rest } = JSON.parse(Buffer.from(text, 'base64url').toString());
  expect(rest).toEqual({ v: 1, link: 'link-of-8', state: 'state-of-the-page' });
  expect(credential).toMatchObject({ type: 'public-key', id: credential.rawId });
  expect(Buffer.from(credential.rawId, 'base64url').toString()).toBe('the credential id');
  const part = (name: string): Buffer => Buffer.from(credential.response[name], 'base64url');
  expect(JSON.parse(part('clientDataJSON').toString())).toMatchObject({
    type: 'webauthn.get',
    challenge,
    origin: 'https://web.whatsapp.com',
    crossOrigin: false,
  });
  expect(part('userHandle').toString()).toBe('the account');
  const signed = Buffer.concat([
    part('authenticatorData'),
    createHash('sha256').update(part('clientDataJSON')).digest(),
  ]);
  expect(verify('sha256', signed, publicKey, part('signature'))).toBe(true);
  // Back is the page that was before: not WhatsApp, which would ask again.
  await tab.page.goBack();
  expect(tab.page.url()).toBe('about:blank');
});

test('scripts of the page where it signs can press nothing', async () => {
  const tab = await asked();
  const button = await tab.pressable('Sign with my passkey');
  expect(await tab.page.evaluate('attack()')).toBe(0);
  // Even a script that had found its way into the closed root.
  await tab.pressByScript(button);
  expect(await tab.panel()).toContain('Sign with my passkey');
  expect(await tab.signed()).toBe(0);
  await tab.press('Sign with my passkey');
  await tab.until('it signs for a person', async () => (await tab.signed()) === 1);
});

test('who does not sign stays where they are', async () => {
  const tab = await asked();
  await tab.press('Do not sign');
  await tab.until('the panel is gone', async () => (await tab.panel()) === null);
  expect(tab.page.url()).toBe('https://web.whatsapp.com/');
  expect(await tab.signed()).toBe(0);
});

test('without the passkey nothing is signed, and one may try again', async () => {
  const tab = await asked({}, false);
  await tab.press('Sign with my passkey');
  await tab.until('it says so', async () => (await tab.panel())?.includes('Nothing was signed'));
  await tab.press('Try again');
  await tab.until('it asks again', async () => (await tab.panel())?.includes(new URL(page).origin));
});

test('a request that cannot be used is taken out of the address and explained', async () => {
  const tab = await asked({ page: 'https://gateway.example/elsewhere' });
  expect(await tab.panel()).toContain('is not a secure one');
  expect(await tab.panel()).not.toContain('Sign with my passkey');
  expect(tab.page.url()).toBe('https://web.whatsapp.com/');
});

test('a tab that is at WhatsApp already is asked too', async () => {
  const tab = await chromium.tab(passkey);
  await tab.page.goto('https://web.whatsapp.com/');
  expect(await tab.panel()).toBeNull();
  await tab.page.evaluate(`location.assign('${whatsapp()}')`);
  await tab.until('the panel is there', () => tab.panel());
  expect(tab.page.url()).toBe('https://web.whatsapp.com/');
});

test('in a frame of another page it does nothing', async () => {
  const tab = await chromium.tab(passkey);
  await tab.page.goto(page);
  await tab.page.evaluate(`new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = '${whatsapp()}';
    frame.addEventListener('load', () => resolve());
    document.body.append(frame);
  })`);
  const [frame] = tab.page.frames().filter((each) => each.url().startsWith('https://web.whatsapp.com/'));
  // Had the extension looked, the fragment would be gone.
  expect(frame?.url()).toContain('#wuts-passkey=');
  expect(await frame?.evaluate("document.querySelector('[popover]')")).toBeNull();
});

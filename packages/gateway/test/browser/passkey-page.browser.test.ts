/**
 * The page that helps with the passkey step, in a browser, behind TLS; the session reports what it is told to. Other
 * pages that try something are at evil.example.
 */

import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Chromium, type Tab } from '../../../passkey-extension/test/chromium.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { InstancesApi } from '../devices/instances-api.ts';
import { MINUTE, OPTIONS } from '../devices/passkey-page-world.ts';
import type { ScriptedSession } from '../devices/scripted-session.ts';
import { SoftwareAuthenticator } from '../worlds/authenticator.ts';
import { GATEWAY_NAME, PUBLIC_URL, tlsProxy } from './tls-proxy.ts';

const PAGE = `${PUBLIC_URL}/passkey/`;
const CODE = 'K7M2-9QXZ';
const FOREIGN = 'This answer belongs to another linking';

const proxy = tlsProxy(() => gatewayUrl);
/** The gateway is being started anew. */
let busy = false;

function tooBusy(response: ServerResponse): boolean {
  response.writeHead(503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ success: false, error_code: 'SHUTTING_DOWN' }));
  return true;
}

let chromium: Chromium;
let gatewayUrl = '';
let api: InstancesApi;
let caller: Caller;
let id: string;
let session: ScriptedSession;
let passkey: SoftwareAuthenticator;

beforeAll(async () => {
  chromium = await Chromium.open({
    extension: true,
    names: [GATEWAY_NAME, 'evil.example'],
    answer: (request, response) => (busy ? tooBusy(response) : proxy(request, response)),
  });
});
afterAll(() => chromium?.close());

beforeEach(async () => {
  api = await InstancesApi.create({ publicUrl: PUBLIC_URL });
  gatewayUrl = await api.listen();
  caller = await api.user();
  id = (await api.askQr(caller, '/qr', '2@first')).body.data.device_id as string;
  session = await api.world.network.started(0);
  passkey = new SoftwareAuthenticator();
  await session.report({ type: 'passkey_required', options: OPTIONS });
});
afterEach(async () => {
  await chromium.closeTabs();
  await api.destroy();
});

async function newLink(): Promise<string> {
  return (await api.call(caller, 'GET', `/devices/${id}/passkey/link`)).body.data.url as string;
}

/** A tab whose browser has started with a new link. */
async function started(): Promise<Tab> {
  const tab = await chromium.tab(passkey.exported);
  tab.page.on('console', (message) => {
    const refused = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !refused) problems.push(message.text());
  });
  await tab.page.goto(await newLink());
  await tab.page.getByRole('button', { name: 'Start in this browser' }).click();
  await tab.page.getByRole('heading', { name: 'Sign with your passkey' }).waitFor();
  return tab;
}
/** What the browser complained of, such as a policy that was not kept. */
const problems: string[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

const section = (tab: Tab, name: string) => tab.page.getByRole('heading', { name }).waitFor();
const problem = (tab: Tab) => tab.page.getByRole('alert').textContent();

async function signWithExtension(tab: Tab): Promise<void> {
  await tab.page.getByRole('link', { name: 'Go to WhatsApp Web and sign' }).click();
  await tab.press('Sign with my passkey');
}

async function link(): Promise<void> {
  await session.pairWith('5511999990001');
  await (await api.world.network.started(1)).open('5511999990001');
}

describe('with the extension', () => {
  test('a person is led there and back, and sees how it goes on', async () => {
    const tab = await started();
    await tab.page.getByRole('link', { name: 'Go to WhatsApp Web and sign' }).click();
    await tab.until('the panel is there', () => tab.panel());
    expect(await tab.panel()).toContain(`https://${GATEWAY_NAME}\n`);
    await tab.press('Sign with my passkey');
    await section(tab, 'WhatsApp checks it');
    expect(session.passkeyAnswers).toHaveLength(1);
    // Neither answer nor link stays in the address.
    expect(tab.page.url()).toMatch(new RegExp(`^${PAGE}#link=[\\da-f]{16}$`));
    await session.report({ type: 'passkey_code', code: CODE, codeRequired: true });
    await section(tab, 'Compare the code');
    expect(await tab.page.locator('#code').textContent()).toBe(CODE);
    await tab.page.getByRole('button', { name: 'Yes, it is the same' }).click();
    await section(tab, 'Almost there');
    expect(session.passkeyConfirms).toBe(1);
    await link();
    await section(tab, 'Linked');
    expect(await tab.page.evaluate('document.activeElement.textContent')).toBe('Linked');
  });

  test('a page that is loaded again goes on where it was', async () => {
    const tab = await started();
    await tab.page.reload();
    await section(tab, 'Sign with your passkey');
    await signWithExtension(tab);
    await section(tab, 'WhatsApp checks it');
  });

  test('a code that differs ends the linking', async () => {
    const tab = await started();
    await signWithExtension(tab);
    await section(tab, 'WhatsApp checks it');
    await session.report({ type: 'passkey_code', code: CODE, codeRequired: true });
    await tab.page.getByRole('button', { name: 'No, it differs' }).click();
    await section(tab, 'Not linked');
    expect(await tab.page.locator('#why').textContent()).toBe('The linking was stopped.');
    expect(session.passkeyConfirms).toBe(0);
  });
});

test('without the extension, lines for the console sign, and their answer is pasted', async () => {
  const tab = await started();
  await tab.page.getByText('Without an extension').click();
  const snippet = await tab.page.getByLabel('The lines to paste').inputValue();
  const whatsapp = await chromium.tab(passkey.exported);
  await whatsapp.page.goto('https://web.whatsapp.com/');
  const printed = whatsapp.page.waitForEvent('console');
  await whatsapp.paste(snippet);
  const answer = (await printed).text().split('\n').at(-1) ?? '';
  await tab.page.getByLabel('Sign. The answer is copied then').fill('not that');
  await tab.page.getByRole('button', { name: 'Hand in the answer' }).click();
  expect(await problem(tab)).toContain('This is no answer of a passkey');
  await tab.page.getByLabel('Sign. The answer is copied then').fill(answer);
  await tab.page.getByRole('button', { name: 'Hand in the answer' }).click();
  await section(tab, 'WhatsApp checks it');
  expect(session.passkeyAnswers).toHaveLength(1);
  await session.report({ type: 'passkey_code', code: CODE, codeRequired: false });
  await section(tab, 'Almost there');
  await link();
  await section(tab, 'Linked');
});

test('the lines for the console sign nowhere else', async () => {
  const tab = await started();
  const snippet = await tab.page.locator('#snippet').inputValue();
  const elsewhere = await chromium.tab(passkey.exported);
  await elsewhere.page.goto('https://evil.example/');
  await expect(elsewhere.paste(snippet)).rejects.toThrow('Paste this at https://web.whatsapp.com');
});

describe('a person is told', () => {
  test('that the time is over', async () => {
    const tab = await started();
    api.world.clock.advance(10 * MINUTE);
    await section(tab, 'Not linked');
    expect(await tab.page.locator('#why').textContent()).toBe('The time for the passkey is over.');
  });

  test('that the gateway does not answer, until it does', async () => {
    const tab = await started();
    busy = true;
    await tab.page.getByText('The server does not answer').waitFor();
    busy = false;
    await tab.page.getByRole('alert').waitFor({ state: 'hidden' });
    await signWithExtension(tab);
    await section(tab, 'WhatsApp checks it');
  });

  test('that a link is none, or used', async () => {
    const tab = await chromium.tab();
    await tab.page.goto(PAGE);
    expect(await problem(tab)).toContain('This page needs a link');
    await tab.page.goto(`${PAGE}#${'A'.repeat(43)}`);
    await tab.page.getByRole('button', { name: 'Start in this browser' }).click();
    await tab.page.getByText('This link is not valid').waitFor();
  });
});

test('nothing is wider than a phone, in no step', async () => {
  const tab = await started();
  const fits = async (step: string): Promise<void> => {
    const [page, screen] = (await tab.page.evaluate(
      '[document.documentElement.scrollWidth, innerWidth]',
    )) as number[];
    expect([step, (page ?? 0) - (screen ?? 0)]).toEqual([step, 0]);
  };
  await tab.page.setViewportSize({ width: 320, height: 640 });
  await fits('required');
  await tab.page.getByText('Without an extension').click();
  await fits('without');
  await signWithExtension(tab);
  await section(tab, 'WhatsApp checks it');
  await session.report({ type: 'passkey_code', code: CODE, codeRequired: true });
  await section(tab, 'Compare the code');
  await fits('confirm');
});

describe('another page', () => {
  /** A tab of the same browser, at evil.example. */
  async function evil(): Promise<Tab> {
    const tab = await chromium.tab(passkey.exported);
    await tab.page.goto('https://evil.example/');
    return tab;
  }

  const inFragment = (name: string, value: object): string =>
    `#${name}=${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
  const linkOf = (tab: Tab): string => new URL(tab.page.url()).hash.slice('#link='.length);
  const untouched = async (tab: Tab): Promise<void> => {
    expect(session.passkeyAnswers).toEqual([]);
    await section(tab, 'Sign with your passkey');
  };

  test('cannot frame ours', async () => {
    const tab = await started();
    const other = await evil();
    await other.page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.src = '${tab.page.url()}';
      frame.addEventListener('load', () => resolve());
      document.body.append(frame);
    })`);
    const [, frame] = other.page.frames();
    expect(frame?.url()).toContain('chrome-error');
    await untouched(tab);
  });

  test('cannot make ours hand in an answer of its own', async () => {
    const tab = await started();
    // Even one that is right, and names the link: the state is missing.
    const credential = passkey.sign(OPTIONS);
    for (const state of ['x'.repeat(43), undefined]) {
      const answer = inFragment('wuts-answer', { v: 1, link: linkOf(tab), state, credential });
      const other = await evil();
      await other.page.evaluate(`location.assign('${PAGE}${answer}')`);
      await other.page.getByText(FOREIGN).waitFor();
      expect(other.page.url()).not.toContain('wuts-answer');
    }
    await untouched(tab);
  });

  test('cannot have a challenge of its own signed in our name', async () => {
    const tab = await started();
    const other = await evil();
    const options = { ...OPTIONS, challenge: Buffer.alloc(32, 1).toString('base64url') };
    const asked = { v: 1, page: PAGE, link: linkOf(tab), state: 'state-of-evil', options };
    await other.page.evaluate(
      `location.assign('https://web.whatsapp.com/${inFragment('wuts-passkey', asked)}')`,
    );
    // A person who agrees nevertheless: the answer comes to us, who refuse it.
    await other.press('Sign with my passkey');
    await other.page.getByText(FOREIGN).waitFor();
    await untouched(tab);
  });

  test('is named to the person, and gets an answer only as itself', async () => {
    const other = await evil();
    const page = 'https://evil.example/passkey/';
    const asked = { v: 1, page, link: 'link-of-evil', state: 'state-of-evil', options: OPTIONS };
    await other.page.evaluate(
      `location.assign('https://web.whatsapp.com/${inFragment('wuts-passkey', asked)}')`,
    );
    await other.until('the panel is there', () => other.panel());
    expect(await other.panel()).toContain('\nhttps://evil.example\n');
    expect(await other.panel()).not.toContain(GATEWAY_NAME);
  });

  test('can neither read what has to be signed nor post in the name of this browser', async () => {
    const tab = await started();
    const other = await evil();
    const address = `${PUBLIC_URL}/passkey/links/${linkOf(tab)}`;
    const outcome = (method: string, mode: string) =>
      other.page.evaluate(`fetch('${address}${method === 'POST' ? '/assertion' : ''}', {
        method: '${method}', mode: '${mode}', credentials: 'include',
        ${method === 'POST' ? `body: '{}'` : ''}
      }).then((answer) => answer.type, (error) => error.name)`);
    expect(await outcome('GET', 'cors')).toBe('TypeError');
    expect(await outcome('GET', 'no-cors')).toBe('TypeError');
    expect(await outcome('POST', 'cors')).toBe('TypeError');
    expect(await outcome('DELETE', 'cors')).toBe('TypeError');
    await untouched(tab);
  });

  test('gets no hold of the window that it opens', async () => {
    const tab = await started();
    const other = await evil();
    const [opened] = await Promise.all([
      other.page.waitForEvent('popup'),
      other.page.evaluate(`void (window.theirs = open('${tab.page.url()}'))`),
    ]);
    await opened.getByRole('heading', { name: 'Sign with your passkey' }).waitFor();
    expect(await other.page.evaluate('window.theirs.closed')).toBe(true);
    expect(await opened.evaluate('window.opener')).toBeNull();
  });
});

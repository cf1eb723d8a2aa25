/** The whole way of a person whose account needs a passkey: from the QR to the first message, in a browser. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Chromium, type Tab } from '../../../passkey-extension/test/chromium.ts';
import { AdvancingClock } from '../../src/clock.ts';
import { type Api, until, World } from '../end-to-end/harness.ts';
import { GATEWAY_NAME, PUBLIC_URL, tlsProxy } from './tls-proxy.ts';

const PHONE = '5511999990081';
const MINUTE = 60_000;

let world: World;
let clock: AdvancingClock;
let token: string;
let api: Api;
let phone: Phone;
let id: string;
const open: Record<'with' | 'without', Chromium | null> = { with: null, without: null };

beforeAll(async () => {
  const names = [GATEWAY_NAME];
  const answer = tlsProxy(() => world.gateway.url);
  open.with = await Chromium.open({ extension: true, names, answer });
  open.without = await Chromium.open({ extension: false, names, answer });
  console.log(`Chromium ${open.with.version}`);
});
afterAll(async () => {
  await open.with?.close();
  await open.without?.close();
});

beforeEach(async () => {
  clock = new AdvancingClock();
  world = await World.create({ clock, settings: { WUTS_PUBLIC_URL: PUBLIC_URL } });
  token = await world.tenant('shop');
  api = world.as(token);
  phone = await world.sandbox.createPhone({ number: PHONE, name: 'Paula', passkey: 'required' });
  id = (await api.post('/devices', { name: 'counter' })).body.device.id;
});
afterEach(async () => {
  await open.with?.closeTabs();
  await open.without?.closeTabs();
  await world.destroy();
});

/** A tab that has started with the link, in a browser that has the account's passkey. */
async function started(chromium: Chromium | null): Promise<Tab> {
  const link = await until('WhatsApp asks for a passkey', async () => {
    const { status, body } = await api.get(`/devices/${id}/passkey/link`);
    return status === 200 && (body.data.url as string);
  });
  if (!chromium) throw new Error('no browser is open');
  const tab = await chromium.tab(phone.authenticator.exported);
  await tab.page.goto(link);
  await tab.page.getByRole('button', { name: 'Start in this browser' }).click();
  return tab;
}

async function receivesMessages(): Promise<void> {
  await world.untilConnected(token, id);
  const contact = await world.sandbox.createPhone({ number: '5511999990082', name: 'Rui' });
  const sent = await contact.sendText(PHONE, 'a message after all');
  await until('the message is there', async () => {
    const { status, body } = await api.get(`/messages/${sent.id}`);
    return status === 200 && JSON.stringify(body).includes('a message after all');
  });
}

test('by QR, with the extension', async () => {
  const { body } = await api.get(`/qr?device_id=${id}`);
  const scanned = phone.scanQr(body.data.qr_code);
  const tab = await started(open.with);
  await tab.page.getByRole('link', { name: 'Go to WhatsApp Web and sign' }).click();
  await tab.press('Sign with my passkey');
  await tab.page.getByRole('heading', { name: 'Linked', exact: true }).waitFor();
  await scanned;
  await receivesMessages();
  expect(await tab.signed()).toBe(1);
});

test('by a code that is typed, without the extension, late enough to have to compare', async () => {
  const { body } = await api.post('/paircode', { device_id: id, phone: PHONE });
  phone.passkey = { codes: 'ask' };
  const typed = phone.enterPairCode(body.data.code);
  const tab = await started(open.without);
  // The proof that it is the companion that was typed in is good for 5 minutes.
  clock.advance(6 * MINUTE);
  await tab.page.getByText('Without an extension').click();
  const whatsapp = await open.without?.tab(phone.authenticator.exported);
  if (!whatsapp) throw new Error('no browser is open');
  await whatsapp.page.goto('https://web.whatsapp.com/');
  const printed = whatsapp.page.waitForEvent('console');
  await whatsapp.paste(await tab.page.getByLabel('The lines to paste').inputValue());
  const answer = (await printed).text().split('\n').at(-1) ?? '';
  await tab.page.getByLabel('Sign. The answer is copied then').fill(answer);
  await tab.page.getByRole('button', { name: 'Hand in the answer' }).click();
  await tab.page.getByRole('heading', { name: 'Compare the code' }).waitFor();
  const shown = await phone.passkeyCode();
  expect(await tab.page.locator('#code').textContent()).toBe(shown.code);
  phone.answerPasskeyCode(true);
  await tab.page.getByRole('button', { name: 'Yes, it is the same' }).click();
  await tab.page.getByRole('heading', { name: 'Linked', exact: true }).waitFor();
  await typed;
  await receivesMessages();
});

/** One message, whatever it is, never stops a number: the next one is reported. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession } from './linked-session.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
let shop: Linked;
let stranger: Phone;

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = createBaileysSessionFactory({
    network: { url: sandbox.url, rootKey: Buffer.from(sandbox.rootKey, 'hex'), caFile: sandbox.caFile },
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
    clock: systemClock,
  });
  shop = await linkSession(sandbox, factory, '5511988860001');
  stranger = await sandbox.createPhone({ number: '5511988860002', name: 'Stranger' });
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

test.each(['call me @', '@', 'a@b@', '\ufffd @s.whatsapp.net'])('a push name "%s"', async (name) => {
  stranger.hostile.setPushName(name);
  const { id } = await stranger.sendText(shop.phone.number, 'hello');
  expect(await shop.recorder.message(id)).toMatchObject({ pushName: name, content: { text: 'hello' } });
});

test('of such a sender, and the device dies before it is stored: it connects, and reports the message', async () => {
  const died = shop.credentials.dieAfterNextJournal();
  stranger.hostile.setPushName('call me @');
  const { id } = await stranger.sendText(shop.phone.number, 'before the crash');
  await died;
  // Nothing of a dead process can be waited for but the end of its connection.
  void shop.session.stop();
  await sandbox.waitForOffline(`${shop.phone.number}:${shop.phone.companions[0]}@s.whatsapp.net`);
  shop.credentials.revive();
  const recorder = new Recorder();
  shop.session = await openSession(factory, shop.credentials, recorder);
  shop.recorder = recorder;
  expect(await recorder.message(id)).toMatchObject({ pushName: 'call me @' });
  await recorder.next('open');
});

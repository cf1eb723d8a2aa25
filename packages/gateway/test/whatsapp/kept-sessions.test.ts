/** Signal sessions that are there are used on: over a reconnect, and whatever comes that they do not open. */
import { randomBytes } from 'node:crypto';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
/** What companions asked of the server for new sessions: the devices of each question. */
const asked: string[][] = [];
/** Types of the ciphertexts that companions sent, by the device that they are for. */
const ciphertexts = new Map<string, string[]>();

beforeAll(async () => {
  sandbox = await startSandbox();
  const { network } = sandbox;
  const submit = network.submit.bind(network);
  network.submit = (from, node) => {
    if (from.address.device !== 0) note(node);
    submit(from, node);
  };
  factory = sessionsOn(sandbox);
});
afterAll(() => sandbox.stop());

function note(node: BinaryNode): void {
  if (node.tag === 'iq' && node.attrs.xmlns === 'encrypt') {
    const users = getBinaryNodeChildren(getBinaryNodeChild(node, 'key'), 'user');
    if (users.length > 0) asked.push(users.map(({ attrs }) => attrs.jid ?? ''));
  }
  for (const to of getBinaryNodeChildren(getBinaryNodeChild(node, 'participants'), 'to')) {
    const types = getBinaryNodeChildren(to, 'enc').map(({ attrs }) => attrs.type ?? '');
    const jid = to.attrs.jid ?? '';
    ciphertexts.set(jid, [...(ciphertexts.get(jid) ?? []), ...types]);
  }
}

async function toContact({ session }: Linked, contact: Phone, text: string): Promise<void> {
  const id = session.messages.newId();
  await session.messages.send({ to: contact.jid, id, message: { conversation: text } });
  await contact.waitForMessage((message) => message.id === id);
}

async function fromContact({ phone, recorder }: Linked, contact: Phone, text: string): Promise<void> {
  const { id } = await contact.sendText(phone.number, text);
  expect((await recorder.message(id)).content).toMatchObject({ kind: 'text', text });
}

test('the first message after a reconnect begins no session', async () => {
  const contact = await sandbox.createPhone({ number: '5511988860002', name: 'Contact' });
  const shop = await linkSession(sandbox, factory, '5511988860001');
  await toContact(shop, contact, 'hello');
  // Asked for once, and for what was missing alone.
  expect(asked.flat().filter((jid) => jid.startsWith(contact.lid.replace('@lid', '')))).toHaveLength(1);
  await fromContact(shop, contact, 'hello back');
  await toContact(shop, contact, 'how are you?');
  for (let n = 1; n <= 2; n += 1) {
    await shop.session.stop();
    shop.session = await openSession(factory, shop.credentials, shop.recorder);
    await shop.recorder.next('open');
    asked.length = 0;
    ciphertexts.clear();
    await toContact(shop, contact, `after reconnect ${n}`);
    expect(asked).toEqual([]);
    expect([...ciphertexts.values()].flat()).not.toContain('pkmsg');
    await fromContact(shop, contact, `answer ${n}`);
  }
  await shop.session.stop();
});

test('a session under the number is used on by the message that learns the LID', async () => {
  const contact = await sandbox.createPhone({ number: '5511988860006', name: 'Contact' });
  const shop = await linkSession(sandbox, factory, '5511988860005');
  await toContact(shop, contact, 'hello');
  await fromContact(shop, contact, 'hello back');
  await shop.session.stop();
  // As it is where the server did not say in time who the number is.
  const [lid = ''] = contact.lid.split('@');
  const [under, address] = [`${lid}_1.0`, `${contact.number}.0`];
  const value = (await shop.credentials.readKeys('session', [under])).get(under);
  if (!value) throw new Error('no session');
  await shop.credentials.write([
    { type: 'session', id: under, value: null },
    { type: 'session', id: address, value },
    { type: 'lid-mapping', id: contact.number, value: null },
    { type: 'lid-mapping', id: `${lid}_reverse`, value: null },
  ]);
  shop.session = await openSession(factory, shop.credentials, shop.recorder);
  await shop.recorder.next('open');
  asked.length = 0;
  ciphertexts.clear();
  await toContact(shop, contact, 'under the LID');
  expect(asked).toEqual([]);
  expect([...ciphertexts.values()].flat()).not.toContain('pkmsg');
  await fromContact(shop, contact, 'an answer');
  expect((await shop.credentials.readKeys('session', [address])).size).toBe(0);
  await shop.session.stop();
});

test('what could not be read twice takes no session away', async () => {
  const contact = await sandbox.createPhone({ number: '5511988860004', name: 'Contact' });
  const shop = await linkSession(sandbox, factory, '5511988860003');
  await toContact(shop, contact, 'hello');
  await fromContact(shop, contact, 'hello back');
  contact.answersRetries = false;
  const device = `${shop.phone.number}:${shop.phone.companions[0]}@s.whatsapp.net`;
  const retries = () => contact.receivedReceipts.filter(({ type }) => type === 'retry');
  for (const count of [1, 2, 3]) {
    contact.hostile.inject(device, {
      tag: 'message',
      attrs: { from: contact.lid, sender_pn: contact.jid, id: 'BROKEN', type: 'text', t: '1' },
      content: [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: randomBytes(80) }],
    });
    await expect.poll(retries).toHaveLength(count);
  }
  await fromContact(shop, contact, 'in the session that there was');
  expect(retries()).toHaveLength(3);
  await shop.session.stop();
});

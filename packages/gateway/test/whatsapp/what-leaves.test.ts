/** What a session writes to the server, as the server and other clients expect it. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import type { WireMessage } from '../../src/whatsapp/port/wire-message.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
let shop: Linked;
let contact: Phone;

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = sessionsOn(sandbox);
  shop = await linkSession(sandbox, factory, '5511988830001');
  contact = await sandbox.createPhone({ number: '5511988830002', name: 'Ana' });
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

async function sent(to: Phone, message: WireMessage) {
  const id = shop.session.messages.newId();
  await shop.session.messages.send({ to: to.jid, id, message });
  return to.waitForMessage((each) => each.id === id);
}

const documentMessage = { fileName: 'price.pdf', mimetype: 'application/pdf', caption: 'our prices' };
const imageMessage = { mimetype: 'image/jpeg' };

test.each([
  ['a document with a caption', 'document', { documentWithCaptionMessage: { message: { documentMessage } } }],
  ['a picture to be seen once', 'image', { viewOnceMessage: { message: { imageMessage } } }],
  ['a picture', 'image', { imageMessage }],
  ['a text', undefined, { conversation: 'hello' }],
])('the kind of media is said of %s, and nothing of it is said twice', async (_, kind, message) => {
  const got = await sent(contact, message);
  expect(got.stanza?.mediaType).toBe(kind);
  expect(got.stanza?.type).toBe(kind ? 'media' : 'text');
  const { messageContextInfo: _info, ...content } = JSON.parse(JSON.stringify(got.message));
  expect(content).toEqual(message);
});

test('our key of a group goes to every device beside ourselves, once', async () => {
  const { jid } = await contact.createGroup('Team', [shop.phone]);
  const named: (string | undefined)[] = [];
  const fetched: BinaryNode[] = [];
  const end = sandbox.network.onStanza((node, { user, device }) => {
    if (user !== shop.phone.number || device === 0) return;
    if (node.attrs.xmlns === 'encrypt') fetched.push(node);
    if (node.attrs.to !== jid || !Array.isArray(node.content)) return;
    const [participants] = node.content.filter(({ tag }) => tag === 'participants');
    if (Array.isArray(participants?.content))
      named.push(...participants.content.map(({ attrs }) => attrs.jid));
  });
  for (const text of ['first', 'second']) {
    const id = shop.session.messages.newId();
    await shop.session.messages.send({ to: jid, id, message: { conversation: text } });
    await contact.waitForMessage((each) => each.id === id);
  }
  end();
  expect(named.sort()).toEqual([contact.lid, shop.phone.lid].sort());
  expect(JSON.stringify(fetched)).not.toContain(`:${shop.phone.companions[0]}@`);
});

test('a request to our own phone goes bare', async () => {
  const oldest = { id: '3EB0OLDEST', fromMe: false, timestamp: 1_700_000_000 };
  await shop.session.history.request({ chat: contact.jid, oldest, count: 50 });
  await expect.poll(() => shop.phone.requests.length).toBe(1);
  const [request] = shop.phone.requests;
  expect(request?.deviceSentMessage ?? null).toBeNull();
  expect(request?.protocolMessage?.peerDataOperationRequestMessage).toBeTruthy();
});

test('the server is asked once for the LID of somebody who has none', async () => {
  const ana = await sandbox.createPhone({ number: '5511988830003', name: 'Ana', lid: null });
  await sent(ana, { conversation: 'first' });
  const { id } = await ana.sendText(shop.phone.number, 'hello');
  await shop.recorder.message(id);
  const asked: BinaryNode[] = [];
  const end = sandbox.network.onStanza((node, { user, device }) => {
    const ours = user === shop.phone.number && device !== 0;
    if (ours && node.attrs.xmlns === 'usync') asked.push(node);
  });
  await sent(ana, { conversation: 'second' });
  await shop.recorder.message((await ana.sendText(shop.phone.number, 'again')).id);
  end();
  expect(asked).toEqual([]);
});

test('a device that is not linked is not connected, whatever the server says', async () => {
  const recorder = new Recorder();
  const session = await openSession(factory, new MemoryCredentials(), recorder);
  await recorder.next('qr', ({ code }) => code.length > 0);
  const lid = '123456789012345:1@lid';
  sandbox.tellUnlinked({ tag: 'success', attrs: { t: '1764200000', lid }, content: [] });
  expect((await recorder.next('closed')).reason).toBe('connection_lost');
  expect(recorder.events.map(({ type }) => type)).not.toContain('open');
  await session.stop();
});

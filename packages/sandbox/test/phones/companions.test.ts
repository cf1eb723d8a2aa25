import { randomBytes } from 'node:crypto';
import { Agent } from 'node:https';
import { aesDecryptWithIV, getMediaKeys } from 'baileys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LinkError } from '../../src/phones/linking/host.ts';
import { parseQr } from '../../src/phones/linking/qr-code.ts';
import type { Phone } from '../../src/phones/phone.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { Client, memoryAuth } from '../network/baileys-client.ts';

let sandbox: Sandbox;
let alice: Phone;
let bob: Phone;
let clients: Client[];
beforeEach(async () => {
  sandbox = await startSandbox({ companionRegRefresh: 'never' });
  clients = [];
  alice = await sandbox.createPhone({ number: '5511999990001', name: 'Alice' });
  bob = await sandbox.createPhone({ number: '5511999990002', name: 'Bob' });
});
afterEach(async () => {
  const problems = [...alice.problems, ...bob.problems];
  for (const client of clients) await client.end();
  await sandbox.stop();
  expect(problems).toEqual([]);
});

/** An unmodified Baileys client with its default behaviour: history is waited for and synced. */
function newClient(): Client {
  const client = new Client(
    { url: sandbox.url, rootPublic: Buffer.from(sandbox.rootKey, 'hex') },
    memoryAuth(),
    { shouldSyncHistoryMessage: () => true, fetchAgent: new Agent({ ca: sandbox.caPem }) },
  );
  clients.push(client);
  return client;
}

async function linkByQr(phone: Phone): Promise<{ client: Client; device: number }> {
  const client = newClient().connect();
  const { device, jid } = await client.linkTo(phone);
  expect(jid).toBe(`${phone.number}:${device}@s.whatsapp.net`);
  await phone.bootstrapped(device);
  return { client, device };
}

describe('linking', () => {
  test('by QR gives the companion keys and history', async () => {
    const old = await bob.sendText(alice, 'before the link');
    await alice.waitForMessage((message) => message.id === old.id);
    const { client, device } = await linkByQr(alice);
    expect(alice.companions).toEqual([device]);
    const history = await client.event('messaging-history.set', ({ chats }) => chats.length > 0);
    expect(history.messages.map(({ key }) => key.id)).toEqual([old.id]);
    expect(history.chats[0]).toMatchObject({ id: bob.lid, pnJid: bob.jid });
    await client.until('the app-state key', () => client.auth.creds.myAppStateKeyId);
    const names = await client.event('messaging-history.set', ({ contacts }) =>
      contacts.some(({ notify }) => notify === 'Bob'),
    );
    expect(names.contacts).toContainEqual({ id: bob.jid, notify: 'Bob' });
  });

  test('by code works with and without the dash, and not with a wrong code', async () => {
    const client = newClient().connect();
    await client.qr();
    const code = await client.socket.requestPairingCode(alice.number, 'WUTSTEST');
    expect(code).toBe('WUTSTEST');
    await expect(alice.enterPairCode('WUTS-XXXX')).rejects.toMatchObject({ reason: 'wrong_code' });
    await client.socket.requestPairingCode(alice.number, 'WUTSTEST');
    const { device } = await alice.enterPairCode('wuts-test');
    await client.reconnect();
    await alice.bootstrapped(device);
    const { id } = await bob.sendText(alice, 'welcome');
    expect((await client.message('welcome')).key.id).toBe(id);
  });

  test('fails by name', async () => {
    await expect(alice.scanQr('not a code')).rejects.toThrow(LinkError);
    const qr = parseQr(await newClient().connect().qr());
    const keys = [qr.noisePublic, qr.identityPublic, qr.advSecret].map((key) => key.toString('base64'));
    await expect(alice.scanQr(['2@nobody', ...keys].join(','))).rejects.toMatchObject({
      reason: 'unknown_ref',
    });
    const other = Buffer.alloc(32, 7).toString('base64');
    await expect(alice.scanQr([qr.ref, keys[0], keys[1], other].join(','))).rejects.toMatchObject({
      reason: expect.stringMatching(/companion_/),
    });
  });

  test('ends when the phone logs the companion out', async () => {
    const { client, device } = await linkByQr(alice);
    const before = client.events.length;
    await alice.unlink(device);
    expect(await client.closed(before)).toBe(401);
    expect(alice.companions).toEqual([]);
  });
});

test('a phone learns that a companion logged itself out', async () => {
  const { client, device } = await linkByQr(alice);
  expect(alice.companions).toEqual([device]);
  await client.socket.logout();
  await expect.poll(() => alice.companions).toEqual([]);
  const { id } = await bob.sendText(alice, 'only the phone now');
  await alice.waitForMessage((message) => message.id === id);
});

test('a phone that was away gives a new companion its history when it is back', async () => {
  await bob.sendText(alice, 'old news');
  await alice.waitForMessage(({ text }) => text === 'old news');
  const client = newClient().connect();
  const { device } = await alice.scanQr(await client.qr());
  await alice.goOffline();
  await client.reconnect();
  await alice.bootstrapped(device);
  expect(client.events.some((events) => events['messaging-history.set'])).toBe(false);
  await alice.goOnline();
  await alice.bootstrapped(device);
  await client.event('messaging-history.set', ({ messages }) => messages.length === 1);
});

describe('a companion and phones', () => {
  test('exchange texts, each seen on every device', async () => {
    const { client } = await linkByQr(alice);
    const toAlice = await bob.sendText(alice, 'for all of Alice');
    expect((await client.message('for all of Alice')).key.id).toBe(toAlice.id);
    await alice.waitForMessage((message) => message.id === toAlice.id);
    const fromPhone = await alice.sendText(bob, 'from the phone');
    const copy = await client.message('from the phone');
    expect(copy.key).toMatchObject({ id: fromPhone.id, fromMe: true });
    const fromCompanion = await client.socket.sendMessage(bob.jid, { text: 'from the companion' });
    const got = await bob.waitForMessage((message) => message.text === 'from the companion');
    expect(got).toMatchObject({ id: fromCompanion?.key.id, chat: alice.jid, from: alice.jid, fromMe: false });
    const own = await alice.waitForMessage((message) => message.text === 'from the companion');
    expect(own).toMatchObject({ chat: bob.jid, from: alice.jid, fromMe: true });
    await bob.markRead(alice, [got.id]);
    await client.until('the read receipt', () => {
      // Baileys folds an update into the message while it still holds the message's own event back.
      const updates = client.events.flatMap((events) => events['messages.update'] ?? []);
      return (
        updates.find(({ key, update }) => key.id === got.id && update.status === 4) ??
        client.messages.find(({ key, status }) => key.id === got.id && status === 4)
      );
    });
  });

  test('exchange edits, revokes and reactions', async () => {
    const { client } = await linkByQr(alice);
    const { id } = await bob.sendText(alice, 'frist');
    await client.message('frist');
    await bob.sendEdit(alice, id, 'first');
    await client.event('messages.update', (updates) =>
      updates.some(
        ({ key, update }) =>
          key.id === id && update.message?.editedMessage?.message?.conversation === 'first',
      ),
    );
    await bob.sendReaction(alice, id, '👋');
    await client.event('messages.reaction', ([first]) => first?.reaction.text === '👋');
    await bob.sendRevoke(alice, id);
    await client.event('messages.update', (updates) =>
      updates.some(({ key, update }) => key.id === id && update.message === null),
    );
    const sent = await client.socket.sendMessage(bob.lid, { text: 'mistkae' });
    const key = sent?.key ?? {};
    await bob.waitForMessage((message) => message.id === key.id);
    await client.socket.sendMessage(bob.lid, { text: 'mistake', edit: key });
    await bob.waitForMessage((message) => message.editOf === key.id);
    expect(bob.conversation(alice).at(-1)).toMatchObject({ text: 'mistake', edited: true });
    await client.socket.sendMessage(bob.lid, { delete: key });
    await bob.waitForMessage((message) => message.revokeOf === key.id);
    expect(bob.conversation(alice).at(-1)).toMatchObject({ revoked: true });
  });

  test('exchange media', async () => {
    const { client } = await linkByQr(alice);
    const bytes = randomBytes(30_000);
    await bob.sendDocument(alice, { bytes, fileName: 'from bob.bin' });
    const got = await client.until('the document', () =>
      client.messages.find(({ message }) => message?.documentMessage),
    );
    const document = got.message?.documentMessage;
    const stored = sandbox.cdn.object(document?.directPath ?? '')?.bytes ?? Buffer.alloc(0);
    const { cipherKey, iv } = await getMediaKeys(document?.mediaKey, 'document');
    expect(aesDecryptWithIV(stored.subarray(0, -10), Buffer.from(cipherKey), Buffer.from(iv))).toEqual(bytes);

    const voice = randomBytes(4000);
    await client.socket.sendMessage(bob.lid, {
      document: bytes,
      mimetype: 'x/y',
      fileName: 'from alice.bin',
    });
    await client.socket.sendMessage(bob.lid, { audio: voice, mimetype: 'audio/ogg; codecs=opus', ptt: true });
    const file = await bob.waitForMessage(({ kind }) => kind === 'document');
    expect((await bob.downloadMedia(file)).equals(bytes)).toBe(true);
    const note = await bob.waitForMessage(({ kind }) => kind === 'voice');
    expect((await bob.downloadMedia(note)).equals(voice)).toBe(true);
  });

  test('understand each other by number and by LID in one chat', async () => {
    const { client } = await linkByQr(alice);
    for (const [index, addressing] of (['lid', 'pn', 'lid', 'pn'] as const).entries()) {
      await bob.sendText(alice, `to alice ${index}`, { addressing });
      await client.message(`to alice ${index}`);
      const to = addressing === 'lid' ? bob.lid : bob.jid;
      await client.socket.sendMessage(to, { text: `to bob ${index}` });
      await bob.waitForMessage(({ text }) => text === `to bob ${index}`);
    }
    expect(bob.conversation(alice)).toHaveLength(8);
    expect(bob.receivedReceipts.filter(({ type }) => type === 'retry')).toEqual([]);
  });

  test('exchange group messages', async () => {
    const { client } = await linkByQr(alice);
    const group = await bob.createGroup('Lunch', [alice]);
    const { id } = await bob.sendText(group, 'who is in?');
    expect((await client.message('who is in?')).key).toMatchObject({ id, remoteJid: group.jid });
    await client.socket.sendMessage(group.jid, { text: 'me' });
    await bob.waitForMessage((message) => message.text === 'me' && message.chat === group.jid);
    await alice.waitForMessage((message) => message.text === 'me' && message.fromMe);
  });

  test('ask each other again for what they cannot decrypt', async () => {
    const { client } = await linkByQr(alice);
    await bob.sendText(alice, 'opens a session');
    await client.message('opens a session');
    // The companion forgets its sessions, as one restored from an old copy does.
    const address = `${bob.lid.replace('@lid', '_1')}.0`;
    await client.auth.keys.set({ session: { [address]: null } });
    const { id } = await bob.sendText(alice, 'cannot be read at first');
    await client.message('cannot be read at first');
    await bob.waitForReceipt((receipt) => receipt.type === 'retry' && receipt.messageId === id);
    await client.socket.sendMessage(bob.lid, { text: 'and back' });
    await bob.waitForMessage((message) => message.text === 'and back');
  });
});

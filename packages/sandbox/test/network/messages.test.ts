import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childNamed } from '../../src/wire/stanza.ts';
import type { Client } from './baileys-client.ts';
import { type BarePhone, startTestNetwork, type TestNetwork } from './test-network.ts';

let net: TestNetwork;
let alicePhone: BarePhone;
let bobPhone: BarePhone;
let alice: Client;
let bob: Client;

beforeEach(async () => {
  net = await startTestNetwork();
  alicePhone = net.phone('5511999990001', 'Alice');
  bobPhone = net.phone('5511999990002', 'Bob');
  // Baileys keys its own cache by the chat, a retry names the device: it asks the application then.
  alice = await net.linked(alicePhone, {
    getMessage: async () => ({ conversation: 'after the loss' }),
  });
  bob = await net.linked(bobPhone);
});
afterEach(() => net.stop());

const BOB = '5511999990002@s.whatsapp.net';

/** The receipt (`undefined` is delivery) that a client got as raw stanza. */
function receiptStanza(client: Client, type: string | undefined, id: string): Promise<string> {
  return new Promise((resolve) => {
    client.socket.ws.on('CB:receipt', (node: { attrs: Record<string, string> }) => {
      if (node.attrs.id === id && node.attrs.type === type) resolve(node.attrs.from ?? '');
    });
  });
}

describe('one-to-one messages between Baileys clients', () => {
  it('carries text both ways, to every device of both accounts, with push name and LID', async () => {
    const sent = await alice.socket.sendMessage(BOB, { text: 'hello bob' });
    const got = await bob.message('hello bob');
    expect(got.key.id).toBe(sent?.key.id);
    expect(got.key.fromMe).toBe(false);
    expect(got.pushName).toBe('Alice');
    expect([got.key.remoteJid, got.key.remoteJidAlt]).toContain(`${alicePhone.account.lid}@lid`);
    const copy = bobPhone.received.find(({ tag }) => tag === 'message');
    expect(copy?.attrs).toMatchObject({
      from: '5511999990001:1@s.whatsapp.net',
      sender_lid: `${alicePhone.account.lid}@lid`,
      id: sent?.key.id,
      type: 'text',
      notify: 'Alice',
    });
    expect(childNamed(copy, 'enc')?.attrs.type).toBe('pkmsg');
    const own = alicePhone.received.find(({ tag }) => tag === 'message');
    expect(own?.attrs).toMatchObject({
      from: '5511999990001:1@s.whatsapp.net',
      recipient: BOB,
      peer_recipient_lid: `${bobPhone.account.lid}@lid`,
    });

    await bob.socket.sendMessage(got.key.remoteJid ?? '', { text: 'hello alice' });
    const back = await alice.message('hello alice');
    expect(back.key.fromMe).toBe(false);
    expect(net.network.directory.resolve(back.key.remoteJid ?? undefined)).toBe(bobPhone.account);
  });

  it('acknowledges to the sender, passes delivery and read receipts on, and settles the queue', async () => {
    const id = 'AAAA0000BBBB1111';
    const delivered = receiptStanza(alice, 'inactive', id);
    const read = receiptStanza(alice, 'read', id);
    const ack = alice.socket.waitForMessage(id, 60_000);
    await alice.socket.sendMessage(BOB, { text: 'see you' }, { messageId: id });
    expect(await ack).toMatchObject({ tag: 'ack', attrs: { class: 'message', id, from: BOB } });
    const got = await bob.message('see you');
    expect(await delivered).toBe('5511999990002:1@s.whatsapp.net');
    const device = bobPhone.account.devices.get(1);
    await expect.poll(() => device?.mailbox.pending).toBe(0);

    await bob.socket.readMessages([got.key]);
    expect(await read).toContain(':1@');
    await alice.event('messages.update', (updates) => updates.some(({ update }) => update.status === 4));
  });

  it('keeps messages for a device that is away until it returns', async () => {
    await bob.end();
    await alice.socket.sendMessage(BOB, { text: 'first' });
    await alice.socket.sendMessage(BOB, { text: 'second' });
    const device = bobPhone.account.devices.get(1);
    await expect.poll(() => device?.mailbox.pending).toBe(2);
    bob.connect();
    await bob.message('second');
    const texts = bob.messages.map(({ message }) => message?.extendedTextMessage?.text);
    expect(texts).toEqual(['first', 'second']);
    await expect.poll(() => device?.mailbox.pending).toBe(0);
  });

  it('refuses a number that is not on WhatsApp with an error in the ack', async () => {
    const ack = alice.socket.waitForMessage('NOBODY0001', 60_000);
    await alice.socket.sendNode({
      tag: 'message',
      attrs: { to: '5511900000000@s.whatsapp.net', id: 'NOBODY0001', type: 'text' },
      content: [],
    });
    expect(await ack).toMatchObject({ attrs: { class: 'message', error: '404' } });
  });

  it('passes a retry receipt to the sending device, and its resend only to the one that asked', async () => {
    await alice.socket.sendMessage(BOB, { text: 'start the session' });
    await bob.message('start the session');
    const bobDevice = bobPhone.account.devices.get(1);
    const before = bobPhone.received.filter(({ tag }) => tag === 'message').length;
    // Bob loses his sessions: the next message cannot be decrypted and is asked for again.
    const sessions = Object.keys(
      await bob.auth.keys.get('session', [`${alicePhone.account.lid}_1.1`, '5511999990001.1']),
    );
    expect(sessions.length).toBeGreaterThan(0);
    await bob.auth.keys.set({ session: Object.fromEntries(sessions.map((id) => [id, null])) });
    await bob.end();
    bob.connect();
    await bob.open(bob.events.length);
    await alice.socket.sendMessage(BOB, { text: 'after the loss' });
    await bob.message('after the loss');
    // Baileys acknowledges the first sending a moment after it asked again.
    await expect.poll(() => bobDevice?.mailbox.pending).toBe(0);
    // The phone got the first sending, not the resend.
    const after = bobPhone.received.filter(({ tag }) => tag === 'message').length;
    expect(after - before).toBe(1);
  });
});

describe('questions', () => {
  it('says which numbers are on WhatsApp', async () => {
    const found = await alice.socket.onWhatsApp('5511999990002', '5511900000000');
    // Baileys leaves out the numbers that were answered with type="out".
    expect(found).toEqual([{ jid: BOB, exists: true }]);
  });

  it('answers what a client asks after login, and refuses what it does not know', async () => {
    const privacy = await alice.socket.fetchPrivacySettings(true);
    expect(privacy.readreceipts).toBe('all');
    expect(await alice.socket.fetchBlocklist()).toEqual([]);
    await expect(alice.socket.profilePictureUrl(BOB)).rejects.toThrow('item-not-found');
    const media = await alice.socket.refreshMediaConn(true);
    expect(media.hosts[0]?.hostname).toBe('127.0.0.1:9');
    const ask = alice.socket.query({
      tag: 'iq',
      attrs: { xmlns: 'no:such:thing', type: 'get', to: 's.whatsapp.net' },
    });
    await expect(ask).rejects.toThrow('feature-not-implemented');
    await alice.socket.rotateSignedPreKey();
    await alice.socket.digestKeyBundle();
  });

  it('drops messages of a blocked contact without telling it', async () => {
    await alice.socket.sendMessage(BOB, { text: 'before' });
    await bob.message('before');
    await bob.socket.updateBlockStatus(`${alicePhone.account.lid}@lid`, 'block');
    expect(await bob.socket.fetchBlocklist()).toEqual([`${alicePhone.account.lid}@lid`]);
    const ack = alice.socket.waitForMessage('BLOCKED0001', 60_000);
    await alice.socket.sendMessage(BOB, { text: 'blocked' }, { messageId: 'BLOCKED0001' });
    expect(await ack).not.toHaveProperty('attrs.error');
    await bob.socket.updateBlockStatus(`${alicePhone.account.lid}@lid`, 'unblock');
    await alice.socket.sendMessage(BOB, { text: 'after' });
    await bob.message('after');
    expect(bob.messages.some(({ message }) => message?.extendedTextMessage?.text === 'blocked')).toBe(false);
  });
});

/** One message, whatever it is, never stops a number: the next one is reported. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { proto } from 'baileys';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { StorageFailure } from '../../src/storage/failure.ts';
import { encodeStanza } from '../../src/whatsapp/baileys/parse/journal-stanza.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
let shop: Linked;
let stranger: Phone;
const warnings: string[] = [];
const counted: string[] = [];

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = sessionsOn(sandbox, {
    log: { warn: (_fields, text) => warnings.push(text) },
    unreadable: { inc: ({ outcome }) => counted.push(outcome) },
  });
  shop = await linkSession(sandbox, factory, '5511988860001');
  stranger = await sandbox.createPhone({ number: '5511988860002', name: 'Stranger' });
});
beforeEach(() => {
  warnings.length = 0;
  counted.length = 0;
  shop.recorder.refuse = null;
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

const device = () => `${shop.phone.number}:${shop.phone.companions[0]}@s.whatsapp.net`;

/** What the device asked a phone for again; its own phone asks too, and is not what is tested. */
const retriesTo = (phone: Phone) =>
  phone.receivedReceipts.filter(({ type, fromDevice }) => type === 'retry' && fromDevice.includes(':'));

/** The next message comes, on the same connection. */
async function goesOn(): Promise<void> {
  const { id } = await stranger.sendText(shop.phone.number, 'and on');
  expect(await shop.recorder.message(id)).toMatchObject({ content: { text: 'and on' } });
  expect(shop.recorder.events.filter(({ type }) => type === 'closed')).toEqual([]);
}

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

/** A field of a protobuf message with these bytes in it. */
function field(number: number, content: Uint8Array): Buffer {
  const head: number[] = [];
  for (let rest = number * 8 + 2; ; rest = Math.floor(rest / 128)) {
    head.push(rest > 127 ? (rest % 128) + 128 : rest);
    if (rest <= 127) break;
  }
  for (let rest = content.length; ; rest = Math.floor(rest / 128)) {
    head.push(rest > 127 ? (rest % 128) + 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from(head), content]);
}

const EPHEMERAL_MESSAGE = 40;
const FUTURE_PROOF_INNER = 1;

function nested(depth: number): Buffer {
  let message: Buffer = Buffer.from(proto.Message.encode({ conversation: 'deep' }).finish());
  for (let level = 0; level < depth; level += 1) {
    message = field(EPHEMERAL_MESSAGE, field(FUTURE_PROOF_INNER, message));
  }
  return message;
}

describe('a plaintext that cannot be read', () => {
  test.each([
    ['ten bytes of ff', Buffer.alloc(10, 0xff)],
    ['20,000 messages within each other', nested(20_000)],
    ['a text that is not UTF-8, cut off', Buffer.from([0x0a, 0x7f, 0xc3])],
  ])('%s: is reported as unknown with its bytes, is warned of once, and is settled', async (_what, bytes) => {
    const id = await stranger.hostile.sendPlaintext(shop.phone, bytes);
    const message = await shop.recorder.message(id);
    expect(message).toMatchObject({
      content: { kind: 'unknown', text: null },
      sender: { jid: stranger.jid },
    });
    expect(Buffer.from(message.raw).equals(bytes)).toBe(true);
    await goesOn();
    await sandbox.waitForAcknowledged(device());
    await shop.credentials.forgotten(id);
    expect(warnings.filter((text) => text.includes('stored as it came'))).toHaveLength(1);
    expect(counted).toEqual(['stored_as_unknown']);
    expect(retriesTo(stranger)).toEqual([]);
  });
});

test.each(['99999999999999', '1e300', '-1', 'yesterday'])('a time "%s"', async (t) => {
  const bytes = proto.Message.encode({ conversation: 'when?' }).finish();
  const before = Date.now();
  const id = await stranger.hostile.sendPlaintext(shop.phone, bytes, { attrs: { t } });
  const { timestamp } = await shop.recorder.message(id);
  expect([before, timestamp, Date.now()].toSorted((a, b) => a - b)[1]).toBe(timestamp);
});

describe('what fails every time because of what it is', () => {
  test('a message that is never taken, in any form, is set aside; the next one is reported', async () => {
    shop.recorder.refusal = new RangeError('secret words of the sender');
    shop.recorder.refuse = (event) => event.type === 'message' && event.message.id === 'POISON';
    await stranger.sendText(shop.phone.number, 'never', { id: 'POISON' });
    await goesOn();
    shop.recorder.refuse = null;
    expect([...shop.credentials.aside]).toEqual([[expect.stringContaining('POISON'), 'RangeError']]);
    expect(counted).toEqual(['set_aside']);
    expect(warnings.join()).not.toContain('secret words');
    shop.credentials.aside.clear();
  });

  test('a receipt is set aside and acknowledged', async () => {
    const id = shop.session.messages.newId();
    shop.recorder.refusal = new RangeError('invalid');
    shop.recorder.refuse = (event) => event.type === 'receipt';
    await shop.session.messages.send({ to: stranger.jid, id, message: { conversation: 'did you?' } });
    await shop.recorder.refused;
    await sandbox.waitForAcknowledged(device());
    shop.recorder.refuse = null;
    expect([...shop.credentials.aside.keys()].join()).toContain(id);
    expect(counted).toEqual(['set_aside']);
    await goesOn();
    shop.credentials.aside.clear();
  });

  test('a notification is set aside and acknowledged', async () => {
    shop.recorder.refusal = new RangeError('invalid');
    shop.recorder.refuse = (event) => event.type === 'notice' && event.notice.name === 'contact.about';
    sandbox.inject(device(), {
      tag: 'notification',
      attrs: { from: stranger.jid, type: 'status', id: 'N1', t: '1700000000' },
      content: [{ tag: 'set', attrs: {}, content: Buffer.from('new') }],
    });
    await sandbox.waitForAcknowledged(device());
    shop.recorder.refuse = null;
    expect([...shop.credentials.aside.keys()].join()).toContain('N1');
    await goesOn();
    shop.credentials.aside.clear();
  });
});

describe('what an earlier process left in the journal', () => {
  test('is stored while the connection opens; what cannot be read of it is told, and set aside', async () => {
    await shop.session.stop();
    const stanza = encodeStanza({
      tag: 'message',
      attrs: { from: stranger.lid, id: 'SEALED', t: '1700000000' },
    });
    const damaged = Buffer.from([7, 7, 7]);
    const sealed = { id: `${stranger.lid}||SEALED|0|x`, stanza, plaintext: null, receivedAt: 1 };
    const lost = { id: `${stranger.lid}||LOST|0|x`, stanza: damaged, plaintext: null, receivedAt: 2 };
    const odd = {
      id: `${stranger.lid}||ODD|0|x`,
      stanza: damaged,
      plaintext: Buffer.from([1]),
      receivedAt: 3,
    };
    for (const row of [sealed, lost, odd]) shop.credentials.journal.set(row.id, row);
    const recorder = new Recorder();
    // The store takes nothing while the session comes up.
    recorder.refuse = (event) => event.type === 'message';
    shop.session = await openSession(factory, shop.credentials, recorder);
    await recorder.next('open');
    recorder.refuse = null;
    for (const id of ['SEALED', 'LOST']) {
      expect(await recorder.message(id)).toMatchObject({
        content: { kind: 'undecryptable' },
        sender: { lid: stranger.lid },
      });
    }
    shop.recorder = recorder;
    await goesOn();
    expect([...shop.credentials.aside.keys()]).toEqual([sealed.id, lost.id, odd.id]);
  });
});

describe('a session that cannot be read from the store', () => {
  test('is not a property of the message: it is decrypted once the store answers', async () => {
    await goesOn();
    const { commits } = shop.credentials;
    const before = commits.length;
    shop.credentials.unreadable = { type: 'session', times: 1 };
    const { id } = await stranger.sendText(shop.phone.number, 'patience');
    expect(await shop.recorder.message(id)).toMatchObject({ content: { kind: 'text', text: 'patience' } });
    expect(shop.credentials.unreadable.times).toBe(0);
    expect(commits.slice(before).flatMap(({ journal }) => journal)).toHaveLength(1);
    expect(retriesTo(stranger)).toEqual([]);
  });
});

describe('what cannot be decrypted', () => {
  test('is in the journal before its sender is asked for it again', async () => {
    shop.recorder.refuse = (event) =>
      event.type === 'message' && event.message.content.kind === 'undecryptable';
    shop.recorder.refusal = new StorageFailure('full', null);
    stranger.answersRetries = false;
    const { id } = await stranger.sendText(shop.phone.number, 'broken', { corrupt: 'companions' });
    await stranger.waitForReceipt((receipt) => receipt.messageId === id && receipt.fromDevice.includes(':'));
    expect([...shop.credentials.journal.keys()].join()).toContain(`|${id}|`);
    stranger.answersRetries = true;
    shop.recorder.refuse = null;
    expect((await shop.recorder.message(id)).content.kind).toBe('undecryptable');
  });

  test('nor opened at all, is journaled before it is acknowledged', async () => {
    const before = shop.credentials.commits.length;
    sandbox.inject(device(), {
      tag: 'message',
      attrs: { from: stranger.lid, id: 'UNAVAILABLE', type: 'text', t: '1700000000' },
      content: [{ tag: 'enc', attrs: { v: '2', type: 'of-tomorrow' }, content: Buffer.from([1, 2]) }],
    });
    expect(await shop.recorder.message('UNAVAILABLE')).toMatchObject({
      content: { kind: 'undecryptable' },
      retry: { from: stranger.lid },
    });
    await sandbox.waitForAcknowledged(device());
    const journaled = shop.credentials.commits.slice(before).flatMap(({ journal }) => journal);
    expect(journaled.join()).toContain('UNAVAILABLE');
  });
});

describe('a counter that was used already', () => {
  /** The stanza that brought a message of a sender of its own, as the device saw it. */
  async function received(number: string, id: string) {
    const sender = await sandbox.createPhone({ number, name: 'Restored from a backup' });
    const posts = vi.spyOn(sandbox, 'inject');
    const plaintext = proto.Message.encode({ conversation: 'first' }).finish();
    await sender.hostile.sendPlaintext(shop.phone, plaintext, { id });
    const [, stanza] = posts.mock.calls.find(([to]) => deviceOf(to) !== 0) ?? [];
    posts.mockRestore();
    if (!stanza) throw new Error('nothing was sent to the companion');
    expect((await shop.recorder.message(id)).content.text).toBe('first');
    await shop.credentials.forgotten(id);
    return { sender, stanza };
  }

  const deviceOf = (jid: string) => Number(/:(\d+)@/.exec(jid)?.[1] ?? 0);

  test('by a message that never came, is told, and asked for again', async () => {
    const { sender, stanza } = await received('5511988860011', 'COUNTED');
    sandbox.inject(device(), { ...stanza, attrs: { ...stanza.attrs, id: 'NEVER-SEEN' } });
    expect((await shop.recorder.message('NEVER-SEEN')).content.kind).toBe('undecryptable');
    await sender.waitForReceipt((receipt) => receipt.messageId === 'NEVER-SEEN');
  });

  test('by a copy of what could not be read, is asked for again: nothing says that it was delivered', async () => {
    const { sender, stanza } = await received('5511988860013', 'FIRST');
    const unread = { ...stanza, attrs: { ...stanza.attrs, id: 'STILL-UNREAD' } };
    sender.answersRetries = false;
    sandbox.inject(device(), unread);
    expect((await shop.recorder.message('STILL-UNREAD')).content.kind).toBe('undecryptable');
    await sender.waitForReceipt(({ messageId }) => messageId === 'STILL-UNREAD');
    await shop.credentials.forgotten('STILL-UNREAD');
    sandbox.inject(device(), unread);
    await expect.poll(() => retriesTo(sender)).toHaveLength(2);
    await shop.recorder.message('STILL-UNREAD');
    const told = sender.receivedReceipts.filter(({ messageId }) => messageId === 'STILL-UNREAD');
    expect(told.map(({ type }) => type)).toEqual(['retry', 'retry']);
  });

  test('is a repetition when the message is the same', async () => {
    const { sender, stanza } = await received('5511988860012', 'TWICE');
    sandbox.inject(device(), stanza);
    await sandbox.waitForAcknowledged(device());
    await goesOn();
    expect(shop.recorder.events.filter(({ type }) => type === 'message')).toEqual([]);
    expect(retriesTo(sender)).toEqual([]);
  });
});

test('a post of a channel, which is not encrypted, is journaled and reported', async () => {
  const before = shop.credentials.commits.length;
  const channel = '120363400000000001@newsletter';
  sandbox.inject(device(), {
    tag: 'message',
    attrs: { from: channel, id: 'POST', type: 'text', t: '1700000000', server_id: '101' },
    content: [
      { tag: 'plaintext', attrs: {}, content: proto.Message.encode({ conversation: 'news' }).finish() },
    ],
  });
  expect(await shop.recorder.message('POST')).toMatchObject({
    chat: { jid: channel },
    sender: { jid: channel },
    fromMe: false,
    content: { kind: 'text', text: 'news' },
  });
  await sandbox.waitForAcknowledged(device());
  const journaled = shop.credentials.commits.slice(before).flatMap(({ journal }) => journal);
  expect(journaled.join()).toContain('POST');
});

describe('a stanza that the library cannot name in its answer', () => {
  beforeEach(() => shop.credentials.aside.clear());

  test.each([
    ['call', { type: 'call me @' }],
    ['notification', { type: 'encrypt', participant: 'call me @' }],
    ['notification', { type: 'status', id: 'constructor' }],
    ['receipt', { type: 'read', id: '@' }],
    ['receipt', { type: 'read', recipient: 'a@b@s.whatsapp.net' }],
    ['receipt', { type: 'read', participant: '1:99@g.us' }],
    ['receipt', { type: 'read', participant: '1:999@lid' }],
    ['message', { type: 'text', participant: '@' }],
    ['message', { type: 'text', from: `${'x'.repeat(300)}@` }],
  ])('%s with %j: is set aside and acknowledged, and the connection stays', async (tag, attrs) => {
    const t = String(Math.floor(Date.now() / 1000));
    stranger.hostile.inject(device(), { tag, attrs: { from: stranger.lid, id: 'ODD', t, ...attrs } });
    await sandbox.waitForAcknowledged(device());
    await goesOn();
    expect([...shop.credentials.aside.values()]).toEqual(['UnwritableName']);
    expect(counted).toEqual(['set_aside']);
  });

  test('a message that cannot be read and has half a JID for its time', async () => {
    const attrs = { from: stranger.lid, id: 'ODDTIME', type: 'text', t: 'call me @' };
    const content = [{ tag: 'enc', attrs: { v: '2', type: 'msg' }, content: Buffer.alloc(80, 7) }];
    stranger.hostile.inject(device(), { tag: 'message', attrs, content });
    await sandbox.waitForAcknowledged(device());
    await goesOn();
    expect([...shop.credentials.aside.values()]).toEqual(['UnwritableName']);
  });

  test.each([
    'a@b@s.whatsapp.net',
    '@s.whatsapp.net',
    'call me @',
    '1:99:@s.whatsapp.net',
  ])('another name of the sender, "%s", is left out and the message told', async (name) => {
    const bytes = proto.Message.encode({ conversation: 'named oddly' }).finish();
    const odd = { participant_pn: name, sender_pn: name, sender_lid: name };
    const id = await stranger.hostile.sendPlaintext(shop.phone, bytes, { attrs: odd });
    const message = await shop.recorder.message(id);
    expect(message).toMatchObject({ content: { text: 'named oddly' } });
    expect([stranger.jid, null]).toContain(message.sender.jid);
    await goesOn();
    expect(counted).toEqual([]);
  });

  test.each([
    ['a contact', { from: '5511988860002:255@s.whatsapp.net' }],
    ['a hosted device', { from: '5511988860002:99@hosted.lid' }],
    ['a channel', { from: '120363000000000000@newsletter' }],
    ['the server', { from: '@s.whatsapp.net' }],
    ['a group', { from: '5511988860002-1600000000@g.us', participant: '5511988860002@s.whatsapp.net' }],
  ])('of %s: names in their usual forms are left to the library', async (_who, attrs) => {
    const t = String(Math.floor(Date.now() / 1000));
    const stanza = { tag: 'notification', attrs: { type: 'status', id: 'USUAL', t, ...attrs } };
    stranger.hostile.inject(device(), stanza);
    await sandbox.waitForAcknowledged(device());
    await goesOn();
    expect(counted).toEqual([]);
  });
});

test.each([
  ['no name', {}],
  ['a name of nothing', { name: 'weekly' }],
  ['a name from the prototype', { name: 'constructor' }],
])('a change of an app-state collection with %s: is acknowledged and not asked for', async (_what, attrs) => {
  const t = String(Math.floor(Date.now() / 1000));
  stranger.hostile.inject(device(), {
    tag: 'notification',
    attrs: { from: '@s.whatsapp.net', type: 'server_sync', id: 'SYNC', t },
    content: [{ tag: 'collection', attrs }],
  });
  await sandbox.waitForAcknowledged(device());
  await goesOn();
});

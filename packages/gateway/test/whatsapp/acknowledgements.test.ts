import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
let shop: Linked;
let contact: Phone;
const errors: string[] = [];

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = sessionsOn(sandbox, {
    log: { error: (_what, text) => errors.push(text) },
  });
  shop = await linkSession(sandbox, factory, '5511988840001');
  contact = await sandbox.createPhone({ number: '5511988840002', name: 'Ana' });
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

const device = () => `${shop.phone.number}:${shop.phone.companions[0]}@s.whatsapp.net`;

/** What somebody posted for a day, and nobody can open. */
const unreadable = (tag: string, id: string): BinaryNode => ({
  tag,
  attrs: {
    from: 'status@broadcast',
    participant: contact.lid,
    id,
    type: 'text',
    t: String(Math.floor(Date.now() / 1000)),
  },
  content: [{ tag: 'enc', attrs: { v: '2', type: 'skmsg' }, content: Buffer.from('of nobody') }],
});

/** The session as the next process opens it. */
async function reconnected(meanwhile: () => Promise<void>): Promise<void> {
  await shop.session.stop();
  await sandbox.waitForOffline(device());
  await meanwhile();
  shop = { ...shop, session: await openSession(factory, shop.credentials, shop.recorder) };
}

test('what comes while a QR code is shown is acknowledged', async () => {
  const recorder = new Recorder();
  const session = await openSession(factory, new MemoryCredentials(), recorder);
  await recorder.next('qr', ({ code }) => code.length > 0);
  await expect.poll(() => sandbox.pendingForUnlinked).toBe(0);
  expect(errors.filter((text) => text.includes('failed to ack'))).toEqual([]);
  await session.stop();
});

describe('a status that cannot be opened', () => {
  test('is acknowledged as any message, and holds up nothing', async () => {
    sandbox.inject(device(), unreadable('message', 'POSTED'));
    expect((await shop.recorder.message('POSTED')).content.kind).toBe('undecryptable');
    const ids: string[] = [];
    await reconnected(async () => {
      for (const text of ['one', 'two']) ids.push((await contact.sendText(shop.phone.number, text)).id);
    });
    for (const id of ids) expect((await shop.recorder.message(id)).content.kind).toBe('text');
    await sandbox.waitForAcknowledged(device());
  });

  test('in a stanza of its own is taken for a message, and acknowledged by its class', async () => {
    sandbox.inject(device(), unreadable('status', 'POSTED-ANEW'));
    expect((await shop.recorder.message('POSTED-ANEW')).content.kind).toBe('undecryptable');
    await sandbox.waitForAcknowledged(device());
  });
});

test('a status in a stanza of its own is read', async () => {
  const { id } = await contact.sendText(shop.phone.number, 'a session to write in');
  await shop.recorder.message(id);
  const plaintext = Buffer.from([0x0a, 5, ...Buffer.from('bread')]);
  await contact.hostile.sendPlaintext(shop.phone, plaintext, {
    id: 'OF-A-DAY',
    attrs: { from: 'status@broadcast', participant: contact.lid },
    tag: 'status',
  });
  const got = await shop.recorder.message('OF-A-DAY');
  expect(got).toMatchObject({ chat: { jid: 'status@broadcast' }, content: { kind: 'text', text: 'bread' } });
  await sandbox.waitForAcknowledged(device());
});

describe('a message of the own account', () => {
  test('that cannot be opened, and that nobody sends again, is received all the same', async () => {
    shop.phone.answersRetries = false;
    const { id } = await shop.phone.sendText(contact, 'from the phone', { corrupt: 'companions' });
    expect((await shop.recorder.message(id)).content.kind).toBe('undecryptable');
    await sandbox.waitForAcknowledged(device());
    shop.phone.answersRetries = true;
  });

  test('that comes again is received again, and told once', async () => {
    const posts = vi.spyOn(sandbox, 'inject');
    const plaintext = Buffer.from([0x0a, 5, ...Buffer.from('twice')]);
    const attrs = { recipient: contact.lid };
    await shop.phone.hostile.sendPlaintext(shop.phone, plaintext, { id: 'OWN-TWICE', attrs });
    const stanza = posts.mock.calls.find(([to]) => to.includes(':'))?.[1];
    posts.mockRestore();
    expect(await shop.recorder.message('OWN-TWICE')).toMatchObject({ fromMe: true });
    await shop.credentials.forgotten('OWN-TWICE');
    await sandbox.waitForAcknowledged(device());
    if (stanza) sandbox.inject(device(), stanza);
    expect(sandbox.pendingFor(device())).toBe(1);
    await sandbox.waitForAcknowledged(device());
    expect(shop.recorder.events.filter(({ type }) => type === 'message')).toEqual([]);
  });
});

test('what an assistant answers is answered once it is stored, by the next process too', async () => {
  const said: string[] = [];
  const end = sandbox.network.onStanza(({ tag, attrs }, { user, device: number }) => {
    if (user === shop.phone.number && number !== 0 && attrs.id === 'FROM-META-AI') said.push(tag);
  });
  const question = await shop.phone.assistant.ask('Who are you?');
  await shop.recorder.message(question.id);
  await sandbox.waitForAcknowledged(device());
  shop.recorder.refuse = ({ type }) => type === 'message';
  await shop.phone.assistant.answer(question.id, 'An assistant', { id: 'FROM-META-AI' });
  await shop.recorder.refused;
  expect([said, sandbox.pendingFor(device())]).toEqual([[], 1]);
  await reconnected(async () => {
    shop.recorder.refuse = null;
  });
  const got = await shop.recorder.message('FROM-META-AI');
  expect(got).toMatchObject({
    chat: { jid: '867051314767696@bot' },
    content: { sealed: 'assistant_answer', targetId: question.id },
  });
  await sandbox.waitForAcknowledged(device());
  // Nobody opens it here: it is refused, as by official clients.
  expect(said).toEqual(['ack']);
  end();
});

test('a stream that the server ends for a missing acknowledgement is a lost connection', async () => {
  sandbox.inject(device(), { tag: 'of-tomorrow', attrs: { from: contact.lid, id: 'NEVER-TAKEN' } });
  expect(sandbox.faults.demandAcknowledgement(device())).toBe(true);
  const closed = await shop.recorder.next('closed', ({ reason }) => reason !== 'stopped');
  expect(closed).toMatchObject({ reason: 'connection_lost', detail: 'Stream Errored (ack)' });
});

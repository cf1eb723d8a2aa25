import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SendRejected } from '../../src/whatsapp/port/errors.ts';
import type { SessionFactory, WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';
import type { MemoryCredentials } from './memory-credentials.ts';
import type { Recorder } from './recorder.ts';

// Watched before the factory exists: what reaches these would have reached the terminal.
const consoles = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level));

let sandbox: Sandbox;
let factory: SessionFactory;

beforeAll(async () => {
  sandbox = await startSandbox();
  expect(readFileSync(sandbox.caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
  factory = sessionsOn(sandbox);
});
afterAll(() => sandbox.stop());

const linked = (number: string): Promise<Linked> => linkSession(sandbox, factory, number);
const open = (credentials: MemoryCredentials, recorder: Recorder): Promise<WhatsAppSession> =>
  openSession(factory, credentials, recorder);

describe('the Baileys session against a network', () => {
  test('nothing that the libraries print carries a key', async () => {
    const shop = await linked('5511988880013');
    const contact = await sandbox.createPhone({ number: '5511988880014', name: 'Gil' });
    const { id } = await contact.sendText(shop.phone.number, 'one');
    await shop.recorder.message(id);
    const reply = shop.session.messages.newId();
    await shop.session.messages.send({ to: contact.jid, id: reply, message: { conversation: 'two' } });
    await contact.waitForMessage((m) => m.id === reply);
    await shop.session.stop();
    const printed = consoles.flatMap((spy) => spy.mock.calls).map((args) => inspect(args, { depth: 6 }));
    expect(printed.join('\n')).not.toMatch(/privKey|SessionEntry|chainKey/);
  });

  test('links, receives, sends, and keeps its keys over a restart', async () => {
    const shop = await linked('5511988880001');
    const contact = await sandbox.createPhone({ number: '5511988880002', name: 'Ana' });

    const inbound = await contact.sendText(shop.phone.number, 'olá');
    const received = await shop.recorder.message(inbound.id);
    expect(received).toMatchObject({
      isGroup: false,
      fromMe: false,
      pushName: 'Ana',
      chat: { jid: contact.jid, lid: contact.lid },
      sender: { jid: contact.jid, lid: contact.lid },
      content: { kind: 'text', text: 'olá', media: null },
    });

    const id = shop.session.messages.newId();
    const before = Math.floor(Date.now() / 1000) * 1000;
    const ack = await shop.session.messages.send({ to: contact.jid, id, message: { conversation: 'oi' } });
    expect(ack.timestamp).toBeGreaterThanOrEqual(before);
    expect(ack.timestamp).toBeLessThanOrEqual(Date.now());
    expect((await contact.waitForMessage((m) => m.id === id)).text).toBe('oi');
    const { receipt } = await shop.recorder.next('receipt');
    expect(receipt).toMatchObject({ messageIds: [id], kind: 'delivered', recipient: { jid: contact.jid } });

    await shop.session.stop();
    expect((await shop.recorder.next('closed')).reason).toBe('stopped');
    const away = await contact.sendText(shop.phone.number, 'still there?');
    const again = await open(shop.credentials, shop.recorder);
    expect(await shop.recorder.message(away.id)).toMatchObject({
      offline: true,
      content: { text: 'still there?' },
    });
    await again.stop();
  });

  test('ratchet and plaintext are one commit, and the journal is empty once the archive has the message', async () => {
    const shop = await linked('5511988880003');
    const contact = await sandbox.createPhone({ number: '5511988880004', name: 'Bia' });
    const { id } = await contact.sendText(shop.phone.number, 'count me');
    await shop.recorder.message(id);
    const journaled = shop.credentials.commits.filter((commit) =>
      commit.journal.some((each) => each.includes(id)),
    );
    expect(journaled).toHaveLength(1);
    expect(journaled[0]?.keys).toContain('session');
    await shop.credentials.forgotten(id);
    await shop.session.stop();
  });

  test('what the archive refused is in the journal and is reported by the next process', async () => {
    const shop = await linked('5511988880005');
    const contact = await sandbox.createPhone({ number: '5511988880006', name: 'Caio' });
    shop.recorder.refuse = (event) => event.type === 'message';
    const { id } = await contact.sendText(shop.phone.number, 'do not lose me');
    await shop.recorder.refused;
    await shop.session.stop();
    expect([...shop.credentials.journal.keys()].join()).toContain(id);

    shop.recorder.refuse = null;
    const again = await open(shop.credentials, shop.recorder);
    expect((await shop.recorder.message(id)).content.text).toBe('do not lose me');
    await shop.credentials.forgotten(id);
    await again.stop();
  });

  test.each([
    'chat',
    'group',
  ] as const)('a message of a %s that was committed when the process died is known when it comes again', async (where) => {
    const base = where === 'chat' ? '55119888811' : '55119888812';
    const shop = await linked(`${base}01`);
    const contact = await sandbox.createPhone({ number: `${base}02`, name: 'Hugo' });
    const to = where === 'chat' ? shop.phone.number : await shop.phone.createGroup('Team', [contact]);
    const first = await contact.sendText(to, 'first');
    await shop.recorder.message(first.id);

    // Dead between the commit and the receipt: what was written stays written, nothing follows.
    const died = shop.credentials.dieAfterNextJournal();
    const { id } = await contact.sendText(to, 'did it get lost?');
    await died;
    const device = `${base}01:${shop.phone.companions[0]}@s.whatsapp.net`;
    // Nothing of a dead process can be waited for but the end of its connection.
    void shop.session.stop();
    await sandbox.waitForOffline(device);
    shop.credentials.revive();
    expect(sandbox.pendingFor(device)).toBeGreaterThan(0);

    const again = await open(shop.credentials, shop.recorder);
    expect((await shop.recorder.message(id)).content.text).toBe('did it get lost?');
    await sandbox.waitForAcknowledged(device);
    expect(contact.receivedReceipts.filter((receipt) => receipt.type === 'retry')).toEqual([]);
    await shop.credentials.forgotten(id);
    await again.stop();
  });

  test('a receipt that was not stored is not acknowledged and comes again', async () => {
    const shop = await linked('5511988880007');
    const contact = await sandbox.createPhone({ number: '5511988880008', name: 'Duda' });
    shop.recorder.refuse = (event) => event.type === 'receipt';
    const id = shop.session.messages.newId();
    await shop.session.messages.send({ to: contact.jid, id, message: { conversation: 'did you get it?' } });
    await contact.waitForMessage((m) => m.id === id);
    await shop.session.stop();
    shop.recorder.refuse = null;
    const again = await open(shop.credentials, shop.recorder);
    expect((await shop.recorder.next('receipt')).receipt.messageIds).toEqual([id]);
    await again.stop();
  });

  test('a message that WhatsApp refuses is a SendRejected with its code', async () => {
    const shop = await linked('5511988880009');
    const contact = await sandbox.createPhone({ number: '5511988880010', name: 'Eva' });
    sandbox.faults.nextAckError(463);
    const id = shop.session.messages.newId();
    const refused = shop.session.messages.send({ to: contact.jid, id, message: { conversation: 'no' } });
    await expect(refused).rejects.toBeInstanceOf(SendRejected);
    await expect(refused).rejects.toMatchObject({ whatsappCode: 463 });
    await shop.session.stop();
  });

  test('looks numbers up, and groups name their members', async () => {
    const shop = await linked('5511988880011');
    const contact = await sandbox.createPhone({ number: '5511988880012', name: 'Fabi' });
    const found = await shop.session.contacts.lookUpNumbers(['5511988880012', '5511900000000']);
    expect(found).toEqual([
      { number: '5511988880012', exists: true, jid: contact.jid, lid: contact.lid },
      { number: '5511900000000', exists: false, jid: null, lid: null },
    ]);
    const group = await shop.phone.createGroup('Team', [contact]);
    const members = await shop.session.groups.members(group.jid);
    expect(members.map((member) => member.jid).sort()).toEqual([shop.phone.jid, contact.jid].sort());
    const { id } = await contact.sendText(group, 'hi all');
    expect(await shop.recorder.message(id)).toMatchObject({
      isGroup: true,
      chat: { jid: group.jid },
      sender: { jid: contact.jid, lid: contact.lid },
      content: { kind: 'text', text: 'hi all' },
    });
    await shop.session.stop();
  });
});

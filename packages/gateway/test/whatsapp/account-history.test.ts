import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { encodeBinaryNode, proto } from 'baileys';
import { afterAll, describe, expect, test } from 'vitest';
import { HISTORY_BATCH } from '../../src/whatsapp/baileys/account/history-reader.ts';
import type { HistoryBatch } from '../../src/whatsapp/port/history.ts';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';
import { startAccountWorld } from './account-world.ts';
import { type Linked, linkSession, openSession } from './linked-session.ts';
import { Recorder } from './recorder.ts';

const { sandbox, factory, folder, warnings, destroy } = await startAccountWorld();
const ana = await sandbox.createPhone({ number: '5511933330002', name: 'Ana' });
afterAll(destroy);

/** Batches until so many messages have come. */
async function messages(recorder: Recorder, count: number): Promise<InboundMessage[]> {
  const found: InboundMessage[] = [];
  while (found.length < count) {
    const { batch } = await recorder.next('history', ({ batch: each }) => each.messages.length > 0);
    expect(batch.messages.length).toBeLessThanOrEqual(HISTORY_BATCH);
    found.push(...batch.messages);
  }
  return found;
}

const batchOf = async (recorder: Recorder, kind: HistoryBatch['kind']): Promise<HistoryBatch> =>
  (await recorder.next('history', ({ batch }) => batch.kind === kind)).batch;

const leftOver = (linked: Linked) => [...linked.credentials.journal.keys()];

describe('history', () => {
  test('comes in bounded batches, with both names of everybody, and leaves no file behind', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330001', name: 'Owner' });
    const past = await owner.past.fill(ana, 760);
    const linked = await linkSession(sandbox, factory, owner);
    const found = await messages(linked.recorder, past.length);
    expect(found.map(({ id }) => id).sort()).toEqual(past.map(({ id }) => id).sort());
    expect(found[0]).toMatchObject({
      chat: { jid: ana.jid, lid: ana.lid },
      source: 'history',
      offline: false,
    });
    const own = found.find(({ fromMe }) => fromMe);
    expect(own?.sender).toEqual({ jid: owner.jid, lid: owner.lid });
    await linked.session.stop();
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });

  test('has its texts cleaned as those of live messages', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330021', name: 'Owner' });
    const linked = await linkSession(sandbox, factory, owner);
    await batchOf(linked.recorder, 'push_names');
    const text = 'a\0b \ud83d c';
    const message = {
      key: { id: 'UNCLEAN', remoteJid: ana.jid, fromMe: false },
      message: { conversation: text },
      messageTimestamp: 1_700_000_000,
      pushName: text,
    };
    const history = proto.HistorySync.encode({
      syncType: proto.HistorySync.HistorySyncType.RECENT,
      conversations: [{ id: ana.jid, messages: [{ message }] }],
    }).finish();
    const syncType = proto.Message.HistorySyncType.RECENT;
    await owner.hostile.history(owner.companions[0] ?? 1, { bytes: deflateSync(history), syncType });
    const { messages: found } = await batchOf(linked.recorder, 'recent');
    const clean = expect.stringMatching(/^ab \ufffd+ c$/);
    expect(found).toMatchObject([{ id: 'UNCLEAN', pushName: clean, content: { text: clean } }]);
    await linked.session.stop();
  });

  test('that was not stored is read again by the next process', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330003', name: 'Owner' });
    const past = await owner.past.fill(ana, 260);
    const linked = await linkSession(sandbox, factory, owner, (event) => event.type === 'history');
    await linked.recorder.refused;
    await linked.session.stop();
    expect(leftOver(linked).length).toBeGreaterThan(0);
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    const found = await messages(recorder, past.length);
    expect(new Set(found.map(({ id }) => id)).size).toBe(past.length);
    await again.stop();
    expect(leftOver(linked)).toEqual([]);
  });

  test('whose file has expired is given up, and what comes behind it is not held up', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330004', name: 'Owner' });
    await owner.past.fill(ana, 300);
    const linked = await linkSession(sandbox, factory, owner, (event) => event.type === 'history');
    await linked.recorder.refused;
    await owner.bootstrapped(owner.companions[0] ?? 1);
    await linked.session.stop();
    sandbox.cdn.expireAll();
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    await recorder.next('open');
    await again.history.request({
      chat: ana.lid,
      oldest: { id: 'none', fromMe: false, timestamp: 1_000 },
      count: 5,
    });
    expect(await batchOf(recorder, 'on_demand')).toMatchObject({ messages: [], chats: [{ archived: null }] });
    expect(warnings).toContain('account data is lost');
    await again.stop();
    expect(leftOver(linked)).toEqual([]);
  });

  test('that makes no sense is set aside, and what comes behind it is not held up', async () => {
    const linked = await linkSession(sandbox, factory, '5511933330007');
    await batchOf(linked.recorder, 'push_names');
    await linked.session.stop();
    warnings.length = 0;
    const id = `${linked.phone.jid}||forged|0|x`;
    const plaintext = proto.Message.encode({
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType: proto.Message.HistorySyncType.RECENT,
          initialHistBootstrapInlinePayload: Buffer.from('not deflated'),
        },
      },
    }).finish();
    const stanza = encodeBinaryNode({ tag: 'message', attrs: { from: linked.phone.jid, category: 'peer' } });
    linked.credentials.journal.set(id, { id, stanza, plaintext, receivedAt: 1 });
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    await recorder.next('open');
    await again.history.request({
      chat: ana.lid,
      oldest: { id: 'x', fromMe: false, timestamp: 1 },
      count: 1,
    });
    await batchOf(recorder, 'on_demand');
    expect(warnings).toEqual([expect.stringContaining('set aside')]);
    expect([...linked.credentials.aside.keys()]).toEqual([id]);
    await again.stop();
    expect(leftOver(linked)).toEqual([]);
  });

  test('tells how each chat stands in the list', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330008', name: 'Owner' });
    const bob = await sandbox.createPhone({ number: '5511933330009', name: 'Bob' });
    await owner.past.fill(bob, 1, 1_700_000_500);
    await owner.past.fill(ana, 3, 1_700_000_000);
    await owner.past.show(ana, { name: 'Ana Souza', unread: 2, pinned: true, mutedUntil: -1 });
    await owner.past.show(bob, { archived: true, markedUnread: true, mutedUntil: 1_900_000_000_000 });
    const linked = await linkSession(sandbox, factory, owner);
    const { chats } = await batchOf(linked.recorder, 'initial');
    expect(chats).toEqual([
      {
        chat: { jid: ana.jid, lid: ana.lid },
        name: 'Ana Souza',
        archived: false,
        pinned: true,
        muted: true,
        mutedUntil: null,
        unreadCount: 2,
        markedUnread: false,
        lastAt: 1_700_000_000_000,
      },
      {
        chat: { jid: bob.jid, lid: bob.lid },
        name: null,
        archived: true,
        pinned: false,
        muted: true,
        mutedUntil: 1_900_000_000_000,
        unreadCount: 0,
        markedUnread: true,
        lastAt: 1_700_000_500_000,
      },
    ]);
    await linked.session.stop();
  });

  test('brings push names that are no news when their owner writes', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330005', name: 'Owner' });
    await owner.past.add(ana, [{ text: 'hi', timestamp: 1_700_000_000, pushName: 'Ana' }]);
    const linked = await linkSession(sandbox, factory, owner);
    expect((await batchOf(linked.recorder, 'push_names')).contacts).toBeGreaterThan(0);
    const { id } = await ana.sendText(owner, 'me again');
    await linked.recorder.message(id);
    await linked.session.stop();
    const notices = linked.recorder.events.filter((event) => event.type === 'notice');
    expect(notices.map(({ notice }) => notice.name)).not.toContain('contact.pushname');
  });

  test('is taken from our own phone alone', async () => {
    const owner = await sandbox.createPhone({ number: '5511933330006', name: 'Owner' });
    const linked = await linkSession(sandbox, factory, owner);
    await batchOf(linked.recorder, 'push_names');
    await ana.sendRaw(owner, {
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType: proto.Message.HistorySyncType.RECENT,
          directPath: '/v/forged',
          mediaKey: Buffer.alloc(32),
        },
      },
    });
    const { id } = await ana.sendText(owner, 'after the forgery');
    await linked.recorder.message(id);
    await linked.session.stop();
    const kinds = linked.recorder.events.flatMap((event) =>
      event.type === 'history' ? [event.batch.kind] : [],
    );
    expect(kinds).not.toContain('recent');
    expect(leftOver(linked)).toEqual([]);
  });
});

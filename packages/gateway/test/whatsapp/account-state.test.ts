import { readdir } from 'node:fs/promises';
import type { Phone } from '@wuts/sandbox';
import { afterAll, describe, expect, test } from 'vitest';
import type { AccountState } from '../../src/whatsapp/port/account.ts';
import type { SessionNotice } from '../../src/whatsapp/port/notices.ts';
import { startAccountWorld } from './account-world.ts';
import { linkSession, openSession } from './linked-session.ts';
import { Recorder } from './recorder.ts';

const { sandbox, factory, folder, warnings, destroy } = await startAccountWorld();
const ana = await sandbox.createPhone({ number: '5511944440002', name: 'Ana' });
afterAll(destroy);

const COLLECTIONS = ['critical_block', 'critical_unblock_low', 'regular', 'regular_high', 'regular_low'];
const group = '120363039000000000@g.us';
const both = (phone: Phone) => ({ jid: phone.jid, lid: phone.lid });
const people = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    jid: `55119${String(70_000_000 + index)}@s.whatsapp.net`,
    fullName: `Person ${index}`,
  }));

/** Resolves when the first sync of the collections is over. */
async function synced(recorder: Recorder, names = COLLECTIONS): Promise<void> {
  const left = new Set(names);
  while (left.size > 0) left.delete((await recorder.notice('app_state.sync_complete')).collection);
}

/** What was told as state so far, in its order. */
const states = (recorder: Recorder): AccountState[] =>
  recorder.events.flatMap((event) => (event.type === 'account_state' ? [event.state] : []));
const told = (recorder: Recorder): SessionNotice[] => states(recorder).flatMap(({ notices }) => notices);
const news = (recorder: Recorder): string[] =>
  recorder.events
    .flatMap((event) => (event.type === 'notice' ? [event.notice.name] : []))
    .filter((name) => !name.startsWith('offline.'));

describe('a new device', () => {
  test('is told what the state holds, and none of it as news', async () => {
    const phone = await sandbox.createPhone({ number: '5511944440001', name: 'Bia' });
    await phone.account.pinChat(ana);
    await phone.account.muteChat(ana);
    await phone.account.saveContact(ana, 'Ana Souza');
    const { recorder, session } = await linkSession(sandbox, factory, phone);
    await synced(recorder);
    expect(told(recorder)).toEqual(
      expect.arrayContaining([
        { name: 'chat.pin', chat: both(ana), pinned: true },
        { name: 'chat.mute', chat: both(ana), muted: true, mutedUntil: null },
        { name: 'contact.changed', contact: both(ana), firstName: null, fullName: 'Ana Souza' },
      ]),
    );
    expect(news(recorder)).toEqual([]);
    const begun = states(recorder).filter(({ begins }) => begins);
    expect(begun.map(({ collection }) => collection).sort()).toEqual(
      [...new Set(states(recorder).map(({ collection }) => collection))].sort(),
    );
    await phone.account.pinChat(ana, false);
    expect(await recorder.notice('chat.pin')).toEqual({ name: 'chat.pin', chat: both(ana), pinned: false });
    await session.stop();
  });

  test('gets much of it as a snapshot, from the hosts of the server, in bounded pieces', async () => {
    const phone = await sandbox.createPhone({ number: '5511944440003', name: 'Cid' });
    const contacts = people(1000);
    await phone.account.importContacts(contacts);
    await phone.account.removeContact(contacts[0]?.jid ?? '');
    sandbox.cdn.clearLog();
    const { recorder, session } = await linkSession(sandbox, factory, phone);
    await synced(recorder);
    expect(sandbox.cdn.log.filter(({ method }) => method === 'GET')).toHaveLength(1);
    const names = told(recorder).flatMap((notice) =>
      notice.name === 'contact.changed' ? [notice.fullName] : [],
    );
    expect(names.sort()).toEqual(
      contacts
        .slice(1)
        .map(({ fullName }) => fullName)
        .sort(),
    );
    const pieces = states(recorder).filter(({ collection }) => collection === 'critical_unblock_low');
    expect(pieces.length).toBeGreaterThanOrEqual(10);
    expect(Math.max(...pieces.map(({ notices }) => notices.length))).toBeLessThanOrEqual(100);
    expect(pieces.map(({ begins }) => begins)).toEqual(pieces.map((_, index) => index === 0));
    expect(await readdir(folder)).not.toContain(expect.stringContaining('stage'));
    // The library goes on from there: what it computed is what the phone did.
    await phone.account.saveContact(ana, 'Ana');
    expect(await recorder.notice('contact.changed')).toMatchObject({ fullName: 'Ana' });
    await session.stop();
  });

  test('is told after a crash what it had fetched, from the journal alone', async () => {
    const phone = await sandbox.createPhone({ number: '5511944440004', name: 'Duda' });
    await phone.account.importContacts(people(300));
    const linked = await linkSession(sandbox, factory, phone, ({ type }) => type === 'account_state');
    await linked.recorder.refused;
    await linked.session.stop();
    const rows = [...linked.credentials.journal.keys()].filter((id) =>
      id.startsWith('app-state|critical_unblock_low|'),
    );
    expect(rows).toHaveLength(3);
    const commit = linked.credentials.commits.find(({ journal }) => journal.includes(rows[0] ?? ''));
    expect(commit?.keys).toContain('app-state-sync-version');
    sandbox.cdn.expireAll();
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    await synced(recorder, ['critical_unblock_low']);
    expect(told(recorder).filter(({ name }) => name === 'contact.changed')).toHaveLength(300);
    expect(news(recorder)).not.toContain('contact.changed');
    await again.stop();
  });

  test('has the other collections while a file cannot be had, and asks again', async () => {
    const phone = await sandbox.createPhone({ number: '5511944440005', name: 'Eva' });
    await phone.account.importContacts(people(200));
    await phone.account.pinChat(group);
    sandbox.cdn.expireAll();
    sandbox.network.appState.snapshot('5511944440005', 'critical_unblock_low');
    sandbox.cdn.expireAll();
    const linked = await linkSession(sandbox, factory, phone);
    await synced(
      linked.recorder,
      COLLECTIONS.filter((name) => name !== 'critical_unblock_low'),
    );
    expect(warnings).toContain('a part of the app state could not be read');
    expect(told(linked.recorder)).toContainEqual({
      name: 'chat.pin',
      chat: { jid: group, lid: null },
      pinned: true,
    });
    await linked.session.stop();
    for (const { directPath } of sandbox.cdn.objects()) sandbox.cdn.restore(directPath);
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    await synced(recorder, ['critical_unblock_low']);
    expect(told(recorder).filter(({ name }) => name === 'contact.changed')).toHaveLength(200);
    await again.stop();
  });
});

describe('a device that is linked', () => {
  test('hears of a change that is too large for a stanza', async () => {
    const { phone, recorder, session } = await linkSession(sandbox, factory, '5511944440006');
    await synced(recorder);
    await phone.account.importContacts(people(250));
    const names = new Set<string | null>();
    while (names.size < 250) names.add((await recorder.notice('contact.changed')).fullName);
    await phone.account.saveContact(ana, 'Ana');
    expect(await recorder.notice('contact.changed')).toMatchObject({ fullName: 'Ana' });
    await session.stop();
  });

  test('can ask for everything anew', async () => {
    const { phone, recorder, session } = await linkSession(sandbox, factory, '5511944440007');
    await synced(recorder);
    await phone.account.pinChat(group);
    await recorder.notice('chat.pin');
    recorder.events.length = 0;
    await session.account.sync(['regular_low'], { anew: true });
    expect(states(recorder)).toEqual([
      {
        collection: 'regular_low',
        begins: true,
        notices: [{ name: 'chat.pin', chat: { jid: group, lid: null }, pinned: true }],
      },
    ]);
    expect(news(recorder)).toEqual(['app_state.sync_complete']);
    await session.account.sync(['regular_low']);
    expect(states(recorder)).toHaveLength(1);
    await phone.account.pinChat(group, false);
    expect(await recorder.notice('chat.pin')).toMatchObject({ pinned: false });
    await session.stop();
  });

  test('is told everything once when it was synced by a process that told nothing of it', async () => {
    const linked = await linkSession(sandbox, factory, '5511944440008');
    await synced(linked.recorder);
    await linked.phone.account.pinChat(group);
    await linked.recorder.notice('chat.pin');
    await linked.session.stop();
    await linked.credentials.write([{ type: 'account-sync', id: 'regular_low', value: new Uint8Array([1]) }]);
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    await synced(recorder, ['regular_low']);
    expect(told(recorder)).toEqual([{ name: 'chat.pin', chat: { jid: group, lid: null }, pinned: true }]);
    await again.stop();
  });

  test('and another that write at one moment end with the same state', async () => {
    const { phone, recorder, session } = await linkSession(sandbox, factory, '5511944440009');
    await synced(recorder);
    // No question of the first sync is under way any more.
    await session.account.sync(['regular_low']);
    const chats = Array.from({ length: 6 }, (_, index) => `551194445000${index}@s.whatsapp.net`);
    const before = sandbox.network.appState.conflicts;
    const companion = `${phone.number}:${phone.companions[0]}@s.whatsapp.net`;
    // The device has asked what there is, and hears of it only once the phone has written.
    const asked = new Promise<void>((resolve) => {
      const end = sandbox.network.onStanza((node, { user, device }) => {
        if (user !== phone.number || device === 0 || node.attrs.xmlns !== 'w:sync:app:state') return;
        end();
        resolve();
      });
    });
    sandbox.faults.silence(companion);
    const ours = chats
      .slice(0, 3)
      .map((jid) => session.account.change({ name: 'chat.pin', chat: { jid, lid: null }, pinned: true }));
    await asked;
    for (const jid of chats.slice(3)) {
      await phone.account.write({
        collection: 'regular_low',
        index: ['pin_v1', jid],
        apiVersion: 5,
        action: { pinAction: { pinned: true } },
      });
    }
    sandbox.faults.resume(companion);
    await Promise.all(ours);
    expect(sandbox.network.appState.conflicts).toBeGreaterThan(before);
    const pinned = new Set<string | null>();
    while (pinned.size < chats.length) pinned.add((await recorder.notice('chat.pin')).chat.jid);
    expect([...pinned].sort()).toEqual(chats);
    expect((await phone.account.pins()).sort()).toEqual(chats);
    await session.stop();
  });
});

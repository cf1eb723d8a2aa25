import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
let shop: Linked;
let ana: Phone;

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = sessionsOn(sandbox);
  ana = await sandbox.createPhone({ number: '5511966660002', name: 'Ana' });
  shop = await linkSession(sandbox, factory, '5511966660001');
  const { id } = await ana.sendText(shop.phone, 'oi');
  await shop.recorder.message(id);
  await synced(shop.recorder);
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

const both = (phone: Phone) => ({ jid: phone.jid, lid: phone.lid });

/** The first sync of all five collections is over: from now on changes are news. */
async function synced(recorder: Recorder): Promise<string[]> {
  const names: string[] = [];
  while (names.length < 5) names.push((await recorder.notice('app_state.sync_complete')).collection);
  return names.sort();
}

describe('changes of the account, from encrypted app-state patches', () => {
  test('of chats: pin, mute, archive, read, clear, delete', async () => {
    const { account } = shop.phone;
    const { recorder } = shop;
    const chat = both(ana);
    await account.pinChat(ana);
    expect(await recorder.notice('chat.pin')).toEqual({ name: 'chat.pin', chat, pinned: true });
    await account.pinChat(ana, false);
    expect(await recorder.notice('chat.pin')).toEqual({ name: 'chat.pin', chat, pinned: false });

    const until = Date.now() + 8 * 3_600_000;
    await account.muteChat(ana, until);
    expect(await recorder.notice('chat.mute')).toEqual({
      name: 'chat.mute',
      chat,
      muted: true,
      mutedUntil: until,
    });
    await account.muteChat(ana);
    expect(await recorder.notice('chat.mute')).toMatchObject({ muted: true, mutedUntil: null });
    await account.muteChat(ana, null);
    expect(await recorder.notice('chat.mute')).toMatchObject({ muted: false, mutedUntil: null });

    const upTo = (shop.phone.inbox.at(-1)?.timestamp ?? 0) * 1000;
    await account.archiveChat(ana);
    expect(await recorder.notice('chat.archive')).toEqual({
      name: 'chat.archive',
      chat,
      archived: true,
      upTo,
    });
    expect(await recorder.notice('chat.pin')).toEqual({ name: 'chat.pin', chat, pinned: false });
    await account.markChatRead(ana, false);
    expect(await recorder.notice('chat.mark_as_read')).toEqual({
      name: 'chat.mark_as_read',
      chat,
      read: false,
      upTo,
    });
    await account.clearChat(ana);
    expect(await recorder.notice('chat.clear')).toEqual({
      name: 'chat.clear',
      chat,
      upTo,
      keepsStarred: false,
    });
    await account.deleteChat(ana);
    expect(await recorder.notice('chat.delete')).toEqual({ name: 'chat.delete', chat, upTo });
  });

  test('of a group chat, named by its JID', async () => {
    const group = await ana.createGroup('Team', [shop.phone]);
    await shop.phone.account.archiveChat(group);
    expect((await shop.recorder.notice('chat.archive')).chat).toEqual({ jid: group.jid, lid: null });
    const { id } = await ana.sendText(group, 'off topic');
    await shop.phone.waitForMessage((message) => message.id === id);
    await shop.phone.account.deleteForMe(id);
    expect(await shop.recorder.notice('message.delete_for_me')).toEqual({
      name: 'message.delete_for_me',
      chat: { jid: group.jid, lid: null },
      messageId: id,
      fromMe: false,
      sender: both(ana),
    });
  });

  test('of messages, contacts and settings', async () => {
    const { account } = shop.phone;
    const { recorder } = shop;
    const { id } = await shop.phone.sendText(ana, 'never mind');
    await account.deleteForMe(id);
    expect(await recorder.notice('message.delete_for_me')).toEqual({
      name: 'message.delete_for_me',
      chat: both(ana),
      messageId: id,
      fromMe: true,
      sender: null,
    });
    await account.saveContact(ana, 'Ana Souza', 'Ana');
    expect(await recorder.notice('contact.changed')).toEqual({
      name: 'contact.changed',
      contact: both(ana),
      firstName: 'Ana',
      fullName: 'Ana Souza',
    });
    await account.removeContact(ana);
    expect(await recorder.notice('contact.changed')).toMatchObject({ firstName: null, fullName: null });
    await account.setUnarchiveChats(true);
    expect(await recorder.notice('settings.unarchive_chats')).toMatchObject({ unarchiveChats: true });
    await account.muteStatusOf(ana);
    expect(await recorder.notice('settings.user_status_mute')).toEqual({
      name: 'settings.user_status_mute',
      contact: both(ana),
      muted: true,
    });
  });

  test('of labels, on chats and on messages', async () => {
    const { account } = shop.phone;
    const { recorder } = shop;
    await account.editLabel({ id: '3', name: 'Paid', color: 4 });
    expect(await recorder.notice('label.edit')).toEqual({
      name: 'label.edit',
      labelId: '3',
      labelName: 'Paid',
      color: 4,
      deleted: false,
    });
    await account.labelChat(ana, '3');
    expect(await recorder.notice('label.association_chat')).toEqual({
      name: 'label.association_chat',
      labelId: '3',
      chat: both(ana),
      labeled: true,
    });
    await account.labelMessage(ana, '3EB0AA', '3');
    await account.labelMessage(ana, '3EB0AA', '3', false);
    const message = { labelId: '3', chat: both(ana), messageId: '3EB0AA' };
    expect(await recorder.notice('label.association_message')).toMatchObject({ ...message, labeled: true });
    expect(await recorder.notice('label.association_message')).toMatchObject({ ...message, labeled: false });
    await account.editLabel({ id: '3', deleted: true });
    expect(await recorder.notice('label.edit')).toMatchObject({ labelId: '3', deleted: true });
  });
});

describe('a new device', () => {
  test('hears that each collection is there, and not what was in it', async () => {
    const phone = await sandbox.createPhone({ number: '5511966660003', name: 'Bia' });
    await phone.account.pinChat(ana);
    await phone.account.saveContact(ana, 'Ana');
    const linked = await linkSession(sandbox, factory, phone);
    expect(await synced(linked.recorder)).toEqual([
      'critical_block',
      'critical_unblock_low',
      'regular',
      'regular_high',
      'regular_low',
    ]);
    await phone.account.pinChat(ana, false);
    expect(await linked.recorder.notice('chat.pin')).toMatchObject({ pinned: false });
    const names = linked.recorder.events.flatMap((event) =>
      event.type === 'notice' ? [event.notice.name] : [],
    );
    expect(names).not.toContain('contact.changed');
    await linked.session.stop();
  });

  test('does not sync again after a restart, and gets what happened while it was away', async () => {
    const linked = await linkSession(sandbox, factory, '5511966660004');
    await synced(linked.recorder);
    await linked.session.stop();
    await linked.phone.account.pinChat(ana);
    await linked.phone.account.muteChat(ana);
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    expect(await recorder.notice('chat.pin')).toMatchObject({ pinned: true });
    expect(await recorder.notice('chat.mute')).toMatchObject({ muted: true });
    const names = recorder.events.flatMap((event) => (event.type === 'notice' ? [event.notice.name] : []));
    expect(names).not.toContain('app_state.sync_complete');
    await again.stop();
  });
});

test('a stop does not wait for an answer that the ended connection will never bring', async () => {
  const linked = await linkSession(sandbox, factory, '5511966660008');
  await synced(linked.recorder);
  await linked.session.stop();
  const recorder = new Recorder();
  const again = await openSession(factory, linked.credentials, recorder);
  // From here on every answer takes half a second: the question of the app state is under way.
  sandbox.faults.setLatency(500);
  await recorder.next('open');
  await again.stop();
  sandbox.faults.setLatency(0);
  expect((await recorder.next('closed')).reason).toBe('stopped');
});

test('a change that was applied but not stored survives the process, exactly once', async () => {
  const linked = await linkSession(sandbox, factory, '5511966660005');
  await synced(linked.recorder);
  linked.recorder.refuse = (event) => event.type === 'notice';
  await linked.phone.account.pinChat(ana);
  await linked.recorder.refused;
  await linked.session.stop();
  const rows = [...linked.credentials.journal.keys()].filter((id) => id.startsWith('app-state|'));
  expect(rows).toEqual(['app-state|regular_low|000000000001']);
  // The version and the row are one commit: no crash can come between them.
  const commit = linked.credentials.commits.find(({ journal }) => journal.includes(rows[0] ?? ''));
  expect(commit?.keys).toContain('app-state-sync-version');

  const recorder = new Recorder();
  const again = await openSession(factory, linked.credentials, recorder);
  expect(await recorder.notice('chat.pin')).toMatchObject({ chat: { lid: ana.lid }, pinned: true });
  await linked.phone.account.pinChat(ana, false);
  expect(await recorder.notice('chat.pin')).toMatchObject({ pinned: false });
  expect([...linked.credentials.journal.keys()].filter((id) => id.startsWith('app-state|'))).toEqual([]);
  await again.stop();
});

describe('a push name', () => {
  test('is a notice when it is new or another, also across a restart', async () => {
    const linked = await linkSession(sandbox, factory, '5511966660006');
    const cid = await sandbox.createPhone({ number: '5511966660007', name: 'Cid' });
    await cid.sendText(linked.phone, 'one');
    expect(await linked.recorder.notice('contact.pushname')).toEqual({
      name: 'contact.pushname',
      contact: both(cid),
      pushName: 'Cid',
    });
    await linked.session.stop();
    const recorder = new Recorder();
    const again = await openSession(factory, linked.credentials, recorder);
    const { id } = await cid.sendText(linked.phone, 'two');
    await recorder.message(id);
    const account = sandbox.network.directory.byUser(cid.number);
    if (account) account.name = 'Cid Moreira';
    await cid.sendText(linked.phone, 'three');
    expect((await recorder.notice('contact.pushname')).pushName).toBe('Cid Moreira');
    await again.stop();
  });
});

describe('channels', () => {
  test('followed, muted and left on the phone, and the counts of their posts', async () => {
    const { newsletters } = sandbox.network;
    const { account } = shop.phone;
    const { recorder } = shop;
    const news = newsletters.create('Daily offers');
    await account.followNewsletter(news);
    expect(await recorder.notice('newsletter.join')).toEqual({
      name: 'newsletter.join',
      newsletter: news.jid,
      title: 'Daily offers',
    });
    newsletters.liveUpdate(news.jid, [
      { serverId: 101, views: 12, reactions: { '❤️': 3 } },
      { serverId: 102, views: 0 },
    ]);
    expect(await recorder.notice('newsletter.live_update')).toEqual({
      name: 'newsletter.live_update',
      newsletter: news.jid,
      messages: [
        { serverId: '101', views: 12, reactions: { '❤️': 3 } },
        { serverId: '102', views: 0, reactions: {} },
      ],
    });
    await account.muteNewsletter(news);
    expect(await recorder.notice('newsletter.mute_change')).toMatchObject({
      newsletter: news.jid,
      muted: true,
    });
    await account.muteNewsletter(news, false);
    expect(await recorder.notice('newsletter.mute_change')).toMatchObject({ muted: false });
    await account.unfollowNewsletter(news);
    expect(await recorder.notice('newsletter.leave')).toMatchObject({ newsletter: news.jid });
  });
});

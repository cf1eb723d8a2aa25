import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Phone } from '../../src/phones/phone.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { Client, memoryAuth } from '../network/baileys-client.ts';

let sandbox: Sandbox;
let alice: Phone;
let bob: Phone;
let client: Client;

beforeEach(async () => {
  sandbox = await startSandbox({ companionRegRefresh: 'never' });
  alice = await sandbox.createPhone({ number: '5511999990001', name: 'Alice' });
  bob = await sandbox.createPhone({ number: '5511999990002', name: 'Bob' });
});
afterEach(async () => {
  const problems = [...alice.problems, ...bob.problems];
  await client.end();
  await sandbox.stop();
  expect(problems).toEqual([]);
});

/** An unmodified Baileys client that checks every MAC of the app state. */
async function linked(): Promise<number> {
  client = new Client({ url: sandbox.url, rootPublic: Buffer.from(sandbox.rootKey, 'hex') }, memoryAuth(), {
    shouldSyncHistoryMessage: () => true,
    appStateMacVerification: { patch: true, snapshot: true },
  }).connect();
  const { device } = await client.linkTo(alice);
  await alice.bootstrapped(device);
  await client.until('the first sync', () => client.auth.creds.accountSyncCounter || undefined);
  return device;
}

describe('app state', () => {
  test('written by a phone is read by any client, before and after the link', async () => {
    await alice.account.editLabel({ id: '1', name: 'New', color: 3 });
    await linked();
    expect(await client.event('labels.edit')).toMatchObject({ id: '1', name: 'New', color: 3 });
    const after = client.events.length;
    await alice.account.saveContact(bob, 'Bob Dias');
    const [contact] = await client.event('contacts.upsert', () => true, after);
    expect(contact).toMatchObject({ id: bob.jid, lid: bob.lid, name: 'Bob Dias' });
    await alice.account.pinChat(bob);
    await alice.account.pinChat(bob, false);
    await client.event('chats.update', (chats) => chats.some(({ pinned }) => pinned === null), after);
  });

  test('written by a companion is built upon by the phone', async () => {
    await linked();
    await client.socket.chatModify({ pin: true }, bob.lid);
    await alice.account.archiveChat(bob);
    await alice.account.markChatRead(bob, false);
    await client.event('chats.update', (chats) => chats.some(({ archived }) => archived === true));
    expect(sandbox.network.appState.version(alice.number, 'regular_low')).toBe(3);
  });
});

describe('history', () => {
  test('on demand brings the messages before the one that is named', async () => {
    await linked();
    // Later than the link: Baileys drops what it has had before.
    const past = await alice.past.fill(bob, 30);
    const oldest = past[20];
    if (!oldest) throw new Error('the past is too short');
    const key = { remoteJid: bob.lid, id: oldest.id, fromMe: oldest.fromMe };
    const after = client.events.length;
    await client.socket.fetchMessageHistory(5, key, oldest.timestamp * 1000);
    const asked = ({ peerDataRequestSessionId: id }: { peerDataRequestSessionId?: string | null }) => !!id;
    const found = await client.event('messaging-history.set', asked, after);
    expect(found.messages.map((message) => message.key.id)).toEqual(
      past
        .slice(15, 20)
        .map(({ id }) => id)
        .reverse(),
    );
  });

  test('of many messages comes as files on the CDN, from new to old', async () => {
    await alice.past.fill(bob, 1_150);
    await linked();
    const files = sandbox.cdn.objects().filter(({ path }) => path.startsWith('/v/t62.36147-24/'));
    expect(files).toHaveLength(3);
  });
});

describe('channels', () => {
  test('are followed and left by any client, and the phone is told', async () => {
    await linked();
    const news = sandbox.network.newsletters.create('Offers');
    await client.socket.newsletterFollow(news.jid);
    expect([...news.followers.keys()].map(({ user }) => user)).toEqual([alice.number]);
    await client.socket.newsletterMute(news.jid);
    expect([...news.followers.values()]).toEqual([{ muted: true }]);
    await client.socket.newsletterUnfollow(news.jid);
    expect(news.followers.size).toBe(0);
    await expect(client.socket.newsletterFollow('1@newsletter')).rejects.toThrow('not found');
  });
});

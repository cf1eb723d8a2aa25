import type { BinaryNode } from 'baileys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Phone } from '../../src/phones/phone.ts';
import { openTown, type Town } from './town.ts';

let town: Town;
let alice: Phone;
let bob: Phone;
/** The node with a bit turned over in its first `pkmsg`, or undefined when it has none. */
function breakFirstPreKeyMessage(node: BinaryNode): BinaryNode | undefined {
  if (node.attrs.type === 'pkmsg' && node.content instanceof Uint8Array) {
    const bytes = Buffer.from(node.content);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 12) ^ 0xff, bytes.length - 12);
    return { ...node, content: bytes };
  }
  if (!Array.isArray(node.content)) return undefined;
  for (const [index, child] of node.content.entries()) {
    const broken = breakFirstPreKeyMessage(child);
    if (broken) return { ...node, content: node.content.with(index, broken) };
  }
  return undefined;
}

beforeEach(async () => {
  town = await openTown();
  alice = await town.phone('Alice');
  bob = await town.phone('Bob');
});
afterEach(async () => {
  const problems = [...alice.problems, ...bob.problems];
  await town.stop();
  expect(problems).toEqual([]);
});

describe('two phones', () => {
  test.each(['lid', 'pn'] as const)('talk both ways, addressed by %s', async (addressing) => {
    const sent = await alice.sendText(bob.number, 'hello', { addressing });
    const got = await bob.waitForMessage((message) => message.id === sent.id);
    expect(got).toMatchObject({
      chat: alice.jid,
      from: alice.jid,
      fromMe: false,
      kind: 'text',
      text: 'hello',
      pushName: 'Alice',
    });
    const answer = await bob.sendText(alice, 'hello yourself', { addressing, quoted: got });
    const answered = await alice.waitForMessage((message) => message.id === answer.id);
    expect(answered.message.extendedTextMessage?.contextInfo?.stanzaId).toBe(sent.id);
    expect(alice.conversation(bob).map((message) => message.text)).toEqual(['hello', 'hello yourself']);
    expect(bob.conversation(alice.lid)).toHaveLength(2);
  });

  test('ask again for what was sent corrupt, and get it once the sender answers', async () => {
    alice.answersRetries = false;
    const lost = await alice.sendText(bob, 'lost', { corrupt: true });
    await alice.waitForReceipt((receipt) => receipt.messageId === lost.id && receipt.type === 'retry');
    expect(bob.inbox).toEqual([]);
    alice.answersRetries = true;
    const sent = await alice.sendText(bob, 'again', { corrupt: true });
    const got = await bob.waitForMessage((message) => message.id === sent.id);
    expect(got).toMatchObject({ text: 'again', resent: true });
  });

  test('send again to nobody who was no recipient, nor in another chat', async () => {
    const carol = await town.phone('Carol');
    const group = await alice.createGroup('Lunch', [bob]);
    const direct = await alice.sendText(bob, 'for Bob');
    const toGroup = await alice.sendText(group, 'for the group');
    await bob.waitForMessage(({ id }) => id === toGroup.id);

    /** How often Alice sends the message again after that phone asked for it. */
    const resends = async (asking: Phone, attrs: Record<string, string> & { id: string }) => {
      const asked = () => alice.receivedReceipts.filter(({ type }) => type === 'retry').length;
      const before = asked();
      const sent = () =>
        town.submitted.filter(({ tag, attrs: { id } }) => tag === 'message' && id === attrs.id);
      expect(sent()).toHaveLength(1);
      town.tamperOnce(({ tag, attrs: { type } }) =>
        tag === 'receipt' && type === undefined
          ? {
              tag,
              attrs: { to: alice.lid, type: 'retry', ...attrs },
              content: [{ tag: 'retry', attrs: { v: '1', count: '1', id: attrs.id } }],
            }
          : undefined,
      );
      await alice.sendText(asking, 'its receipt becomes the request');
      await expect.poll(asked).toBe(before + 1);
      // Behind what the phone may have sent in answer.
      await alice.sendText(asking, 'afterwards');
      return sent().length - 1;
    };
    const inGroup = { to: group.jid, participant: alice.lid };
    expect(await resends(carol, { id: direct.id })).toBe(0);
    expect(await resends(carol, { id: toGroup.id, ...inGroup })).toBe(0);
    expect(await resends(bob, { id: toGroup.id })).toBe(0);
    expect(await resends(bob, { id: direct.id, ...inGroup })).toBe(0);
    expect(await resends(bob, { id: direct.id })).toBe(1);
    expect(await resends(bob, { id: toGroup.id, ...inGroup })).toBe(1);
    expect(carol.problems).toEqual([]);
  });

  test('keep one session through many messages sent at once', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    await Promise.all(texts.map((text) => alice.sendText(bob, text)));
    await bob.waitForMessage((message) => message.text === 'message 19');
    expect(bob.inbox.map((message) => message.text)).toEqual(texts);
  });

  test('report delivered, read and played as they are told to', async () => {
    const sent = await alice.sendText(bob, 'one');
    await alice.waitForReceipt((receipt) => receipt.messageId === sent.id && receipt.type === 'delivered');
    await bob.markRead(alice, [sent.id]);
    const read = await alice.waitForReceipt((receipt) => receipt.type === 'read');
    expect(read).toMatchObject({ messageId: sent.id, from: bob.jid, chat: bob.jid });
    await bob.markPlayed(alice, [sent.id]);
    await alice.waitForReceipt((receipt) => receipt.type === 'played');

    bob.receipts = { delivered: false };
    const silent = await alice.sendText(bob, 'two');
    await bob.waitForMessage((message) => message.id === silent.id);
    bob.receipts = { delivered: true, read: 'auto' };
    const last = await alice.sendText(bob, 'three');
    await alice.waitForReceipt((receipt) => receipt.messageId === last.id && receipt.type === 'read');
    expect(alice.receivedReceipts.filter((receipt) => receipt.messageId === silent.id)).toEqual([]);
  });

  test('apply edits, revokes and reactions', async () => {
    const first = await alice.sendText(bob, 'frist');
    const second = await alice.sendText(bob, 'a secret');
    await bob.waitForMessage((message) => message.id === second.id);
    await alice.sendEdit(bob, first, 'first');
    await alice.sendRevoke(bob, second);
    await bob.sendReaction(alice, first.id, '👍');
    const edit = await bob.waitForMessage((message) => message.editOf === first.id);
    expect(edit).toMatchObject({ kind: 'edit', text: 'first' });
    await bob.waitForMessage((message) => message.revokeOf === second.id);
    const reaction = await alice.waitForMessage((message) => message.reactionTo === first.id);
    expect(reaction.emoji).toBe('👍');
    for (const conversation of [alice.conversation(bob), bob.conversation(alice)]) {
      expect(conversation).toMatchObject([
        { text: 'first', edited: true, revoked: false, reactions: { [bob.jid]: '👍' } },
        { edited: false, revoked: true, reactions: {} },
      ]);
      expect(conversation[1]).not.toHaveProperty('text');
    }
  });

  test('hold polls, votes, places and contacts', async () => {
    const poll = await alice.sendPoll(bob, 'lunch?', ['soup', 'salad', 'pie']);
    await bob.waitForMessage((message) => message.kind === 'poll');
    await bob.sendPollVote(alice, poll.id, ['soup', 'pie']);
    const vote = await alice.waitForMessage((message) => message.kind === 'poll_vote');
    expect(vote).toMatchObject({ pollVoteOn: poll.id, votes: ['soup', 'pie'] });
    await alice.sendLocation(bob, { latitude: -23.5, longitude: -46.6, name: 'São Paulo' });
    await alice.sendContact(bob, { name: 'Carol', number: '5511999990099' });
    const contact = await bob.waitForMessage((message) => message.kind === 'contact');
    expect(contact.message.contactMessage?.vcard).toContain('waid=5511999990099');
    expect(bob.inbox.some((message) => message.kind === 'location')).toBe(true);
  });

  test('get messages after being away, once', async () => {
    await bob.goOffline();
    const sent = await alice.sendText(bob, 'while you were out');
    expect(bob.inbox).toEqual([]);
    await bob.goOnline();
    await bob.waitForMessage((message) => message.id === sent.id);
    await bob.goOffline();
    await bob.goOnline();
    await bob.idle();
    expect(bob.inbox).toHaveLength(1);
  });

  test('cannot write to a number that is not on WhatsApp', async () => {
    await expect(alice.sendText('15550001111', 'anyone?')).rejects.toThrow(/not on WhatsApp/);
  });
});

describe('a message that cannot be decrypted', () => {
  test('is asked for again and sent again with a new session', async () => {
    town.tamperOnce(breakFirstPreKeyMessage);
    const sent = await alice.sendText(bob, 'garbled on the way');
    const got = await bob.waitForMessage((message) => message.id === sent.id);
    expect(got).toMatchObject({ text: 'garbled on the way', resent: true });
    expect(alice.receivedReceipts.map((receipt) => receipt.type)).toContain('retry');
    const next = await alice.sendText(bob, 'clear again');
    expect(await bob.waitForMessage((message) => message.id === next.id)).not.toHaveProperty('resent');
  });
});

describe('a group', () => {
  test('carries messages, retries, edits and receipts between its members', async () => {
    const carol = await town.phone('Carol');
    const group = await alice.createGroup('Lunch', [bob, carol]);
    const sent = await alice.sendText(group, 'who is in?');
    for (const member of [bob, carol]) {
      const got = await member.waitForMessage((message) => message.id === sent.id);
      expect(got).toMatchObject({ chat: group.jid, from: alice.jid, text: 'who is in?' });
    }
    const answer = await bob.sendText(group, 'me');
    await alice.waitForMessage((message) => message.id === answer.id);
    await carol.waitForMessage((message) => message.id === answer.id);
    await carol.markRead(group, [sent.id, answer.id]);
    await alice.waitForReceipt((receipt) => receipt.type === 'read' && receipt.from === carol.jid);
    await bob.waitForReceipt((receipt) => receipt.type === 'read' && receipt.from === carol.jid);
    await alice.sendEdit(group, sent, 'who is in for soup?');
    await carol.waitForMessage((message) => message.editOf === sent.id);
    await carol.sendReaction(group, answer.id, '🥣');
    const reaction = await bob.waitForMessage((message) => message.kind === 'reaction');
    expect(reaction).toMatchObject({ reactionTo: answer.id, from: carol.jid, emoji: '🥣' });
    expect(carol.problems).toEqual([]);
  });

  test('gives newcomers the key and takes it from those who left', async () => {
    const carol = await town.phone('Carol');
    const group = await alice.createGroup('Lunch', [bob]);
    await alice.sendText(group, 'before Carol');
    await alice.addToGroup(group, carol);
    const both = await alice.sendText(group, 'hello Carol');
    await carol.waitForMessage((message) => message.id === both.id);
    await alice.removeFromGroup(group, bob);
    const after = await alice.sendText(group, 'only us now');
    await carol.waitForMessage((message) => message.id === after.id);
    await bob.idle();
    expect(bob.inbox.map((message) => message.text)).toEqual(['before Carol', 'hello Carol']);
    await expect(bob.sendText(group, 'let me in')).rejects.toThrow(/403|404/);
  });

  test('sends again to the one member who could not decrypt', async () => {
    const group = await alice.createGroup('Lunch', [bob]);
    town.tamperOnce((node) => {
      if (node.tag !== 'message' || !Array.isArray(node.content)) return undefined;
      const shared = node.content.find((child) => child.tag === 'enc' && child.attrs.type === 'skmsg');
      if (!shared) return undefined;
      const bytes = Buffer.from(shared.content as Uint8Array);
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0xff, bytes.length - 1);
      const broken = { ...shared, content: bytes };
      return { ...node, content: node.content.map((child) => (child === shared ? broken : child)) };
    });
    const sent = await alice.sendText(group, 'once more');
    const got = await bob.waitForMessage((message) => message.id === sent.id);
    expect(got).toMatchObject({ chat: group.jid, text: 'once more', resent: true });
    const next = await alice.sendText(group, 'and on');
    await bob.waitForMessage((message) => message.id === next.id);
  });
});

describe('a broadcast list', () => {
  test('is read in the chat with its owner, who alone is answered and told of it at the list', async () => {
    const carol = await town.phone('Carol');
    const list = alice.createBroadcastList([bob, carol]);
    const sent = await alice.sendText(list, 'lunch?');
    expect(sent.chat).toBe(list.jid);
    for (const member of [bob, carol]) {
      const got = await member.waitForMessage((message) => message.id === sent.id);
      expect(got).toMatchObject({ chat: alice.jid, list: list.jid, from: alice.jid, text: 'lunch?' });
      await member.markRead(alice, [sent.id]);
      const read = await alice.waitForReceipt(({ from, type }) => from === member.jid && type === 'read');
      expect(read).toMatchObject({ messageId: sent.id, chat: list.jid });
    }
    await bob.sendText(alice, 'I am in');
    expect(await alice.waitForMessage(({ from }) => from === bob.jid)).toMatchObject({ chat: bob.jid });
    expect(carol.inbox.map(({ text }) => text)).toEqual(['lunch?']);
    await alice.sendEdit(list, sent, 'dinner?');
    await carol.waitForMessage(({ editOf }) => editOf === sent.id);
    expect(carol.conversation(alice)).toMatchObject([{ text: 'dinner?', edited: true }]);
  });

  test('is sent again to who could not read it, and to nobody who is not on it', async () => {
    const list = alice.createBroadcastList([bob]);
    const sent = await alice.sendText(list, 'garbled', { corrupt: true });
    const got = await bob.waitForMessage((message) => message.id === sent.id);
    expect(got).toMatchObject({ text: 'garbled', resent: true, list: list.jid });
    const retry = alice.receivedReceipts.find(({ type }) => type === 'retry');
    expect(retry).toMatchObject({ chat: list.jid, from: bob.jid });
    await expect(alice.sendText('1600000000@broadcast', 'to nobody')).rejects.toThrow('400');
  });
});

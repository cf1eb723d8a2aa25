import { describe, expect, test } from 'vitest';
import type { BinaryNode } from '../../../src/whatsapp/baileys/library.ts';
import { ownReadIn, receiptsIn } from '../../../src/whatsapp/baileys/parse/receipt-stanza.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const BOB = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const CAROL = { jid: '5511999990003@s.whatsapp.net', lid: '333333333333333@lid' };
const GROUP = '120363039000000000@g.us';
const STORIES = 'status@broadcast';
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };
const AT = 1_760_000_000_000;

type Attrs = Record<string, string>;
const receipt = (attrs: Attrs, content: BinaryNode[] = []): BinaryNode => ({
  tag: 'receipt',
  attrs: { id: 'A', t: '1760000000', ...attrs },
  content,
});
const list: BinaryNode = {
  tag: 'list',
  attrs: {},
  content: [
    { tag: 'item', attrs: { id: 'B' } },
    { tag: 'item', attrs: {} },
    { tag: 'item', attrs: { id: 'C' } },
  ],
};
const users = (attrs: Attrs, ...each: Attrs[]): BinaryNode => ({
  tag: 'participants',
  attrs,
  content: each.map((user) => ({ tag: 'user', attrs: user })),
});
const read = (stanza: BinaryNode) => receiptsIn(stanza, OWN, NOBODY);

describe('what became of messages', () => {
  const told = { isGroup: false, messageIds: ['A'], timestamp: AT };
  const direct = { from: BOB.lid, sender_pn: BOB.jid };

  test.each<[Attrs, string | null]>([
    [{}, 'delivered'],
    [{ type: '' }, 'delivered'],
    [{ type: 'delivery' }, 'delivered'],
    [{ type: 'read' }, 'read'],
    [{ type: 'played' }, 'played'],
    [{ type: 'sender' }, null],
    [{ type: 'inactive' }, null],
    [{ type: 'read-self' }, null],
    [{ type: 'retry' }, null],
    [{ type: 'server-error' }, null],
  ])('%j is %s', async (attrs, kind) => {
    const one = { ...told, chat: BOB, recipient: BOB, kind };
    expect(await read(receipt({ ...direct, ...attrs }))).toEqual(kind ? [one] : []);
  });

  test('of several at once, in a chat of two and in a group', async () => {
    const messageIds = ['A', 'B', 'C'];
    expect(await read(receipt({ from: BOB.jid, sender_lid: BOB.lid }, [list]))).toEqual([
      { ...told, chat: BOB, recipient: BOB, messageIds, kind: 'delivered' },
    ]);
    for (const names of [
      { participant: BOB.lid, participant_pn: BOB.jid },
      { participant: BOB.jid, participant_lid: BOB.lid },
    ]) {
      const chat = { jid: GROUP, lid: null };
      expect(await read(receipt({ from: GROUP, type: 'read', ...names }, [list]))).toEqual([
        { ...told, chat, isGroup: true, recipient: BOB, messageIds, kind: 'read' },
      ]);
    }
    const story = { from: STORIES, participant: BOB.lid, participant_pn: BOB.jid };
    expect(await read(receipt(story))).toMatchObject([
      { chat: { jid: STORIES }, isGroup: false, recipient: BOB },
    ]);
  });

  test('nothing of our own devices, nor from nobody', async () => {
    expect(await read(receipt({ from: OWN.lid }))).toEqual([]);
    expect(await read(receipt({ from: GROUP, participant: OWN.jid }))).toEqual([]);
    expect(await read(receipt({}))).toEqual([]);
  });

  test('of many people in one stanza, each with a time', async () => {
    const stanza = receipt({ from: GROUP }, [
      users({ key: 'X' }, { jid: BOB.lid, participant_pn: BOB.jid, t: '1760000001' }, { jid: OWN.lid }),
      users({ key: 'Y' }, { jid: CAROL.jid }),
      users({}, { jid: CAROL.jid }),
    ]);
    const one = { chat: { jid: GROUP, lid: null }, isGroup: true, kind: 'delivered' };
    expect(await read(stanza)).toEqual([
      { ...one, recipient: BOB, messageIds: ['X'], timestamp: AT + 1000 },
      { ...one, recipient: { jid: CAROL.jid, lid: null }, messageIds: ['Y'], timestamp: AT },
    ]);
  });

  test('of a story what it was stands beside each', async () => {
    const stanza = receipt({ from: STORIES, class: 'status', type: 'other' }, [
      users(
        { message_id: 'X' },
        { jid: BOB.jid, type: 'read' },
        { jid: CAROL.jid, type: 'x' },
        { jid: CAROL.lid },
      ),
    ]);
    expect(await read(stanza)).toMatchObject([{ messageIds: ['X'], kind: 'read', isGroup: false }]);
  });
});

describe('what another device of the account read', () => {
  const ownRead = (attrs: Attrs, content?: BinaryNode[]) => ownReadIn(receipt(attrs, content), OWN, NOBODY);

  test('in a chat of two, in a group, and of a story', async () => {
    const bob = { jid: null, lid: BOB.lid };
    for (const type of ['read', 'read-self']) {
      expect(await ownRead({ from: OWN.jid, recipient: BOB.lid, type }, [list])).toEqual({
        chat: bob,
        messageIds: ['A', 'B', 'C'],
        sender: null,
      });
    }
    for (const from of [GROUP, STORIES]) {
      const attrs = { from, participant: OWN.lid, type: 'read-self' };
      const chat = { jid: from, lid: null };
      expect(await ownRead(attrs)).toEqual({ chat, messageIds: ['A'], sender: null });
      expect(await ownRead({ ...attrs, recipient: BOB.lid })).toEqual({
        chat,
        messageIds: ['A'],
        sender: bob,
      });
    }
  });

  test('by the list of somebody, in the chat with him, and by one of ours, in that of the list', async () => {
    const attrs = { from: '1700000000@broadcast', participant: OWN.lid, type: 'read' };
    const bob = { jid: null, lid: BOB.lid };
    const read = await ownRead({ ...attrs, recipient: BOB.lid }, [list]);
    expect(read).toEqual({ chat: bob, messageIds: ['A', 'B', 'C'], sender: null });
    const chat = { jid: attrs.from, lid: null };
    for (const recipient of [{}, { recipient: OWN.lid }]) {
      expect(await ownRead({ ...attrs, ...recipient })).toMatchObject({ chat, messageIds: ['A'] });
    }
  });

  test.each<Attrs>([
    { from: OWN.jid, recipient: BOB.lid },
    { from: OWN.jid, recipient: BOB.lid, type: 'played' },
    { from: BOB.jid, recipient: OWN.lid, type: 'read' },
    { from: GROUP, participant: BOB.lid, type: 'read' },
    { from: GROUP, type: 'read' },
    { from: OWN.jid, type: 'read' },
    { type: 'read' },
  ])('%j is none', async (attrs) => {
    expect(await ownRead(attrs)).toBeNull();
  });
});

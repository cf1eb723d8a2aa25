/** What rows of the journal say beside messages: timers, what our phone hands over, what it uploads again. */
import { describe, expect, test } from 'vitest';
import { type BinaryNode, proto } from '../../../src/whatsapp/baileys/library.ts';
import { chatTimer } from '../../../src/whatsapp/baileys/parse/chat-timer.ts';
import { groupInfo } from '../../../src/whatsapp/baileys/parse/group-node.ts';
import { encodeStanza } from '../../../src/whatsapp/baileys/parse/journal-stanza.ts';
import { sealedRetryAnswer } from '../../../src/whatsapp/baileys/parse/media-retry-stanza.ts';
import { causeOf } from '../../../src/whatsapp/baileys/parse/notices/stanza-notices.ts';
import { resentMessages } from '../../../src/whatsapp/baileys/parse/resent-messages.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const BOB = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const GROUP = '120363039000000000@g.us';
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };
const AT = 1_700_000_000_000;

const node = (
  tag: string,
  attrs: Record<string, string> = {},
  content?: BinaryNode['content'],
): BinaryNode => (content === undefined ? { tag, attrs } : { tag, attrs, content });

describe('the timer of a chat', () => {
  const { Type } = proto.Message.ProtocolMessage;
  const setting = (more: proto.Message.IProtocolMessage = {}): proto.IMessage => ({
    protocolMessage: { type: Type.EPHEMERAL_SETTING, ephemeralExpiration: 86_400, ...more },
  });
  const read = (message: proto.IMessage, attrs: Record<string, string> = {}, unread = false) => {
    const stanza = node('message', {
      from: BOB.jid,
      sender_lid: BOB.lid,
      id: 'A',
      t: '1700000000',
      ...attrs,
    });
    const plaintext = proto.Message.encode(message).finish();
    return chatTimer(
      { id: 'x', stanza: encodeStanza(stanza, { unread }), plaintext, receivedAt: 0 },
      OWN,
      NOBODY,
    );
  };

  test.each<[proto.IMessage, object]>([
    [setting(), { seconds: 86_400, setAt: AT }],
    [setting({ ephemeralSettingTimestamp: 1_699_999_999 }), { seconds: 86_400, setAt: AT - 1000 }],
    // No later than it was sent.
    [setting({ ephemeralSettingTimestamp: 1_700_000_001 }), { seconds: 86_400, setAt: AT }],
    [setting({ ephemeralExpiration: 0 }), { seconds: 0, setAt: AT }],
    [{ ephemeralMessage: { message: setting() } }, { seconds: 86_400, setAt: AT }],
  ])('%j', async (message, timer) => {
    expect(await read(message)).toEqual({ chat: BOB, ...timer });
  });

  test('is set by no other message, no member of a group, no other device of ours', async () => {
    expect(await read({ conversation: 'x' })).toBeNull();
    expect(await read(setting({ type: Type.REVOKE }))).toBeNull();
    expect(await read(setting(), { from: GROUP, participant: BOB.jid })).toBeNull();
    expect(await read(setting(), { category: 'peer' })).toBeNull();
    expect(await read(setting(), {}, true)).toBeNull();
  });
});

describe('what our phone hands over', () => {
  const info = (remoteJid: string, more: object = {}) =>
    proto.WebMessageInfo.encode({
      key: { remoteJid, id: 'A', ...more },
      message: { conversation: 'hi' },
      messageTimestamp: 1_700_000_000,
    }).finish();
  const entry = (from: string, ...resent: (Uint8Array | null)[]) => ({
    id: `${from}||X`,
    stanza: new Uint8Array(0),
    plaintext: proto.Message.encode({
      protocolMessage: {
        peerDataOperationRequestResponseMessage: {
          peerDataOperationResult: resent.map((webMessageInfoBytes) => ({
            placeholderMessageResendResponse: webMessageInfoBytes && { webMessageInfoBytes },
          })),
        },
      },
    }).finish(),
    receivedAt: 0,
  });

  test('is believed of our own account alone', async () => {
    for (const from of [OWN.jid, OWN.lid, '5511999990001:0@s.whatsapp.net']) {
      const told = await resentMessages(entry(from, info(BOB.jid)), OWN, NOBODY);
      const chat = { jid: BOB.jid, lid: null };
      expect(told).toMatchObject([{ id: 'A', chat, sender: chat, source: 'phone', timestamp: AT }]);
    }
    for (const from of [BOB.jid, '', 'x@lid']) {
      expect(await resentMessages(entry(from, info(BOB.jid)), OWN, NOBODY)).toEqual([]);
    }
    const unlinked = { jid: OWN.jid, lid: null };
    expect(await resentMessages(entry('', info(BOB.jid)), unlinked, NOBODY)).toEqual([]);
  });

  test('one by one, without those that it has no more', async () => {
    const inGroup = info(GROUP, { participant: BOB.lid });
    const messages = await resentMessages(entry(OWN.jid, null, inGroup, Buffer.alloc(0)), OWN, NOBODY);
    expect(messages).toMatchObject([
      { chat: { jid: GROUP, lid: null }, sender: { lid: BOB.lid }, isGroup: true },
    ]);
    const other = { ...entry(OWN.jid), plaintext: proto.Message.encode({ conversation: 'x' }).finish() };
    expect(await resentMessages(other, OWN, NOBODY)).toEqual([]);
  });
});

describe('the answer to a request to upload again', () => {
  const rmr = (attrs: Record<string, string> = {}) => node('rmr', { jid: GROUP, ...attrs });
  const encrypt = (...parts: string[]) =>
    node(
      'encrypt',
      {},
      parts.map((tag) => node(tag, {}, Buffer.from(tag))),
    );
  const read = (content: BinaryNode[], id = 'A') => sealedRetryAnswer(node('notification', { id }, content));
  const bare = {
    messageId: 'A',
    chat: GROUP,
    fromMe: false,
    participant: null,
    encrypted: null,
    errorCode: null,
  };

  test.each<[BinaryNode[], object]>([
    [[rmr({ from_me: 'true' })], { fromMe: true }],
    [[rmr({ from_me: 'false', participant: BOB.lid })], { participant: BOB.lid }],
    [
      [rmr(), encrypt('enc_p', 'enc_iv')],
      { encrypted: { ciphertext: Buffer.from('enc_p'), iv: Buffer.from('enc_iv') } },
    ],
    [[rmr(), encrypt('enc_p')], {}],
    [[rmr(), encrypt('enc_iv')], {}],
    [[rmr(), node('error', { code: '2' })], { errorCode: 2 }],
  ])('%j', (content, expected) => {
    expect(read(content)).toEqual({ ...bare, ...expected });
  });

  test('is none that names no message or chat', () => {
    expect([read([]), read([node('rmr')]), read([rmr()], '')]).toEqual([null, null, null]);
  });
});

test.each([
  ['notification', { id: '1', from: 'a', type: 'b', t: '2' }, 'notification|a|b|2|1'],
  ['call', { id: '1' }, 'call||||1'],
  ['call', {}, null],
  ['receipt', { id: '1' }, null],
])('what makes a %s with %j come again is named %j', (tag, attrs, cause) => {
  expect(causeOf(node(tag, attrs as Record<string, string>))).toBe(cause);
});

describe('a group as the server tells of it', () => {
  const member = (attrs: Record<string, string>) => node('participant', attrs);
  const bare = {
    jid: GROUP,
    subject: '',
    description: null,
    owner: null,
    createdAt: null,
    announce: false,
    locked: false,
    joinApproval: false,
    memberAddMode: 'admin',
    ephemeralSeconds: 0,
    community: false,
    parent: null,
    communityAnnouncements: false,
    suspended: false,
    size: 0,
    members: [],
  };
  const read = (attrs: Record<string, string>, content: BinaryNode[] = []) =>
    groupInfo(node('group', { id: '120363039000000000', ...attrs }, content), NOBODY);

  test('with nothing but its id, by either name of that', async () => {
    expect(await read({})).toEqual(bare);
    expect(await groupInfo(node('group', { jid: GROUP }), NOBODY)).toEqual(bare);
    expect((await groupInfo(node('group'), NOBODY)).jid).toBe('');
  });

  test.each<[BinaryNode, object]>([
    [node('announcement'), { announce: true }],
    [node('locked'), { locked: true }],
    [node('parent'), { community: true }],
    [node('default_sub_group'), { communityAnnouncements: true }],
    [node('suspended'), { suspended: true }],
    [node('linked_parent', { jid: '42' }), { parent: '42@g.us' }],
    [node('ephemeral', { expiration: '86400' }), { ephemeralSeconds: 86_400 }],
    [node('member_add_mode', {}, 'all_member_add'), { memberAddMode: 'all' }],
    [node('description', {}, [node('body', {}, 'What for')]), { description: 'What for' }],
    [node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]), { joinApproval: true }],
    [node('membership_approval_mode', {}, [node('group_join', { state: 'off' })]), { joinApproval: false }],
    [node('membership_approval_mode'), { joinApproval: true }],
  ])('%j', async (child, told) => {
    expect(await read({}, [child])).toEqual({ ...bare, ...told });
  });

  test('with its members, but not those that could not be added', async () => {
    const people = [
      member({ jid: BOB.lid, phone_number: BOB.jid, type: 'superadmin' }),
      member({ jid: OWN.jid, lid: OWN.lid, type: 'admin' }),
      member({ jid: '333333333333333@lid' }),
      member({ jid: '444444444444444@lid', error: '403' }),
      member({}),
    ];
    const attrs = { subject: 'Hats', creation: '1700000000', creator: BOB.lid, creator_pn: BOB.jid };
    expect(await read(attrs, people)).toEqual({
      ...bare,
      subject: 'Hats',
      createdAt: AT,
      owner: BOB,
      size: 3,
      members: [
        { ...BOB, admin: true, superAdmin: true },
        { ...OWN, admin: true, superAdmin: false },
        { jid: null, lid: '333333333333333@lid', admin: false, superAdmin: false },
      ],
    });
    expect((await read({ size: '900' }, people)).size).toBe(900);
  });
});

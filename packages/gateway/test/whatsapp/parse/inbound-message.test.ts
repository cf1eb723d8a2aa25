import { describe, expect, it } from 'vitest';
import { type BinaryNode, proto } from '../../../src/whatsapp/baileys/library.ts';
import {
  inboundMessage,
  sealedMessage,
  undecryptableMessage,
  unknownMessage,
} from '../../../src/whatsapp/baileys/parse/inbound-message.ts';
import { encodeStanza } from '../../../src/whatsapp/baileys/parse/journal-stanza.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };
const BOB = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const GROUP = '120363039000000000@g.us';
const CHANNEL = '120363039000000001@newsletter';

const read = (attrs: BinaryNode['attrs'], message: proto.IMessage) =>
  inboundMessage(
    {
      id: 'x',
      stanza: encodeStanza({ tag: 'message', attrs: { id: '3EB0', t: '1700000000', ...attrs } }),
      plaintext: proto.Message.encode(message).finish(),
      receivedAt: 0,
    },
    OWN,
    NOBODY,
    NOBODY,
  );

describe('a stanza and its plaintext', () => {
  it('keeps the secret of a poll that our phone sent, which stands on the wrapper', async () => {
    const messageSecret = new Uint8Array(32).fill(7);
    const poll = await read(
      { from: OWN.lid, recipient: '222222222222222@lid' },
      {
        messageContextInfo: { messageSecret },
        deviceSentMessage: {
          destinationJid: '222222222222222@lid',
          message: { pollCreationMessage: { name: 'When?', options: [{ optionName: 'now' }] } },
        },
      },
    );
    expect(poll?.content.kind).toBe('poll');
    const kept = proto.Message.decode(poll?.raw ?? new Uint8Array());
    expect(kept.messageContextInfo?.messageSecret).toEqual(Buffer.from(messageSecret));
  });

  it.each([
    ['7', false],
    ['8', true],
  ])('a revoke with edit="%s" is an admin\'s: %s', async (edit, byAdmin) => {
    const key = { remoteJid: GROUP, id: '3EB1', participant: '222222222222222:3@lid' };
    const message = await read(
      { from: GROUP, participant: '333333333333333@lid', edit },
      { protocolMessage: { key, type: proto.Message.ProtocolMessage.Type.REVOKE } },
    );
    expect(message?.content).toMatchObject({
      kind: 'revoke',
      targetId: '3EB1',
      targetSender: '222222222222222@lid',
      byAdmin,
    });
  });

  it('an undecryptable message says which device encrypted it', async () => {
    const attrs = { id: '3EB0', t: '1700000000', from: GROUP, participant: '333333333333333:12@lid' };
    const message = await undecryptableMessage({ tag: 'message', attrs }, OWN, NOBODY);
    expect(message.retry).toEqual({
      from: GROUP,
      participant: '333333333333333:12@lid',
      recipient: null,
      t: '1700000000',
    });
  });

  it('says when it came, under which name, and whether it was kept for us', async () => {
    const told = await read(
      { from: BOB.jid, sender_lid: BOB.lid, notify: 'Bo\0b', offline: '0' },
      { conversation: 'h\0i' },
    );
    expect(told).toEqual({
      chat: BOB,
      sender: BOB,
      isGroup: false,
      fromMe: false,
      lidAddressed: false,
      id: '3EB0',
      timestamp: 1_700_000_000_000,
      pushName: 'Bob',
      offline: true,
      source: 'phone',
      content: expect.objectContaining({ kind: 'text', text: 'hi', byAdmin: false }),
      raw: proto.Message.encode({ conversation: 'h\0i' }).finish(),
    });
    const bare = await read({ from: BOB.lid }, { conversation: 'hi' });
    expect(bare).toMatchObject({ pushName: null, offline: false });
    expect(bare).not.toHaveProperty('serverId');
  });

  it.each([
    ['100', 100],
    ['0', undefined],
    ['1.5', undefined],
    ['x', undefined],
  ])('the number of a post, written %j', async (server_id, serverId) => {
    expect((await read({ from: CHANNEL, server_id }, { conversation: 'hi' }))?.serverId).toBe(serverId);
    expect((await read({ from: BOB.jid, server_id }, { conversation: 'hi' }))?.serverId).toBeUndefined();
  });

  it('is none for traffic between devices, keys, and what the protocol alone needs', async () => {
    const text = { conversation: 'hi' };
    expect(await read({ from: OWN.jid, category: 'peer' }, text)).toBeNull();
    expect(await read({ from: GROUP }, { senderKeyDistributionMessage: { groupId: GROUP } })).toBeNull();
    const { Type } = proto.Message.ProtocolMessage;
    expect(await read({ from: BOB.jid }, { protocolMessage: { type: Type.EPHEMERAL_SETTING } })).toBeNull();
    const edit = { protocolMessage: { key: { id: '3EB1' }, type: Type.REVOKE } };
    expect((await read({ from: BOB.jid, edit: '8' }, text))?.content).toMatchObject({ byAdmin: false });
    expect((await read({ from: BOB.jid }, edit))?.content).toMatchObject({ kind: 'revoke' });
  });

  it('a change of a post has an id and a time of its own', async () => {
    const change = { from: CHANNEL, edit: '3', msg_edit_t: '1700000000123' };
    const first = await read(change, { conversation: 'new' });
    expect(first).toMatchObject({
      id: expect.stringMatching(/^3EB0-3-1700000000123-[\w-]{8}$/),
      timestamp: 1_700_000_000_123,
      content: { kind: 'edit', text: 'new', targetId: '3EB0' },
    });
    expect((await read(change, { conversation: 'newer' }))?.id).not.toBe(first?.id);
    expect(await read({ from: CHANNEL, edit: '8' }, {})).toMatchObject({
      timestamp: 1_700_000_000_000,
      content: { kind: 'revoke', targetId: '3EB0' },
    });
  });
});

describe('a row of which less can be said', () => {
  const attrs = { id: '3EB0', t: '1700000000', from: GROUP, participant: BOB.lid };
  const plaintext = Buffer.from([0xff]);
  const row = (stanza: BinaryNode, unread = false) => ({
    id: 'x',
    stanza: encodeStanza(stanza, { unread }),
    plaintext,
    receivedAt: 0,
  });

  it('was never opened: it is undecryptable', async () => {
    const entry = row({ tag: 'message', attrs }, true);
    expect(await inboundMessage(entry, OWN, NOBODY, NOBODY)).toMatchObject({
      id: '3EB0',
      content: { kind: 'undecryptable' },
      raw: new Uint8Array(0),
    });
  });

  it('makes no sense: it keeps its bytes', async () => {
    expect(await unknownMessage(row({ tag: 'message', attrs }), OWN, NOBODY)).toMatchObject({
      id: '3EB0',
      sender: { lid: BOB.lid },
      content: { kind: 'unknown', text: null },
      raw: plaintext,
    });
    expect(await unknownMessage(row({ tag: 'receipt', attrs }), OWN, NOBODY)).toBeNull();
    const peer = { ...attrs, category: 'peer' };
    expect(await unknownMessage(row({ tag: 'message', attrs: peer }), OWN, NOBODY)).toBeNull();
  });

  it('cannot be opened by the store: its id tells who and what', async () => {
    const sealed = {
      id: `${GROUP}|${BOB.lid}|3EB7`,
      stanza: Buffer.from([9]),
      plaintext: null,
      receivedAt: 1_700_000_000_999,
    };
    const content = { kind: 'undecryptable' };
    expect(await sealedMessage(sealed, OWN, NOBODY)).toMatchObject({
      id: '3EB7',
      chat: { jid: GROUP },
      sender: { lid: BOB.lid },
      timestamp: 1_700_000_000_000,
      content,
      retry: { from: GROUP, participant: BOB.lid, recipient: null, t: '1700000000' },
    });
    const direct = await sealedMessage({ ...sealed, id: `${BOB.jid}||3EB7` }, OWN, NOBODY);
    expect(direct).toMatchObject({ chat: { jid: BOB.jid }, retry: { participant: null } });
    const readable = { ...sealed, stanza: encodeStanza({ tag: 'message', attrs }) };
    expect(await sealedMessage(readable, OWN, NOBODY)).toMatchObject({ id: '3EB0', content });
    const none = await undecryptableMessage({ tag: 'message', attrs: {} }, OWN, NOBODY);
    expect(none.retry).toEqual({ from: '', participant: null, recipient: null, t: '' });
  });
});

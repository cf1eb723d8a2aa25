import { describe, expect, it } from 'vitest';
import { type BinaryNode, proto } from '../../src/whatsapp/baileys/library.ts';
import { inboundMessage, undecryptableMessage } from '../../src/whatsapp/baileys/parse/inbound-message.ts';
import { encodeStanza } from '../../src/whatsapp/baileys/parse/journal-stanza.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };
const GROUP = '120363039000000000@g.us';

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
});

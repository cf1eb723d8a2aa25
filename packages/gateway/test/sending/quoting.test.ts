import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredMessage } from '../../src/messages/stored-message.ts';
import { conversation, parseQuote, type Quote } from '../../src/sending/quoting.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import { STORIES } from '../../src/whatsapp/port/stories.ts';
import type { WireMessage } from '../../src/whatsapp/port/wire-message.ts';
import {
  ALICE,
  ArchiveWorld,
  BOB,
  CAROL,
  GROUP,
  inbound,
  NOW,
  type TestDevice,
} from '../messages/archive-world.ts';

describe('a quote as it is written', () => {
  const none = { fromMe: null, participant: null, text: null };

  test.each([
    [{ key: { id: 'A' } }, { ...none, id: 'A' }],
    [{ message_id: 'A' }, { ...none, id: 'A' }],
    [
      { key: { id: 'A', fromMe: false }, message_id: 'B' },
      { ...none, id: 'A', fromMe: false },
    ],
    [
      { key: {}, message_id: 'B', body: 'said' },
      { ...none, id: 'B', text: 'said' },
    ],
    [
      { key: { id: 'A', participant: CAROL.lid }, participant: BOB.jid },
      { ...none, id: 'A', participant: CAROL.lid },
    ],
    [
      { message_id: 'A', participant: '+55 11 99999-0002' },
      { ...none, id: 'A', participant: BOB.jid },
    ],
    [
      { message_id: 'A', participant: GROUP.jid },
      { ...none, id: 'A', participant: GROUP.jid },
    ],
    [
      { message_id: 'A', participant: '' },
      { ...none, id: 'A' },
    ],
    [
      { message_id: 'A', message: { conversation: 'said' } },
      { ...none, id: 'A', text: 'said' },
    ],
    [
      { message_id: 'A', message: { extendedTextMessage: { text: 'said' } } },
      { ...none, id: 'A', text: 'said' },
    ],
    [
      { message_id: 'A', message: { extendedTextMessage: null, conversation: 1 } },
      { ...none, id: 'A' },
    ],
    [
      { message_id: 'A', message: { extendedTextMessage: { text: 1 } } },
      { ...none, id: 'A' },
    ],
    [{ message_id: 'x'.repeat(200) }, { ...none, id: 'x'.repeat(200) }],
  ])('%j', (written, quote) => {
    expect(parseQuote(written as Parameters<typeof parseQuote>[0])).toEqual(quote);
  });

  test('is none, or has to name a message and a person', () => {
    for (const nothing of [
      undefined,
      {},
      { key: {} },
      { message_id: '' },
      { key: { id: '', fromMe: false } },
    ]) {
      expect(parseQuote(nothing)).toBeNull();
    }
    for (const written of [{ body: 'x' }, { key: { fromMe: true } }, { message_id: 'x'.repeat(201) }]) {
      expect(() => parseQuote(written)).toThrow(/^quoted: must name a message/);
    }
    expect(() => parseQuote({ message_id: 'A', participant: 'somebody' })).toThrow(
      /^quoted\.participant: must be/,
    );
  });
});

describe('what is quoted', () => {
  let world: ArchiveWorld;
  let device: TestDevice;
  beforeAll(async () => {
    world = await ArchiveWorld.create();
    device = await world.device(await world.tenant());
  });
  afterAll(() => world.destroy());

  const quoteOf = (id: string, more: Partial<Quote> = {}): Quote => ({
    id,
    fromMe: null,
    participant: null,
    text: null,
    ...more,
  });
  const quoting = (quote: Quote | null, chat: Identity = BOB, mentions: string[] = []) =>
    conversation(
      world.archive,
      device,
      { to: chat.jid ?? chat.lid ?? '', chat, isGroup: chat === GROUP },
      { quote, mentions },
    );
  async function came(message: Parameters<typeof inbound>[0], raw?: WireMessage): Promise<StoredMessage> {
    const arrived = inbound({ ...message, ...(raw ? { raw: wireCodec.encode(raw) } : {}) });
    const stored = await world.archive.storeInbound(device, arrived);
    if (!stored) throw new Error('it was not stored');
    return stored;
  }

  test('nothing, or mentions alone', async () => {
    expect(await quoting(null)).toEqual({ contextInfo: null, quoted: null, quotedFound: false });
    expect(await quoting(null, GROUP, ['5511999990003@s.whatsapp.net'])).toEqual({
      contextInfo: { mentionedJid: ['5511999990003@s.whatsapp.net'] },
      quoted: null,
      quotedFound: false,
    });
  });

  test('a message that was deleted for everyone is refused, one that its owner deleted is not there', async () => {
    const { messageId: id } = await came({});
    const revoke = { kind: 'revoke' as const, text: null, targetId: id, targetSender: null };
    await world.archive.storeInbound(device, inbound({ content: revoke }));
    await expect(quoting(quoteOf(id))).rejects.toMatchObject({ code: 'NOT_QUOTABLE' });
    const hidden = await came({ content: { text: 'mine alone' } });
    await world.archive.hide(hidden, NOW);
    expect(await quoting(quoteOf(hidden.messageId, { text: 'repeated' }))).toMatchObject({
      contextInfo: {
        stanzaId: hidden.messageId,
        participant: BOB.jid,
        quotedMessage: { conversation: 'repeated' },
      },
      quotedFound: false,
    });
  });

  test('by our own id it is found as well, and goes under WhatsApp’s', async () => {
    const { rowId, messageId: id } = await came({ content: { text: 'named' } });
    expect(await quoting(quoteOf(rowId))).toEqual({
      contextInfo: { stanzaId: id, participant: BOB.jid, quotedMessage: { conversation: 'named' } },
      quoted: { id, participant: BOB.jid, text: 'named' },
      quotedFound: true,
    });
  });

  test('of two with one id the one whose author is named, us by fromMe', async () => {
    const { messageId: id } = await came({ chat: GROUP, isGroup: true, sender: BOB });
    await came({ id, chat: GROUP, isGroup: true, sender: ALICE, fromMe: true, content: { text: 'ours' } });
    const author = async (more: Partial<Quote>) =>
      (await quoting(quoteOf(id, more), GROUP)).quoted?.participant;
    expect(await author({})).toBe(BOB.jid);
    expect(await author({ fromMe: true })).toBe(ALICE.jid);
    expect(await author({ participant: ALICE.lid })).toBe(ALICE.jid);
    expect(await author({ fromMe: true, participant: BOB.jid })).toBe(ALICE.jid);
  });

  test('an unknown one as the caller says, when both its author and its words are known', async () => {
    const said = { text: 'said' };
    const author = async (more: Partial<Quote>, chat: Identity) =>
      (await quoting(quoteOf('3EB0AAAA', more), chat)).contextInfo?.participant;
    expect(await author(said, CAROL)).toBe(CAROL.jid);
    expect(await author({ ...said, fromMe: true }, CAROL)).toBe(ALICE.jid);
    expect(await author({ ...said, participant: BOB.lid }, GROUP)).toBe(BOB.lid);
    expect(await author(said, GROUP)).toBeUndefined();
    expect(await quoting(quoteOf('3EB0AAAA'), CAROL)).toMatchObject({ contextInfo: null, quoted: null });
  });

  test('a picture with its caption as it was edited, without its own context', async () => {
    const imageMessage = { caption: 'old', mediaKey: Buffer.alloc(32), contextInfo: { stanzaId: 'x' } };
    const image = { kind: 'image' as const, text: 'old' };
    const { messageId: id } = await came({ content: image }, { imageMessage });
    const whole = { imageMessage: { caption: 'old', mediaKey: expect.anything() } };
    expect((await quoting(quoteOf(id))).contextInfo?.quotedMessage).toEqual(whole);
    const edit = { kind: 'edit' as const, text: 'new', targetId: id };
    await world.archive.storeInbound(device, inbound({ content: edit }));
    expect(await quoting(quoteOf(id))).toMatchObject({
      contextInfo: { quotedMessage: { imageMessage: { caption: 'new' } } },
      quoted: { text: 'new' },
    });
  });

  test('a poll under the name and with the options that it has by now', async () => {
    const options = [{ optionName: 'now' }, { optionName: 'later' }];
    const pollCreationMessage = { name: 'When?', options };
    const { messageId: id } = await came(
      { content: { kind: 'poll', text: 'When?' } },
      { pollCreationMessage },
    );
    const quoted = async () => (await quoting(quoteOf(id))).contextInfo?.quotedMessage;
    expect(await quoted()).toMatchObject({ pollCreationMessage });
    const { context } = await world.only(device.tenantId, id);
    const edited = (editedDetails: object, text: string) =>
      world.db
        .updateTable('messages')
        .set({ text, context: JSON.stringify({ ...context, editedDetails }) })
        .where('message_id', '=', id)
        .execute();
    await edited({ options: ['soon'] }, 'Whenever?');
    const changed = { name: 'Whenever?', options: [{ optionName: 'soon' }] };
    expect(await quoted()).toMatchObject({ pollCreationMessage: changed });
    await edited({}, '');
    expect(await quoted()).toMatchObject({ pollCreationMessage });
  });

  test('of what may be opened once nothing that opens it', async () => {
    const opens = ['url', 'directPath', 'thumbnailDirectPath'];
    const bytes = ['mediaKey', 'jpegThumbnail', 'thumbnailSha256', 'thumbnailEncSha256', 'streamingSidecar'];
    const videoMessage = {
      ...Object.fromEntries(opens.map((name) => [name, 'x'])),
      ...Object.fromEntries(bytes.map((name) => [name, Buffer.from('x')])),
      mimetype: 'video/mp4',
      viewOnce: true,
    };
    const once = { kind: 'video' as const, text: null, viewOnce: true };
    const { messageId: id } = await came({ content: once }, { videoMessage });
    expect((await quoting(quoteOf(id))).contextInfo?.quotedMessage).toEqual({
      videoMessage: { mimetype: 'video/mp4', viewOnce: true },
    });
  });

  test('a story of the one who is written to, and of nobody else', async () => {
    const story = { chat: { jid: STORIES, lid: null }, sender: BOB, content: { text: 'my day' } };
    const { messageId: id } = await came(story);
    expect(await quoting(quoteOf(id))).toMatchObject({
      contextInfo: { stanzaId: id, participant: BOB.jid, remoteJid: STORIES },
      quoted: { chat: STORIES, text: 'my day' },
      quotedFound: true,
    });
    expect(await quoting(quoteOf(id, { text: 'x' }), CAROL)).toMatchObject({ quotedFound: false });
  });
});

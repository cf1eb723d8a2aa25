/** Files and texts of messages, however deep they are. */
import { describe, expect, it } from 'vitest';
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import { parseContent } from '../../../src/whatsapp/baileys/parse/content-parser.ts';
import { BOBS_DEVICE, bytes, contextInfo, file, read } from './wire-samples.ts';

describe('files and texts a level deeper', () => {
  const picture = { imageMessage: { ...file, mimetype: 'image/jpeg' } };
  const film = { videoMessage: { ...file, mimetype: 'video/mp4' } };
  const paper = { documentMessage: { ...file, fileName: 'a.pdf' } };
  const hsm = (...params: string[]) => ({ elementName: 'hello', params });

  it.each<[string, proto.IMessage, string, string | null, string[]]>([
    [
      'a hydrated template',
      {
        templateMessage: {
          hydratedTemplate: { ...picture, hydratedContentText: 'Paid', hydratedTitleText: 'no' },
        },
      },
      'template',
      'Paid',
      ['image'],
    ],
    [
      'a hydrated four-row template',
      { templateMessage: { hydratedFourRowTemplate: { ...paper, hydratedFooterText: 'see the file' } } },
      'template',
      'see the file',
      ['document'],
    ],
    [
      'a four-row template',
      { templateMessage: { fourRowTemplate: { ...film, content: hsm('Hello', 'Ana') } } },
      'template',
      'Hello Ana',
      ['video'],
    ],
    [
      'an interactive template',
      { templateMessage: { interactiveMessageTemplate: { header: picture, body: { text: 'Book' } } } },
      'template',
      'Book',
      ['image'],
    ],
    [
      'a highly structured message',
      { highlyStructuredMessage: hsm('Your code', '123') },
      'template',
      'Your code 123',
      [],
    ],
    [
      'one that is hydrated',
      { highlyStructuredMessage: { hydratedHsm: { hydratedTemplate: { hydratedContentText: 'Hi' } } } },
      'template',
      'Hi',
      [],
    ],
    [
      'an interactive header',
      { interactiveMessage: { header: { ...film, title: 'Sale' } } },
      'interactive',
      'Sale',
      ['video'],
    ],
    [
      'a product in a header',
      {
        interactiveMessage: { header: { productMessage: { product: { title: 'Hat', productImage: file } } } },
      },
      'interactive',
      'Hat',
      ['image'],
    ],
    [
      'the cards of a carousel',
      {
        interactiveMessage: {
          carouselMessage: {
            cards: [
              { header: picture, body: { text: 'one' } },
              { header: film, body: { text: 'two' } },
            ],
          },
        },
      },
      'interactive',
      'one\ntwo',
      ['image', 'video'],
    ],
    ['buttons', { buttonsMessage: { ...paper, contentText: 'Sign' } }, 'buttons', 'Sign', ['document']],
    ['a list without a description', { listMessage: { title: 'Menu' } }, 'list', 'Menu', []],
    [
      'a product and its catalogue',
      { productMessage: { product: { productImage: file }, catalog: { catalogImage: file, title: 'Hats' } } },
      'product',
      'Hats',
      ['image', 'image'],
    ],
    ['an order', { orderMessage: { orderTitle: 'Two hats' } }, 'order', 'Two hats', []],
    ['an invitation', { groupInviteMessage: { groupName: 'Hats' } }, 'group_invite', 'Hats', []],
    [
      'an invitation to run a channel',
      { newsletterAdminInviteMessage: { newsletterName: 'News' } },
      'newsletter_invite',
      'News',
      [],
    ],
    [
      'parameters in a language',
      {
        highlyStructuredMessage: {
          ...hsm('not these'),
          localizableParams: [{ default: 'R$ 5' }, {}, { default: 'today' }],
        },
      },
      'template',
      'R$ 5 today',
      [],
    ],
    ['a template by its name', { highlyStructuredMessage: hsm() }, 'template', 'hello', []],
    [
      'a product of a catalogue alone',
      { productMessage: { catalog: { title: 'Hats' } } },
      'product',
      'Hats',
      [],
    ],
    [
      'the note of a payment',
      {
        requestPaymentMessage: { noteMessage: { extendedTextMessage: { text: 'for the hat', contextInfo } } },
      },
      'payment',
      'for the hat',
      [],
    ],
    ['its picture', { sendPaymentMessage: { noteMessage: picture } }, 'payment', null, ['image']],
  ])('%s', (_name, message, kind, text, kinds) => {
    const { media, furtherMedia = [], ...content } = read(message);
    expect(content).toMatchObject({ kind, text });
    expect([...(media ? [media] : []), ...furtherMedia].map((each) => each.kind)).toEqual(kinds);
  });

  it('a carousel has no end of cards, and we read 32', () => {
    const cards = Array.from({ length: 100 }, () => ({ header: picture }));
    const { furtherMedia, text } = read({ interactiveMessage: { carouselMessage: { cards } } });
    expect(furtherMedia).toHaveLength(31);
    expect(text).toBeNull();
  });

  it('notes within notes are not followed', () => {
    const noteMessage = { requestPaymentMessage: { noteMessage: { conversation: 'deep' } } };
    expect(read({ requestPaymentMessage: { noteMessage } })).toMatchObject({ kind: 'payment', text: null });
  });
});

describe('the file of a message', () => {
  const media = (fields: proto.Message.IDocumentMessage) =>
    read({ documentMessage: { ...file, ...fields } }).media;

  it('keeps what was promised', () => {
    expect(
      read({ videoMessage: { ...file, seconds: 0, width: 640, height: 480, viewOnce: true } }),
    ).toMatchObject({
      viewOnce: true,
      media: {
        kind: 'video',
        mimeType: 'a/b',
        fileName: null,
        fileLength: 42,
        mediaKey: bytes(1),
        directPath: '/v/x',
        fileSha256: bytes(2),
        fileEncSha256: bytes(3),
        seconds: 0,
        width: 640,
        height: 480,
      },
    });
  });

  it.each([
    [{ fileName: 'a.pdf', title: 'A' }, { fileName: 'a.pdf' }],
    [{ title: 'A' }, { fileName: 'A' }],
    [{ fileName: '', title: '' }, { fileName: null }],
    [{ mimetype: '' }, { mimeType: 'application/octet-stream' }],
    [{ directPath: '' }, { directPath: null }],
    [
      { fileSha256: bytes(2, 31), fileEncSha256: bytes(3, 33) },
      { fileSha256: null, fileEncSha256: null },
    ],
    [{ fileLength: 0 }, { fileLength: 0 }],
    [{ fileLength: Number.MAX_SAFE_INTEGER }, { fileLength: Number.MAX_SAFE_INTEGER }],
  ])('%j', (fields, expected) => {
    expect(media(fields)).toMatchObject(expected);
  });

  it.each([null, -1, 1.5, Number.MAX_SAFE_INTEGER + 1])('a length of %j is none', (fileLength) => {
    const length = fileLength === null ? null : { toNumber: () => fileLength };
    const fields = { ...file, fileLength: length } as proto.Message.IDocumentMessage;
    expect(parseContent({ documentMessage: fields }).media?.fileLength).toBeNull();
  });

  it.each([0, 31, 33])('a key of %i bytes opens nothing', (length) => {
    expect(media({ mediaKey: bytes(1, length) })).toBeNull();
  });

  it('no size of a picture is zero', () => {
    expect(read({ imageMessage: { ...file, width: 0, height: 0 } }).media).toMatchObject({
      width: null,
      height: null,
      seconds: null,
    });
  });
});

describe('what a message is about', () => {
  const key = { remoteJid: '5511999990001@s.whatsapp.net', id: '3EB1', participant: BOBS_DEVICE };
  const about = { targetId: '3EB1', targetSender: '5511999990002@s.whatsapp.net' };
  const { SecretEncType } = proto.Message.SecretEncryptedMessage;
  const edit = (secretEncType: number) => ({
    secretEncryptedMessage: { targetMessageKey: key, secretEncType },
  });

  it.each<[string, proto.IMessage, object]>([
    ['an edit', edit(SecretEncType.MESSAGE_EDIT), { kind: 'edit', sealed: 'message_edit' }],
    ['an edit of an event', edit(SecretEncType.EVENT_EDIT), { kind: 'edit', sealed: 'event_edit' }],
    ['an edit of a poll', edit(4), { kind: 'edit', sealed: 'poll_edit' }],
    ['an option for a poll', edit(5), { kind: 'poll_option', sealed: 'poll_add_option' }],
    ['something newer', edit(99), { kind: 'unknown' }],
    [
      'a reaction',
      { encReactionMessage: { targetMessageKey: key } },
      { kind: 'reaction', sealed: 'reaction' },
    ],
    ['a comment', { encCommentMessage: { targetMessageKey: key } }, { kind: 'comment', sealed: 'comment' }],
    [
      'an answer to an event',
      { encEventResponseMessage: { eventCreationMessageKey: key } },
      { kind: 'event_response', sealed: 'event_response' },
    ],
  ])('sealed: %s', (_what, message, expected) => {
    const { kind, sealed, targetId, targetSender } = parseContent(message);
    expect({ kind, ...(sealed ? { sealed } : {}), targetId, targetSender }).toEqual({
      ...expected,
      ...about,
    });
  });

  it('an open comment, and a picture of an album, but not what says of itself what it is about', () => {
    const message = { conversation: 'well said' };
    expect(read({ commentMessage: { targetMessageKey: key, message } })).toMatchObject({
      text: 'well said',
      ...about,
    });
    const messageContextInfo = { messageAssociation: { parentMessageKey: key } };
    expect(read({ messageContextInfo, imageMessage: file })).toMatchObject({ kind: 'image', ...about });
    const reactionMessage = { key: { ...key, id: '3EB9', participant: null }, text: '1' };
    expect(read({ messageContextInfo, reactionMessage })).toMatchObject({ targetId: '3EB9' });
    expect(read({ commentMessage: { targetMessageKey: key } }).targetId).toBeNull();
  });

  it.each<[proto.IMessage, object]>([
    [{ cancelPaymentRequestMessage: { key } }, { targetId: '3EB1' }],
    [{ declinePaymentRequestMessage: { key } }, { targetId: '3EB1' }],
    [{ sendPaymentMessage: { requestMessageKey: key } }, { targetId: '3EB1' }],
    [{ requestPaymentMessage: {} }, { targetId: null }],
  ])('a payment: %j', (message, expected) => {
    expect(read(message)).toMatchObject({ kind: 'payment', ...expected });
  });
});

describe('what stands beside a text', () => {
  const beside = (context: proto.IContextInfo) =>
    read({ extendedTextMessage: { text: 'x', contextInfo: context } });

  it('who set its timer when, everybody as mentioned, and a quote out of another chat', () => {
    const timer = { expiration: 86_400, ephemeralSettingTimestamp: 1_760_000_000 };
    expect(beside(timer)).toMatchObject({ ephemeralSeconds: 86_400, ephemeralSetAt: 1_760_000_000_000 });
    expect(beside({ ephemeralSettingTimestamp: 1_760_000_000 })).toMatchObject({
      ephemeralSeconds: null,
      ephemeralSetAt: null,
    });
    expect(beside({ nonJidMentions: 1 })).toMatchObject({ mentionsAll: true });
    expect(beside({})).not.toHaveProperty('mentionsAll');
    expect(beside({ stanzaId: 'A', remoteJid: 'status@broadcast' }).quoted).toMatchObject({
      chat: 'status@broadcast',
    });
  });

  const none = {
    title: null,
    body: null,
    sourceType: null,
    sourceId: null,
    sourceUrl: null,
    sourceApp: null,
    mediaType: null,
    mediaUrl: null,
    thumbnailUrl: null,
    ctwaClid: null,
    ref: null,
    conversionSource: null,
    entryPoint: null,
    entryPointApp: null,
    entryPointExternalSource: null,
    entryPointExternalMedium: null,
    utmSource: null,
    utmCampaign: null,
  };
  const ad = (fields: proto.ContextInfo.IExternalAdReplyInfo) => ({ externalAdReply: fields });

  it.each<[proto.IContextInfo, object | undefined]>([
    [ad({ title: 'Hats', body: 'Half price' }), { title: 'Hats', body: 'Half price' }],
    [ad({ sourceType: 'ad', sourceId: '1' }), { sourceType: 'ad', sourceId: '1' }],
    [ad({ sourceUrl: 'u', sourceApp: 'instagram' }), { sourceUrl: 'u', sourceApp: 'instagram' }],
    [ad({ mediaType: 1, mediaUrl: 'm' }), { mediaType: 'image', mediaUrl: 'm' }],
    [ad({ mediaType: 2 }), { mediaType: 'video' }],
    [ad({ thumbnailUrl: 't', originalImageUrl: 'o' }), { thumbnailUrl: 't' }],
    [ad({ originalImageUrl: 'o' }), { thumbnailUrl: 'o' }],
    [ad({ ctwaClid: 'c', ref: 'r' }), { ctwaClid: 'c', ref: 'r' }],
    [ad({ title: '', mediaType: 0 }), undefined],
    [{ conversionSource: 'FB_Ads' }, { conversionSource: 'FB_Ads' }],
    [
      { entryPointConversionSource: 'e', entryPointConversionApp: 'a' },
      { entryPoint: 'e', entryPointApp: 'a' },
    ],
    [
      { entryPointConversionExternalSource: 's', entryPointConversionExternalMedium: 'm' },
      { entryPointExternalSource: 's', entryPointExternalMedium: 'm' },
    ],
    [{ utm: { utmSource: 's', utmCampaign: 'c' } }, { utmSource: 's', utmCampaign: 'c' }],
    [{}, undefined],
  ])('where a customer came from: %j', (context, referral) => {
    expect(beside(context).referral).toEqual(referral && { ...none, ...referral });
  });
});

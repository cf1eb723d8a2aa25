/** Messages as users of other gateways reported them, because they came as something else, empty or not at all. */
import { describe, expect, it } from 'vitest';
import { wireDetails } from '../../src/messages/details/wire-details.ts';
import { type BinaryNode, proto } from '../../src/whatsapp/baileys/library.ts';
import { inboundMessage } from '../../src/whatsapp/baileys/parse/inbound-message.ts';
import { encodeStanza } from '../../src/whatsapp/baileys/parse/journal-stanza.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { InboundMessage } from '../../src/whatsapp/port/messages.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const LID = '222222222222222@lid';
const PN = '5511999990002@s.whatsapp.net';
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };
const file = {
  mimetype: 'image/jpeg',
  mediaKey: new Uint8Array(32).fill(1),
  fileSha256: new Uint8Array(32).fill(2),
  fileEncSha256: new Uint8Array(32).fill(3),
  directPath: '/v/t62.7118-24/1.enc',
  fileLength: 298_820,
};

async function read(
  message: proto.IMessage,
  attrs: BinaryNode['attrs'] = {},
): Promise<InboundMessage | null> {
  const stanza = {
    tag: 'message',
    attrs: { id: '3EB0', t: '1700000000', from: LID, sender_pn: PN, ...attrs },
  };
  return inboundMessage(
    {
      id: 'x',
      stanza: encodeStanza(stanza),
      plaintext: proto.Message.encode(proto.Message.fromObject(message)).finish(),
      receivedAt: 0,
    },
    OWN,
    NOBODY,
    NOBODY,
  );
}

const secret = { messageContextInfo: { messageSecret: new Uint8Array(32).fill(9) } };

describe('reported', () => {
  it('a template of the newest form, with a picture (WAHA issues 1886, 2275)', async () => {
    const message = await read({
      templateMessage: {
        interactiveMessageTemplate: {
          header: { hasMediaAttachment: true, imageMessage: file },
          body: { text: 'Your booking' },
          nativeFlowMessage: { buttons: [{ name: 'cta_url', buttonParamsJson: '{"display_text":"Open"}' }] },
        },
        templateId: '881',
      },
    });
    expect(message?.content).toMatchObject({
      kind: 'template',
      text: 'Your booking',
      media: { kind: 'image', fileLength: 298_820 },
    });
    expect(
      wireDetails({ kind: 'template', chat: '' }, message?.raw ?? new Uint8Array(), wireCodec),
    ).toMatchObject({
      template_id: '881',
      buttons: [{ name: 'cta_url', params: { display_text: 'Open' } }],
    });
  });

  it('buttons with a picture that has a caption of its own (whatsapp-api-nodejs issue 231)', async () => {
    const hydratedTemplate = { imageMessage: { ...file, caption: 'bv' }, hydratedContentText: 'welcome' };
    const message = await read({ templateMessage: { hydratedTemplate } });
    expect(message?.content).toMatchObject({ kind: 'template', text: 'welcome', media: { kind: 'image' } });
  });

  it('a tap on a button of a template (myzap issue 187)', async () => {
    const templateButtonReplyMessage = { selectedId: '2', selectedDisplayText: 'Yes', selectedIndex: 0 };
    const message = await read({ templateButtonReplyMessage });
    expect(message?.content).toMatchObject({ kind: 'buttons_response', text: 'Yes' });
  });

  it('a Lottie sticker (WAHA issue 2134)', async () => {
    const stickerMessage = { ...file, mimetype: 'application/was', isAnimated: true, isLottie: true };
    const message = await read({ ...secret, lottieStickerMessage: { message: { stickerMessage } } });
    expect(message?.content).toMatchObject({
      kind: 'sticker',
      media: { kind: 'sticker', mimeType: 'application/was' },
    });
  });

  it('an album, and a picture of it (WAHA issue 1405)', async () => {
    const album = await read({ ...secret, albumMessage: { expectedImageCount: 3, expectedVideoCount: 0 } });
    expect(album?.content).toMatchObject({ kind: 'album', text: null });
    const details = wireDetails({ kind: 'album', chat: '' }, album?.raw ?? new Uint8Array(), wireCodec);
    expect(details).toEqual({ expected_images: 3, expected_videos: 0 });
    const messageAssociation = { associationType: 1, parentMessageKey: { remoteJid: LID, id: '3EB1' } };
    const picture = await read({
      messageContextInfo: { messageAssociation },
      imageMessage: { ...file, caption: 'one' },
    });
    expect(picture?.content).toMatchObject({ kind: 'image', text: 'one', targetId: '3EB1' });
  });

  it('the better copy of a picture (mautrix-whatsapp pull request 818)', async () => {
    const messageAssociation = { associationType: 10, parentMessageKey: { remoteJid: LID, id: '3EB1' } };
    const message = await read({
      messageContextInfo: { messageAssociation },
      associatedChildMessage: { message: { imageMessage: file } },
    });
    expect(message?.content).toMatchObject({ kind: 'image', media: { kind: 'image' }, targetId: '3EB1' });
  });

  it('a click on an ad that names itself no more (Baileys issue 2354)', async () => {
    const contextInfo = {
      conversionSource: 'FB_Ads',
      conversionData: Buffer.from('opaque'),
      ctwaPayload: Buffer.from('opaque'),
      entryPointConversionSource: 'ctwa_ad',
      entryPointConversionApp: 'instagram',
    };
    const message = await read({ extendedTextMessage: { text: 'I saw the ad', contextInfo } });
    expect(message?.content.referral).toMatchObject({
      sourceId: null,
      conversionSource: 'FB_Ads',
      entryPoint: 'ctwa_ad',
      entryPointApp: 'instagram',
    });
  });

  it('a click on an ad without a word (fazer-ai/chatwoot pull request 314)', async () => {
    const externalAdReply = { title: 'Half price', sourceId: '1', sourceType: 'ad', mediaType: 2 };
    const message = await read({ extendedTextMessage: { contextInfo: { externalAdReply } } });
    const referral = { title: 'Half price', sourceId: '1', mediaType: 'video' };
    expect(message?.content).toMatchObject({ kind: 'text', referral });
  });

  it('a cart from the catalogue (wppconnect issue 2002, Evolution pull request 2393)', async () => {
    const orderMessage = {
      orderId: '775',
      itemCount: 2,
      orderTitle: 'Hats',
      sellerJid: PN,
      token: 'AR6',
      totalAmount1000: 25_000,
      totalCurrencyCode: 'BRL',
    };
    const message = await read({ orderMessage });
    expect(message?.content).toMatchObject({ kind: 'order', text: 'Hats' });
    expect(
      wireDetails({ kind: 'order', chat: '' }, message?.raw ?? new Uint8Array(), wireCodec),
    ).toMatchObject({
      order_id: '775',
      item_count: 2,
      total: 25,
      currency: 'BRL',
      token: 'AR6',
    });
  });

  it('a setting of the chat is no message (WAHA issue 813)', async () => {
    const protocolMessage = { key: { remoteJid: LID, id: '' }, type: 3, ephemeralExpiration: 86_400 };
    expect(await read({ ...secret, protocolMessage })).toBeNull();
  });

  it('a sealed edit names its message, by LID and as the sender sees it (Baileys pull request 2690)', async () => {
    const targetMessageKey = { remoteJid: LID, fromMe: true, id: '3EB0C8712CC1E53869085F' };
    const secretEncryptedMessage = {
      targetMessageKey,
      encPayload: new Uint8Array(40),
      encIv: new Uint8Array(12),
      secretEncType: 2,
    };
    const message = await read({ secretEncryptedMessage });
    expect(message).toMatchObject({
      chat: { jid: PN, lid: LID },
      content: { kind: 'edit', sealed: 'message_edit', targetId: '3EB0C8712CC1E53869085F' },
    });
  });
});

/** Tag `messages`: files. */
import { Type } from 'typebox';
import { audioContent } from '../../../sending/content/audio.ts';
import { documentContent } from '../../../sending/content/document.ts';
import { imageContent } from '../../../sending/content/image.ts';
import { stickerContent } from '../../../sending/content/sticker.ts';
import { videoContent } from '../../../sending/content/video.ts';
import { refusing, stated, together } from '../../description/stated.ts';
import { base64Text, fileAddress } from '../../request/bounds.ts';
import { EXAMPLE_PICTURE, EXAMPLE_SOUND, EXAMPLE_TEXT_FILE, EXAMPLE_VIDEO } from './example-files.ts';
import { caption, flag, given, mediaSource, type SendRoute } from './send-kind.ts';

const underIt = caption('At most 1024 characters');
const viewOnce = flag('Can be opened once');
const thumbnail = {
  thumbnail: base64Text('Picture to show before the download, base64'),
  thumbnail_url: fileAddress('Public URL of it'),
};
const seconds = Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff, description: 'Duration' }));

export function mediaKinds(route: SendRoute): void {
  route({
    path: '/send/image',
    file: 'image',
    operationId: 'sendImageMessage',
    summary: 'Send an image',
    takesMedia: true,
    fields: { ...mediaSource('image', 'JPEG, PNG, WebP or GIF'), caption: underIt, viewOnce },
    example: { number: '5511999999999', image: EXAMPLE_PICTURE, caption: 'Look' },
    content: ({ image, image_url, caption, viewOnce }) =>
      imageContent(given({ image, image_url, caption, viewOnce })),
  });

  route({
    path: '/send/video',
    file: 'video',
    mayTakeLong: true,
    operationId: 'sendVideoMessage',
    summary: 'Send a video',
    takesMedia: true,
    fields: {
      ...mediaSource('video', 'MP4 or another video'),
      caption: underIt,
      seconds,
      viewOnce,
      ...thumbnail,
      generateThumbnail: flag('Take the picture out of the video; default: yes, where ffmpeg is installed'),
      convertToMP4: flag('Make MP4 with H.264 and AAC of it, unless it is that already; GIF too'),
      gif: flag('Play in a loop without sound'),
    },
    example: { number: '5511999999999', video: EXAMPLE_VIDEO, caption: 'Watch' },
    content: (body) =>
      videoContent(
        given({
          video: body.video,
          video_url: body.video_url,
          caption: body.caption,
          seconds: body.seconds,
          viewOnce: body.viewOnce,
          convertToMP4: body.convertToMP4,
          generateThumbnail: body.generateThumbnail,
          gif: body.gif,
          thumbnail: body.thumbnail,
          thumbnail_url: body.thumbnail_url,
        }),
      ),
  });

  route({
    path: '/send/audio',
    file: 'audio',
    mayTakeLong: true,
    operationId: 'sendAudioMessage',
    summary: 'Send audio or a voice note',
    takesMedia: true,
    fields: {
      ...mediaSource('audio', 'Audio; converted to Ogg/Opus'),
      ptt: flag('Send as voice note'),
      convert: flag('False: send plain audio as it is. Default: true'),
      seconds,
      caption: underIt,
      viewOnce,
    },
    example: { number: '5511999999999', audio: EXAMPLE_SOUND, ptt: true },
    content: ({ audio, audio_url, ptt, convert, seconds, caption, viewOnce }) =>
      audioContent(given({ audio, audio_url, ptt, convert, seconds, caption, viewOnce })),
    warnings: ({ caption }) =>
      caption ? [{ field: 'caption', message: 'was not sent: WhatsApp has no captions of audio' }] : [],
  });

  route({
    path: '/send/document',
    file: 'document',
    operationId: 'sendDocumentMessage',
    summary: 'Send a file',
    takesMedia: true,
    fields: {
      ...mediaSource('document', 'Any file'),
      mime_type: Type.Optional(
        stated(
          Type.String({
            description:
              'Default, and instead of a vague one such as `application/octet-stream`: as the data URI, the URL or the first bytes say, else the extension of the name',
          }),
          {
            pattern: '^([\\w.+-]{1,127}/[\\w.+-]{1,127}(?:\\s*;[\\x20-\\x7e]{0,127})?)?$',
          },
        ),
      ),
      file_name: Type.Optional(
        refusing(
          'one of more than 255 bytes, and one of blanks with `document_url`',
          Type.String({ description: 'Required with `document_url`' }),
        ),
      ),
      caption: underIt,
      ...thumbnail,
    },
    stated: { allOf: [together('document_url', 'file_name')] },
    example: {
      number: '5511999999999',
      document: EXAMPLE_TEXT_FILE,
      file_name: 'hello.txt',
      mime_type: 'text/plain',
    },
    content: ({ document, document_url, mime_type, file_name, caption, thumbnail, thumbnail_url }) =>
      documentContent(
        given({ document, document_url, mime_type, file_name, caption, thumbnail, thumbnail_url }),
      ),
  });

  route({
    path: '/send/sticker',
    file: 'sticker',
    operationId: 'sendStickerMessage',
    summary: 'Send a sticker',
    takesMedia: true,
    fields: {
      ...mediaSource('sticker', 'WebP of at most 500 KB; JPEG, PNG and GIF are made one'),
      is_animated: flag('Default: as the file says'),
    },
    example: { to: '5511999999999@s.whatsapp.net', sticker: EXAMPLE_PICTURE },
    content: ({ sticker, sticker_url, is_animated }) =>
      stickerContent(given({ sticker, sticker_url, is_animated })),
    simple: { message: 'Sticker sent successfully', further: ['is_animated'] },
  });
}

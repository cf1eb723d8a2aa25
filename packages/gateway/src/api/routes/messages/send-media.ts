/** Tag "messages": files. */
import { Type } from 'typebox';
import { audioContent } from '../../../sending/content/audio.ts';
import { documentContent } from '../../../sending/content/document.ts';
import { imageContent } from '../../../sending/content/image.ts';
import { stickerContent } from '../../../sending/content/sticker.ts';
import { videoContent } from '../../../sending/content/video.ts';
import { flag, given, mediaSource, type SendRoute, text } from './send-kind.ts';

const caption = text('At most 1024 characters');
const viewOnce = {
  viewOnce: flag('Can be opened once'),
  view_once: flag('Same as `viewOnce`'),
};
const seconds = Type.Optional(Type.Integer({ minimum: 0, description: 'Duration' }));

export function mediaKinds(route: SendRoute): void {
  route({
    path: '/send/image',
    operationId: 'sendImageMessage',
    summary: 'Send an image',
    takesMedia: true,
    fields: { ...mediaSource('image', 'JPEG, PNG, WebP or GIF'), caption, ...viewOnce },
    example: { number: '5511999999999', image_url: 'https://example.com/photo.jpg', caption: 'Look' },
    content: ({ image, image_url, caption, viewOnce, view_once }) =>
      imageContent(given({ image, image_url, caption, viewOnce: viewOnce ?? view_once })),
  });

  route({
    path: '/send/video',
    operationId: 'sendVideoMessage',
    summary: 'Send a video',
    takesMedia: true,
    fields: {
      ...mediaSource('video', 'MP4 or another video'),
      caption,
      seconds,
      ...viewOnce,
      thumbnail: text('Picture to show before the download, base64'),
      generateThumbnail: flag('Accepted; no thumbnail can be made yet'),
      generate_thumbnail: flag('Same as `generateThumbnail`'),
      convertToMP4: flag('Refused with INVALID_MEDIA unless the video is MP4 already'),
      convert_to_mp4: flag('Same as `convertToMP4`'),
    },
    example: { number: '5511999999999', video_url: 'https://example.com/clip.mp4', caption: 'Watch' },
    content: (body) =>
      videoContent(
        given({
          video: body.video,
          video_url: body.video_url,
          caption: body.caption,
          seconds: body.seconds,
          viewOnce: body.viewOnce ?? body.view_once,
          convertToMP4: body.convertToMP4 ?? body.convert_to_mp4,
          thumbnail: body.thumbnail,
        }),
      ),
  });

  route({
    path: '/send/audio',
    operationId: 'sendAudioMessage',
    summary: 'Send audio or a voice note',
    takesMedia: true,
    fields: {
      ...mediaSource('audio', 'Audio; Ogg/Opus for a voice note'),
      ptt: flag('Send as voice note'),
      seconds,
      caption,
      ...viewOnce,
    },
    example: { number: '5511999999999', audio_url: 'https://example.com/note.ogg', ptt: true },
    content: ({ audio, audio_url, ptt, seconds, caption, viewOnce, view_once }) =>
      audioContent(given({ audio, audio_url, ptt, seconds, caption, viewOnce: viewOnce ?? view_once })),
  });

  route({
    path: '/send/document',
    operationId: 'sendDocumentMessage',
    summary: 'Send a file',
    takesMedia: true,
    fields: {
      ...mediaSource('document', 'Any file'),
      mime_type: text('Default: as the data URI, the URL or the first bytes say'),
      file_name: text('Required with `document_url`'),
      caption,
    },
    example: {
      number: '5511999999999',
      document_url: 'https://example.com/invoice.pdf',
      file_name: 'invoice.pdf',
      mime_type: 'application/pdf',
    },
    content: ({ document, document_url, mime_type, file_name, caption }) =>
      documentContent(given({ document, document_url, mime_type, file_name, caption })),
  });

  route({
    path: '/send/sticker',
    operationId: 'sendStickerMessage',
    summary: 'Send a sticker',
    takesMedia: true,
    fields: {
      ...mediaSource('sticker', 'WebP of at most 500 KB'),
      is_animated: flag('Default: as the file says'),
    },
    example: { to: '5511999999999@s.whatsapp.net', sticker_url: 'https://example.com/hi.webp' },
    content: ({ sticker, sticker_url, is_animated }) =>
      stickerContent(given({ sticker, sticker_url, is_animated })),
    simple: { message: 'Sticker sent successfully', further: ['is_animated'] },
  });
}

import { AppError } from '../../errors.ts';
import { type Content, withContext } from '../content.ts';
import { descriptorOf, mediaInput, timed, uploadedFields, withOpened } from '../outbound-media.ts';
import { pictureFacts } from './picture.ts';
import { asSticker } from './sticker-picture.ts';

export interface StickerInput {
  sticker?: string;
  sticker_url?: string;
  /** Read from the file when not given. */
  is_animated?: boolean;
}

/** Documented bound of a sticker. */
const LARGEST_STICKER = 500 * 1024;
/** Of a picture that is made one. */
const LARGEST_PICTURE = 16 * 1024 ** 2;

/** A sticker: WebP of at most 500 KB as it is; JPEG, PNG and GIF are made one. */
export function stickerContent(input: StickerInput): Content {
  const source = mediaInput('sticker', input.sticker, input.sticker_url);
  return {
    chatState: 'composing',
    compose: ({ media, session, contextInfo, signal }) =>
      withOpened(
        media,
        source,
        { field: 'sticker', maxBytes: LARGEST_PICTURE, signal },
        async (opened, member) => {
          const given = await pictureFacts(media, opened, member);
          const isSticker = given.format === 'webp';
          if (isSticker && opened.size > LARGEST_STICKER) {
            const message = `it is larger than ${LARGEST_STICKER} bytes`;
            throw new AppError('PAYLOAD_TOO_LARGE', {
              message: `${member}: ${message}`,
              validation: [{ field: member, message }],
            });
          }
          const { file, facts } = isSticker
            ? { file: opened, facts: given }
            : await asSticker(media, opened, member, LARGEST_STICKER);
          const isAnimated = input.is_animated ?? facts.animated;
          const { uploaded } = await timed(() => media.upload(session, 'sticker', file, signal));
          return {
            kind: 'sticker',
            text: null,
            message: {
              stickerMessage: {
                ...uploadedFields(uploaded, facts.mimeType),
                width: facts.width,
                height: facts.height,
                isAnimated,
                ...withContext(contextInfo),
              },
            },
            media: descriptorOf('sticker', uploaded, facts),
            metadata: { is_animated: isAnimated, was_converted: !isSticker },
          };
        },
      ),
  };
}

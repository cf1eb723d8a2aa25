import { type Content, withContext } from '../content.ts';
import { descriptorOf, mediaInput, timedUpload, uploadedFields, withOpened } from '../outbound-media.ts';
import { notUsable, readPicture } from './picture.ts';

export interface StickerInput {
  sticker?: string;
  sticker_url?: string;
  /** Read from the file when not given. */
  is_animated?: boolean;
}

/** Documented bound of a sticker. */
export const LARGEST_STICKER = 500 * 1024;

/** A sticker: WebP of at most 500 KB. */
export function stickerContent(input: StickerInput): Content {
  const source = mediaInput('sticker', input.sticker, input.sticker_url);
  return {
    chatState: 'composing',
    compose: ({ media, session, contextInfo }) =>
      withOpened(media, source, { field: 'sticker', maxBytes: LARGEST_STICKER }, async (opened, member) => {
        const { facts } = await readPicture(opened, member);
        if (facts.format !== 'webp') {
          throw notUsable(member, `must be WebP, not ${facts.mimeType}`);
        }
        const isAnimated = input.is_animated ?? facts.animated;
        const { uploaded } = await timedUpload(media, session, 'sticker', opened);
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
          metadata: { is_animated: isAnimated },
        };
      }),
  };
}

import { type Content, checkedCaption, withContext } from '../content.ts';
import {
  asViewOnce,
  descriptorOf,
  mediaInput,
  timed,
  uploadedFields,
  withOpened,
} from '../outbound-media.ts';
import { preview } from './picture.ts';

export interface ImageInput {
  image?: string;
  image_url?: string;
  caption?: string;
  viewOnce?: boolean;
}

/** A picture: JPEG, PNG, WebP or GIF, with an optional caption. */
export function imageContent(input: ImageInput): Content {
  const source = mediaInput('image', input.image, input.image_url);
  const caption = checkedCaption(input.caption);
  const viewOnce = input.viewOnce ?? false;
  return {
    chatState: 'composing',
    compose: ({ media, session, contextInfo, signal }) =>
      withOpened(media, source, { field: 'image', signal }, async (opened, member) => {
        const { facts, bytes: jpegThumbnail } = await preview(media, opened, member);
        const { uploaded, uploadMs } = await timed(() => media.upload(session, 'image', opened, signal));
        const content = {
          ...uploadedFields(uploaded, facts.mimeType),
          width: facts.width,
          height: facts.height,
          jpegThumbnail,
          ...(caption === null ? {} : { caption }),
          ...withContext(contextInfo),
        };
        return {
          kind: 'image',
          text: caption,
          message: viewOnce ? asViewOnce('imageMessage', content) : { imageMessage: content },
          media: descriptorOf('image', uploaded, facts),
          viewOnce,
          metadata: {
            image_size_bytes: opened.size,
            image_format: facts.mimeType,
            download_time_ms: opened.downloadMs,
            upload_time_ms: uploadMs,
            view_once_enabled: viewOnce,
          },
        };
      }),
  };
}

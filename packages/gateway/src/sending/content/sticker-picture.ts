/** Any picture as a sticker. */
import type { PictureFacts } from '../../media/prepare/pictures.ts';
import type { OpenedMedia, OutboundMedia } from '../outbound-media.ts';
import { usable } from './picture.ts';

/** WebP of 512 × 512 with a clear background, animated if the picture is. INVALID_MEDIA when it stays too large. */
export async function asSticker(
  { pictures }: Pick<OutboundMedia, 'pictures'>,
  opened: OpenedMedia,
  field: string,
  maxBytes: number,
): Promise<{ file: OpenedMedia; facts: PictureFacts }> {
  const { bytes, facts } = await usable(field, () => pictures.sticker(opened, maxBytes));
  const file: OpenedMedia = {
    ...opened,
    content: { bytes },
    size: bytes.length,
    detectedType: facts.mimeType,
    dispose: async () => undefined,
  };
  return { file, facts };
}

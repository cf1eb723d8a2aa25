/** Any picture as a sticker. */
import sharp from 'sharp';
import type { OpenedMedia } from '../outbound-media.ts';
import { notUsable } from './picture.ts';

/** What the apps' own stickers measure, in pixels. */
const SIDE = 512;
/** From good to bearable; the first that is small enough is taken. */
const QUALITIES = [80, 60, 40, 20] as const;

/** WebP of 512 × 512 with a clear background, animated if the picture is. INVALID_MEDIA when it stays too large. */
export async function asSticker(opened: OpenedMedia, field: string, maxBytes: number): Promise<OpenedMedia> {
  const file = 'path' in opened.content ? opened.content.path : opened.content.bytes;
  const transparent = { r: 0, g: 0, b: 0, alpha: 0 };
  for (const quality of QUALITIES) {
    const bytes = await sharp(file, { animated: true, limitInputPixels: SIDE * SIDE * 400 })
      .autoOrient()
      .resize(SIDE, SIDE, { fit: 'contain', background: transparent })
      .webp({ quality, effort: 4 })
      .toBuffer()
      .catch((cause: unknown) => {
        throw notUsable(field, 'is a damaged picture', cause);
      });
    if (bytes.length <= maxBytes) {
      return {
        ...opened,
        content: { bytes },
        size: bytes.length,
        detectedType: 'image/webp',
        dispose: async () => undefined,
      };
    }
  }
  throw notUsable(field, `is larger than ${maxBytes} bytes even as a small sticker: use fewer pictures`);
}

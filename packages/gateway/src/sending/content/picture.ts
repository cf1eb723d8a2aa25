/** Reading pictures: what they are, how large, and the small JPEG that a chat shows before the download. */
import sharp from 'sharp';
import { AppError } from '../../errors.ts';
import type { OpenedMedia } from '../outbound-media.ts';

export interface PictureFacts {
  format: 'jpeg' | 'png' | 'webp' | 'gif';
  mimeType: string;
  /** Pixels, as shown: after the camera's rotation. */
  width: number;
  height: number;
  animated: boolean;
}

/** Formats that WhatsApp shows. SVG and others are left out: a picture must not be a program or a document. */
const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'gif'] satisfies PictureFacts['format'][];

/** Longer side of the preview in pixels; official clients embed 72–100 (Baileys embeds 32 of width). */
const PREVIEW_SIDE = 72;

/**
 * Decompression bombs stop here. The largest phone cameras make 200 megapixels; more than this is no photo.
 */
const MOST_PIXELS = 268_402_689;

export interface Picture {
  facts: PictureFacts;
  /** The preview as JPEG; INVALID_MEDIA when the picture's body does not decode. */
  preview(): Promise<Uint8Array>;
}

/** Reads the picture's header; INVALID_MEDIA for bytes that are no JPEG, PNG, WebP or GIF. */
export async function readPicture(opened: OpenedMedia, field: string): Promise<Picture> {
  const file = 'path' in opened.content ? opened.content.path : opened.content.bytes;
  const load = () => sharp(file, { limitInputPixels: MOST_PIXELS, sequentialRead: true });
  const metadata = await load()
    .metadata()
    .catch((cause: unknown) => {
      throw notUsable(field, 'is not a picture', cause);
    });
  const { format, autoOrient, pages } = metadata;
  if (!FORMATS.includes(format)) throw notUsable(field, `must be JPEG, PNG, WebP or GIF, not ${format}`);
  return {
    facts: {
      format: format as PictureFacts['format'],
      mimeType: `image/${format}`,
      width: autoOrient.width,
      height: autoOrient.height,
      animated: (pages ?? 1) > 1,
    },
    preview: () =>
      load()
        .autoOrient()
        .resize(PREVIEW_SIDE, PREVIEW_SIDE, { fit: 'inside', withoutEnlargement: true })
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: 60 })
        .toBuffer()
        .catch((cause: unknown) => {
          throw notUsable(field, 'is a damaged picture', cause);
        }),
  };
}

/** The preview of a picture that we made ourselves. */
export async function previewOf(picture: Uint8Array): Promise<Uint8Array> {
  return sharp(picture)
    .resize(PREVIEW_SIDE, PREVIEW_SIDE, { fit: 'inside' })
    .jpeg({ quality: 60 })
    .toBuffer();
}

/** INVALID_MEDIA that names the request's member. */
export function notUsable(field: string, problem: string, cause?: unknown): AppError {
  return new AppError('INVALID_MEDIA', {
    message: `${field} ${problem}`,
    validation: [{ field, message: problem }],
    cause,
  });
}

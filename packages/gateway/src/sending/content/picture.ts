/** Pictures as the builders use them: what they are, and the small JPEG that a chat shows before the download. */
import { AppError } from '../../errors.ts';
import { type PictureFacts, UnusablePicture } from '../../media/prepare/pictures.ts';
import type { OpenedMedia, OutboundMedia } from '../outbound-media.ts';

/** Longer side of the preview in pixels; official clients embed 72–100 (Baileys embeds 32 of width). */
const PREVIEW_SIDE = 72;

/** Reads the picture's header; INVALID_MEDIA for bytes that are no JPEG, PNG, WebP or GIF, or too large a one. */
export function pictureFacts(
  { pictures }: Pick<OutboundMedia, 'pictures'>,
  opened: OpenedMedia,
  field: string,
): Promise<PictureFacts> {
  return usable(field, () => pictures.facts(opened));
}

/** The preview as JPEG; INVALID_MEDIA as `pictureFacts`, and when the picture's body does not decode. */
export function preview(
  { pictures }: Pick<OutboundMedia, 'pictures'>,
  opened: OpenedMedia,
  field: string,
): Promise<{ facts: PictureFacts; bytes: Uint8Array }> {
  return usable(field, () => pictures.preview(opened, PREVIEW_SIDE));
}

/** What `work` gives; INVALID_MEDIA that names `field` when the picture cannot be used. */
export async function usable<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnusablePicture) throw notUsable(field, error.message, error);
    throw error;
  }
}

/** INVALID_MEDIA that names the request's member. */
export function notUsable(field: string, problem: string, cause?: unknown): AppError {
  return new AppError('INVALID_MEDIA', {
    message: `${field} ${problem}`,
    validation: [{ field, message: problem }],
    cause,
  });
}

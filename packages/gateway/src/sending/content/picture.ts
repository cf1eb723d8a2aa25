/** Pictures as the builders use them: what they are, and the small JPEG that a chat shows before the download. */
import { AppError } from '../../errors.ts';
import { type PictureFacts, UnusablePicture } from '../../media/prepare/pictures.ts';
import { type MediaInput, type OpenedMedia, type OutboundMedia, withOpened } from '../outbound-media.ts';

/** Longer side of the preview in pixels; official clients embed 72–100 (Baileys embeds 32 of width). */
const PREVIEW_SIDE = 72;

/** Pixels: what the apps make of a picture of an account, a group or a channel (Baileys generateProfilePicture). */
const AVATAR_SIDE = 640;
/** Bytes of the picture as it is given: more than any camera makes. */
const LARGEST_AVATAR = 16 * 1024 ** 2;

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

/**
 * The picture of an account, a group or a channel: any that we read, cut to the square in its middle, as JPEG.
 * `field` names the request's member without `_url`. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE.
 */
export function avatar(
  media: Pick<OutboundMedia, 'open' | 'pictures'>,
  input: MediaInput,
  { field, signal }: { field: string; signal?: AbortSignal | undefined },
): Promise<Uint8Array> {
  return withOpened(media, input, { field, maxBytes: LARGEST_AVATAR, signal }, async (opened, member) => {
    const { bytes } = await usable(member, () => media.pictures.square(opened, AVATAR_SIDE));
    return bytes;
  });
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

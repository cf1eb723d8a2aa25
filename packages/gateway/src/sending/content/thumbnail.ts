/** The small picture that some messages carry in themselves. */
import { invalidField } from '../../errors.ts';
import { type MediaInput, type OutboundMedia, withOpened } from '../outbound-media.ts';
import { preview } from './picture.ts';

/** A preview of a few kilobytes is made of it; larger files are refused before they are fetched whole. */
const LARGEST_SOURCE = 16 * 1024 ** 2;

export interface ThumbnailInput {
  /** Base64 or data URI. */
  thumbnail?: string;
  thumbnail_url?: string;
}

/** What the caller gave, null when nothing; VALIDATION_ERROR for both at once. */
export function thumbnailInput({ thumbnail, thumbnail_url }: ThumbnailInput): MediaInput | null {
  if (thumbnail && thumbnail_url) {
    throw invalidField('thumbnail_url', 'give either thumbnail or thumbnail_url, not both');
  }
  if (thumbnail) return { base64: thumbnail };
  return thumbnail_url ? { url: thumbnail_url } : null;
}

/** The member `jpegThumbnail`, absent without input. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. */
export async function jpegThumbnail(
  media: OutboundMedia,
  input: MediaInput | null,
): Promise<{ jpegThumbnail?: Uint8Array }> {
  if (!input) return {};
  return withOpened(
    media,
    input,
    { field: 'thumbnail', maxBytes: LARGEST_SOURCE },
    async (opened, member) => ({
      jpegThumbnail: (await preview(media, opened, member)).bytes,
    }),
  );
}

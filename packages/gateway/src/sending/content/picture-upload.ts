/** A picture inside of another message: a header, a product. */
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import type { ComposeContext } from '../content.ts';
import { type MediaInput, uploadedFields, withOpened } from '../outbound-media.ts';
import { preview } from './picture.ts';

/** Uploads it and gives waE2E.ImageMessage. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE, UPLOAD_FAILED. */
export async function uploadedPicture(
  { media, session }: Pick<ComposeContext, 'media' | 'session'>,
  input: MediaInput,
  field: string,
): Promise<{ content: WireMessage }> {
  return withOpened(media, input, { field }, async (opened, member) => {
    const { facts, bytes: jpegThumbnail } = await preview(media, opened, member);
    const uploaded = await media.upload(session, 'image', opened);
    const { width, height } = facts;
    return { content: { ...uploadedFields(uploaded, facts.mimeType), width, height, jpegThumbnail } };
  });
}

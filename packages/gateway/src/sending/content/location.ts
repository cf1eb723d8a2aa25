import { type Content, checkedOptional, LONGEST_CAPTION, withContext } from '../content.ts';
import { jpegThumbnail, type ThumbnailInput, thumbnailInput } from './thumbnail.ts';

export interface LocationInput extends ThumbnailInput {
  /** Degrees, WGS 84: −90 to 90. */
  latitude: number;
  /** Degrees, −180 to 180. */
  longitude: number;
  name?: string;
  address?: string;
  /** Opened when the place is tapped. */
  url?: string;
  comment?: string;
}

/** Characters of an address that is opened. */
export const LONGEST_URL = 2048;

/** A place on the map (waE2E.LocationMessage). */
export function locationContent(input: LocationInput): Content {
  const picture = thumbnailInput(input);
  const name = checkedOptional('name', input.name, LONGEST_CAPTION);
  const address = checkedOptional('address', input.address, LONGEST_CAPTION);
  const url = checkedOptional('url', input.url, LONGEST_URL);
  const comment = checkedOptional('comment', input.comment, LONGEST_CAPTION);
  return {
    chatState: 'composing',
    compose: async ({ media, contextInfo }) => ({
      kind: 'location',
      text: name ?? null,
      message: {
        locationMessage: {
          degreesLatitude: input.latitude,
          degreesLongitude: input.longitude,
          ...(name ? { name } : {}),
          ...(address ? { address } : {}),
          ...(url ? { url } : {}),
          ...(comment ? { comment } : {}),
          ...(await jpegThumbnail(media, picture)),
          ...withContext(contextInfo),
        },
      },
    }),
  };
}

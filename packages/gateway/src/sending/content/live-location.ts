import { type Content, checkedCaption, withContext } from '../content.ts';
import { jpegThumbnail, type ThumbnailInput, thumbnailInput } from './thumbnail.ts';

export interface LiveLocationInput extends ThumbnailInput {
  /** Degrees, WGS 84: −90 to 90. */
  latitude: number;
  /** Degrees, −180 to 180. */
  longitude: number;
  accuracy_in_meters?: number;
  speed_in_mps?: number;
  degrees_clockwise_from_magnetic_north?: number;
  caption?: string;
  /** Orders the positions of one sharing. Default: the time of day in microseconds, as official clients count. */
  sequence_number?: number;
  /** Seconds since the position was measured. */
  time_offset?: number;
}

/**
 * One position of a live location (waE2E.LiveLocationMessage). The message carries no duration: official
 * clients keep it to themselves and end the sharing by sending nothing more.
 */
export function liveLocationContent(input: LiveLocationInput): Content {
  const picture = thumbnailInput(input);
  const caption = checkedCaption(input.caption);
  const measured = {
    accuracyInMeters: input.accuracy_in_meters,
    speedInMps: input.speed_in_mps,
    degreesClockwiseFromMagneticNorth: input.degrees_clockwise_from_magnetic_north,
    timeOffset: input.time_offset,
  };
  const given = Object.entries(measured).filter(([, value]) => value !== undefined);
  return {
    chatState: 'composing',
    compose: async ({ media, contextInfo, now }) => ({
      kind: 'live_location',
      text: caption,
      message: {
        liveLocationMessage: {
          degreesLatitude: input.latitude,
          degreesLongitude: input.longitude,
          ...Object.fromEntries(given),
          sequenceNumber: input.sequence_number ?? now * 1000,
          ...(caption === null ? {} : { caption }),
          ...(await jpegThumbnail(media, picture)),
          ...withContext(contextInfo),
        },
      },
    }),
  };
}

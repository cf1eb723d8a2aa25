import { parseRfc3339 } from '../../clock.ts';
import { invalidField } from '../../errors.ts';
import { type Content, checkedOptional, checkedRequired, withContext } from '../content.ts';

export interface EventInput {
  name: string;
  description?: string;
  /** RFC 3339. */
  start_time: string;
  /** RFC 3339. */
  end_time?: string;
  location?: { name?: string; latitude?: number; longitude?: number };
  /** A link to join a call. */
  join_link?: string;
  extra_guests_allowed?: boolean;
}

export const LONGEST_EVENT_NAME = 100;
export const LONGEST_EVENT_DESCRIPTION = 2048;
export const LONGEST_JOIN_LINK = 2048;

/** A calendar event (waE2E.EventMessage; the stanza says so: Baileys messages-send.js, `event_type`). */
export function eventContent(input: EventInput): Content {
  const name = checkedRequired('name', input.name, LONGEST_EVENT_NAME);
  const description = checkedOptional('description', input.description, LONGEST_EVENT_DESCRIPTION);
  const joinLink = checkedOptional('join_link', input.join_link, LONGEST_JOIN_LINK);
  const startTime = seconds('start_time', input.start_time);
  const endTime = input.end_time === undefined ? undefined : seconds('end_time', input.end_time);
  if (endTime !== undefined && endTime <= startTime) {
    throw invalidField('end_time', 'must be later than start_time', input.end_time);
  }
  const location = place(input.location);
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'event',
      text: name,
      message: {
        eventMessage: {
          name,
          startTime,
          isCanceled: false,
          extraGuestsAllowed: input.extra_guests_allowed ?? false,
          ...(description ? { description } : {}),
          ...(endTime === undefined ? {} : { endTime }),
          ...(joinLink ? { joinLink } : {}),
          ...(location ? { location } : {}),
          ...withContext(contextInfo),
        },
      },
      extraNodes: [{ tag: 'meta', attrs: { event_type: 'creation' } }],
    }),
  };
}

/** Whole seconds since the epoch, as the message carries them. */
function seconds(field: string, time: string): number {
  const at = parseRfc3339(time);
  if (at === null) throw invalidField(field, 'must be a time such as 2026-06-15T12:00:00Z', time);
  return Math.floor(at / 1000);
}

function place(location: EventInput['location']) {
  if (!location) return null;
  const { latitude, longitude } = location;
  const name = checkedOptional('location.name', location.name, LONGEST_EVENT_NAME);
  if ((latitude === undefined) !== (longitude === undefined)) {
    throw invalidField('location', 'needs latitude and longitude, or neither');
  }
  return {
    ...(name ? { name } : {}),
    ...(latitude === undefined ? {} : { degreesLatitude: latitude, degreesLongitude: longitude }),
  };
}

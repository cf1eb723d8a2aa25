/** Tag `messages`: questions to the chat, polls and calendar events. */
import { Type } from 'typebox';
import {
  type EventInput,
  eventContent,
  LONGEST_EVENT_DESCRIPTION,
  LONGEST_EVENT_NAME,
  LONGEST_JOIN_LINK,
} from '../../../sending/content/event.ts';
import {
  FEWEST_OPTIONS,
  LONGEST_OPTION,
  LONGEST_QUESTION,
  MOST_OPTIONS,
  pollContent,
} from '../../../sending/content/poll.ts';
import { optionalWords, refusing, stated, words } from '../../description/stated.ts';
import { emptyCounts } from '../../request/given.ts';
import { Rfc3339 } from '../../schemas.ts';
import { flag, given, type SendRoute } from './send-kind.ts';

/** The operation refuses far fewer, in words of its own. */
const MOST_LOOKED_AT = 100;

export function pollKinds(route: SendRoute): void {
  route({
    path: '/send/poll',
    operationId: 'sendPollMessage',
    summary: 'Send a poll',
    fields: {
      question: words(LONGEST_QUESTION, 'At most 255 characters'),
      options: stated(
        Type.Array(
          Type.Object({ option_name: refusing('the name of another option', words(LONGEST_OPTION)) }),
          { maxItems: MOST_LOOKED_AT, description: '2 to 12, each at most 100 characters and different' },
        ),
        { minItems: FEWEST_OPTIONS, maxItems: MOST_OPTIONS },
      ),
      allow_multiple_answers: flag('Voters may choose all that they like; else one'),
    },
    example: {
      to: '5511999999999',
      question: 'When?',
      options: [{ option_name: 'Today' }, { option_name: 'Tomorrow' }],
    },
    content: ({ question, options, allow_multiple_answers }) =>
      pollContent({ question, options, ...given({ allow_multiple_answers }) }),
    simple: { message: 'Poll sent successfully', further: ['options_count', 'multiple_choice'] },
  });

  route({
    path: '/send/event',
    operationId: 'sendEvent',
    summary: 'Send a calendar event',
    fields: {
      name: words(LONGEST_EVENT_NAME, 'At most 100 characters'),
      description: optionalWords(LONGEST_EVENT_DESCRIPTION, 'At most 2048 characters'),
      start_time: Rfc3339,
      end_time: Type.Optional(refusing('a time that is not later than `start_time`', Rfc3339)),
      location: Type.Optional(
        refusing(
          'a latitude without a longitude, and the other way round',
          Type.Object({
            name: optionalWords(LONGEST_EVENT_NAME, 'Name of the place'),
            latitude: Type.Optional(emptyCounts(Type.Number({ minimum: -90, maximum: 90 }))),
            longitude: Type.Optional(emptyCounts(Type.Number({ minimum: -180, maximum: 180 }))),
          }),
        ),
      ),
      join_link: optionalWords(LONGEST_JOIN_LINK, 'Link of a call'),
      extra_guests_allowed: flag('Guests may bring others'),
    },
    example: { to: '120363039000000000@g.us', name: 'Inventory', start_time: '2026-12-01T14:00:00Z' },
    content: ({ name, description, start_time, end_time, location, join_link, extra_guests_allowed }) =>
      eventContent({
        name,
        start_time,
        ...given({
          description,
          end_time,
          location: location && (given(location) as NonNullable<EventInput['location']>),
          join_link,
          extra_guests_allowed,
        }),
      }),
    simple: { message: 'Event sent successfully', further: [] },
  });
}

/** Category "webhook": what the gateway says about pushing itself. */
import { Type } from 'typebox';
import { Count, EXAMPLE, entry, Flag, OrNull, Text, Time } from './parts.ts';

export const WEBHOOK_EVENTS = {
  'webhook.test': entry({
    summary: 'A delivery to try out an endpoint',
    cause: '`POST /webhook/test`.',
    schema: Type.Object({ message: Text('A word for people'), webhook_id: Text('The endpoint') }),
    example: { message: 'It works', webhook_id: 'wh_0f8fad5bd9cb469fa16570867728950e' },
  }),
  'webhook.paused': entry({
    summary: 'An endpoint gets nothing any more',
    cause: 'It failed for long, or answered 410. Other endpoints of the owner are told, and whoever pulls.',
    schema: Type.Object({
      webhook_id: Text('The endpoint'),
      url: Text('Its address, without credentials and query'),
      state: Text('`paused`: it failed for long; `gone`: it answered 410'),
      reason: Text('What the last attempt ended with'),
      failing_since: OrNull(Time('The first failure since the last success')),
      failures: Type.Integer({ description: 'Failed attempts since then' }),
    }),
    example: {
      webhook_id: 'wh_0f8fad5bd9cb469fa16570867728950e',
      url: 'https://example.com/hooks/wuts',
      state: 'paused',
      reason: 'status 500',
      failing_since: EXAMPLE.time,
      failures: 23,
    },
  }),
  'webhook.expiring': entry({
    summary: 'What waits for an endpoint will soon be dropped',
    cause:
      'Deliveries have been waiting for a paused, disabled or failing endpoint for nearly as long as they may. ' +
      'Other endpoints of the owner are told, and whoever pulls.',
    schema: Type.Object({
      webhook_id: Text('The endpoint'),
      url: Text('Its address, without credentials and query'),
      enabled: Flag('False: its owner has switched it off'),
      state: Text('`active`, `paused` or `gone`'),
      waiting: Count('Deliveries that wait'),
      waiting_since: Time('When the oldest of them was made'),
      expires_at: Time('When it is dropped; the others follow as they grow as old'),
    }),
    example: {
      webhook_id: 'wh_0f8fad5bd9cb469fa16570867728950e',
      url: 'https://example.com/hooks/wuts',
      enabled: true,
      state: 'paused',
      waiting: 1204,
      waiting_since: EXAMPLE.time,
      expires_at: '2026-07-15T12:00:00.000Z',
    },
  }),
};

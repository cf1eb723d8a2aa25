/** Which numbers are on WhatsApp. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import type { NumberChecks } from '../../../contacts/number-checks.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { Nullable, Rfc3339 } from '../../schemas.ts';
import { namesOf, personNames } from './person.ts';

const MOST_NUMBERS = 1000;
const DAY_SECONDS = 24 * 3600;

const Body = Type.Object({
  numbers: Type.Array(Type.String({ maxLength: 200 }), {
    minItems: 1,
    maxItems: MOST_NUMBERS,
    description: 'Phone numbers with country code, however they are written',
    examples: [['5511999999999', '+55 (11) 88888-8888']],
  }),
  max_age: Type.Optional(
    emptyCounts(
      Type.Integer({
        minimum: 0,
        maximum: DAY_SECONDS,
        default: DAY_SECONDS,
        description:
          'Seconds: how old a kept answer may be; 0 asks anew. "Nobody has it" is kept for a minute',
      }),
    ),
  ),
  device_id: DeviceId,
});

const Answer = Type.Object({
  success: Type.Literal(true),
  data: Type.Record(Type.String(), Type.Boolean(), {
    description: 'By number, as digits: whether somebody on WhatsApp has it',
  }),
  results: Type.Array(
    Type.Object({
      input: Type.String(),
      number: Type.String({ description: 'Its name in `data`' }),
      registered: Nullable(
        Type.Boolean({ description: 'Null when WhatsApp does not say; `data` leaves it out' }),
      ),
      ...personNames,
      checked_at: Nullable(Rfc3339),
      problem: Nullable(Type.String({ description: 'Why it was not asked: what is wrong with the number' })),
    }),
    { description: 'One for each entry, in order' },
  ),
});

export interface CheckParts {
  checks: NumberChecks;
  devices: Devices;
}

/** `POST /contact/check`. */
export const checkRoutes: FastifyPluginAsyncTypebox<CheckParts> = async (app, { checks, devices }) => {
  app.post(
    '/contact/check',
    {
      schema: {
        operationId: 'checkContactsOnWhatsApp',
        tags: ['contacts'],
        summary: 'Which numbers are on WhatsApp',
        description:
          'Up to 1,000 numbers in one call. Numbers that are written in another way than WhatsApp knows them (the ' +
          'ninth digit of Brazil, for one) are found. Answers are kept for a day: what was asked lately costs no ' +
          'traffic, and a call that failed in the middle goes on from there when it is repeated. A device asks ' +
          'for 200 at a time, with a pause between.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: Body,
        response: { 200: Answer, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { numbers, max_age = DAY_SECONDS } = request.body;
      const checked = await checks.check(device, numbers, max_age * 1000);
      return {
        success: true as const,
        data: Object.fromEntries(
          checked.flatMap(({ number, registered }) => (registered === null ? [] : [[number, registered]])),
        ),
        results: checked.map(({ input, number, registered, person, checkedAt, problem }) => ({
          input,
          number,
          registered,
          ...namesOf(person),
          checked_at: rfc3339OrNull(checkedAt),
          problem,
        })),
      };
    },
  );
};

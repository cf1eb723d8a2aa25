/** Trying a webhook, and delivering a range of events again. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { AppError, invalidField } from '../../../errors.ts';
import { EVENT_NAMES } from '../../../events/catalogue/names.ts';
import type { Caller } from '../../../tenancy/caller.ts';
import type { Endpoint } from '../../../webhooks/endpoint.ts';
import type { Endpoints } from '../../../webhooks/endpoints.ts';
import type { Replay, ReplayAnswer, ReplayRange } from '../../../webhooks/replay.ts';
import type { Trial } from '../../../webhooks/trial.ts';
import { atLeastOne, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { milliseconds, Nullable, Rfc3339 } from '../../schemas.ts';
import { AttemptObject, attemptObject, Event, Success } from './schemas.ts';

const DEFAULT_REPLAY = 10_000;
const MAX_REPLAY = 100_000;
const tags = ['webhooks'];

const EndpointId = Type.Optional(
  Type.String({ description: "Which webhook; default: the device's single one", examples: ['wh_…'] }),
);
const Seq = Type.Integer({ minimum: 0, description: 'A place in the order of `GET /events`' });

const TestBody = Type.Object({ device_id: DeviceId, endpoint_id: EndpointId });
const ReplayBody = stated(
  Type.Object(
    {
      from: Type.Optional(Rfc3339),
      to: Type.Optional(Rfc3339),
      after_seq: Type.Optional(emptyCounts(Seq)),
      up_to_seq: Type.Optional(Seq),
      events: Type.Optional(
        Type.Array(Event, {
          minItems: 1,
          maxItems: EVENT_NAMES.length,
          description: 'Default: those the webhook is configured for',
        }),
      ),
      endpoint_id: Type.Optional(
        Type.String({ description: 'Which webhook; default: every enabled one of the device' }),
      ),
      device_id: DeviceId,
      missing_only: Type.Optional(
        Type.Boolean({ description: 'Leave out what the webhook has answered with 2xx. Default false' }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_REPLAY,
          description: `Events looked at, per webhook; default ${DEFAULT_REPLAY}`,
        }),
      ),
    },
    { examples: [{ from: '2026-06-15T08:00:00Z', to: '2026-06-15T12:00:00Z', missing_only: true }] },
  ),
  { allOf: [atLeastOne('from', 'after_seq')] },
);

export interface SendingAgainParts {
  endpoints: Endpoints;
  replay: Replay;
  trial: Trial;
}

/** `/webhook/test` and `/webhook/replay`. */
export const sendingAgainRoutes: FastifyPluginAsyncTypebox<SendingAgainParts> = async (app, parts) => {
  const { endpoints, replay, trial } = parts;

  app.post(
    '/webhook/test',
    {
      schema: {
        operationId: 'testWebhook',
        tags,
        summary: 'Try a webhook out',
        description:
          'Sends `webhook.test` now, whatever the webhook subscribes to, and answers with what came back. It is ' +
          'tried once and does not count towards pausing.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: TestBody,
        response: {
          200: Type.Object({
            success: Success,
            delivered: Type.Boolean(),
            webhook_id: Type.String(),
            delivery_id: Type.String(),
            event_id: Type.String(),
            attempt: AttemptObject,
          }),
          ...failures(...DEVICE_FAILURES, 'NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const endpoint = await chosen(endpoints, request.caller, {
        endpointId: request.body.endpoint_id,
        deviceId: selectedDevice(request),
      });
      const answer = await trial.run(endpoint);
      if (answer === null) throw new AppError('NOT_FOUND', { message: 'webhook not found' });
      const { result } = answer;
      return {
        success: true as const,
        delivered: result.error === null,
        webhook_id: endpoint.id,
        delivery_id: answer.deliveryId,
        event_id: answer.eventId,
        attempt: attemptObject({
          attempt: 1,
          at: result.at,
          took_ms: Math.round(result.tookMs),
          status: result.status,
          error: result.error,
          response_head: result.responseHead,
        }),
      };
    },
  );

  app.post(
    '/webhook/replay',
    {
      schema: {
        operationId: 'replayWebhook',
        tags,
        summary: 'Deliver a range of events again',
        description:
          'From a time or a place in the order of events on, with the same event ids and in order. `next_seq` ' +
          'says where to go on (`after_seq`) when the limit was reached.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: ReplayBody,
        response: {
          202: Type.Object({
            success: Success,
            enqueued: Type.Integer(),
            skipped: Type.Integer({ description: 'Waiting already, or with `missing_only` received' }),
            webhooks: Type.Array(
              Type.Object({
                webhook_id: Type.String(),
                enqueued: Type.Integer(),
                skipped: Type.Integer(),
                next_seq: Nullable(Type.Integer()),
              }),
            ),
          }),
          ...failures(...DEVICE_FAILURES, 'NOT_FOUND', 'CURSOR_UNKNOWN'),
        },
      },
    },
    async (request, reply) => {
      const range = rangeOf(request.body);
      const { endpoint_id: endpointId } = request.body;
      const deviceId = selectedDevice(request);
      const targets =
        endpointId === undefined
          ? await endpoints.enabledOf(request.caller, deviceId)
          : [await chosen(endpoints, request.caller, { endpointId, deviceId })];
      if (targets.length === 0) throw new AppError('NOT_FOUND', { message: 'no webhook is configured' });
      const answers: { webhook_id: string; answer: ReplayAnswer }[] = [];
      for (const target of targets) {
        answers.push({ webhook_id: target.id, answer: await replay.run(target, range) });
      }
      return reply.code(202).send({
        success: true as const,
        enqueued: answers.reduce((sum, { answer }) => sum + answer.enqueued, 0),
        skipped: answers.reduce((sum, { answer }) => sum + answer.skipped, 0),
        webhooks: answers.map(({ webhook_id, answer }) => ({
          webhook_id,
          enqueued: answer.enqueued,
          skipped: answer.skipped,
          next_seq: answer.nextSeq,
        })),
      });
    },
  );
};

/** The named endpoint, or the device's single one. */
async function chosen(
  endpoints: Endpoints,
  caller: Caller,
  named: { endpointId: string | undefined; deviceId: string | undefined },
): Promise<Endpoint> {
  if (named.endpointId !== undefined) return endpoints.get(caller, named.endpointId);
  const endpoint = await endpoints.default(caller, named.deviceId);
  if (endpoint === null) throw new AppError('NOT_FOUND', { message: 'no webhook is configured' });
  return endpoint;
}

/** A beginning must be said: "everything ever" would hardly be what somebody wants to receive again. */
function rangeOf(body: Static<typeof ReplayBody>): ReplayRange {
  if (body.from === undefined && body.after_seq === undefined) {
    throw invalidField('from', 'say where to begin: from (a time) or after_seq');
  }
  return {
    fromMs: milliseconds(body.from),
    toMs: milliseconds(body.to),
    afterSeq: body.after_seq,
    upToSeq: body.up_to_seq,
    events: body.events,
    missingOnly: body.missing_only,
    limit: body.limit ?? DEFAULT_REPLAY,
  };
}

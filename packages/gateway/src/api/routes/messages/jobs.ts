/** Tag `messages`: jobs, which are sends that happen later or take long. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import type { SendJob } from '../../../sending/jobs/job.ts';
import { JOB_STATES } from '../../../sending/jobs/job-state.ts';
import type { SendJobs } from '../../../sending/jobs/send-jobs.ts';
import { DeviceHeaders, OnlyDevice, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { nextPage, pageQuery } from '../../request/page.ts';
import {
  ErrorCodeSchema,
  NotReadyReasonSchema,
  Nullable,
  OneOf,
  Rfc3339,
  WhatsAppCodeSchema,
} from '../../schemas.ts';
import { AlbumItemEnd, albumItemEnd } from './send-album.ts';

const JobId = Type.Object({ id: Type.String({ examples: ['job_0f8fad5bd9cb469fa16570867728950e'] }) });

const JobStateName = OneOf(JOB_STATES, {
  title: 'JobState',
  description:
    '`scheduled` until its time, `queued` behind others of its bulk, `processing`, then `sent`, `failed` or ' +
    '`cancelled`',
});

export const JobObject = Type.Object(
  {
    id: Type.String(),
    bulk_id: Nullable(Type.String()),
    type: Type.String({ description: 'Kind of message: the path after `/send/`', examples: ['text'] }),
    recipient: Type.String({ description: 'As it was given' }),
    device_id: Type.String(),
    state: JobStateName,
    send_at: Rfc3339,
    attempts: Type.Integer(),
    message_id: Nullable(
      Type.String({ description: 'Known just before it leaves; good for `GET /messages/{id}/status`' }),
    ),
    items: Nullable(
      Type.Array(AlbumItemEnd, { description: 'Of an album that was begun: how each of its items stands' }),
    ),
    error_code: Nullable(ErrorCodeSchema),
    reason: Nullable(NotReadyReasonSchema),
    whatsapp_code: Nullable(WhatsAppCodeSchema),
    error: Nullable(Type.String()),
    created_at: Rfc3339,
    finished_at: Nullable(Rfc3339),
  },
  { title: 'Job' },
);

const JobAnswer = Type.Object({ success: Type.Literal(true), job: JobObject });

export function jobObject(job: SendJob): Static<typeof JobObject> {
  return {
    id: job.id,
    bulk_id: job.bulkId,
    type: job.kind,
    recipient: job.recipient,
    device_id: job.deviceId,
    state: job.state,
    send_at: rfc3339(job.sendAt),
    attempts: job.attempts,
    message_id: job.messageId,
    items: job.items?.map(albumItemEnd) ?? null,
    error_code: job.error?.code ?? null,
    reason: job.error?.reason ?? null,
    whatsapp_code: job.error?.whatsappCode ?? null,
    error: job.error?.message ?? null,
    created_at: rfc3339(job.createdAt),
    finished_at: rfc3339OrNull(job.finishedAt),
  };
}

export const jobsRoutes: FastifyPluginAsyncTypebox<{ jobs: SendJobs }> = async (app, { jobs }) => {
  const tags = ['messages'];

  app.get(
    '/jobs',
    {
      schema: {
        operationId: 'listSendJobs',
        tags,
        summary: 'List scheduled and long sends',
        description:
          'Newest first. Admins and managers see those of the whole tenant, users their own. What is over stays ' +
          'for 30 days.',
        headers: DeviceHeaders,
        querystring: Type.Object({
          state: Type.Optional(JobStateName),
          bulk_id: Type.Optional(Type.String({ maxLength: 100 })),
          device_id: OnlyDevice,
          ...pageQuery({ usual: 50, most: 200 }),
        }),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            jobs: Type.Array(JobObject),
            ...nextPage,
          }),
        },
      },
    },
    async (request) => {
      const { state, bulk_id, cursor, limit = 50 } = request.query;
      const page = await jobs.list(request.caller, {
        states: state && [state],
        bulkId: bulk_id,
        deviceId: selectedDevice(request),
        cursor,
        limit,
      });
      return { success: true as const, jobs: page.jobs.map(jobObject), next_cursor: page.nextCursor };
    },
  );

  app.get(
    '/jobs/:id',
    {
      schema: {
        operationId: 'getSendJob',
        tags,
        summary: 'How a scheduled or long send is going',
        params: JobId,
        response: { 200: JobAnswer, ...failures('NOT_FOUND') },
      },
    },
    async (request) => ({
      success: true as const,
      job: jobObject(await jobs.get(request.caller, request.params.id)),
    }),
  );

  app.delete(
    '/jobs/:id',
    {
      schema: {
        operationId: 'cancelSendJob',
        tags,
        summary: 'Cancel a scheduled send',
        description: 'Only what has not begun. Of a bulk, the others go on.',
        params: JobId,
        response: { 200: JobAnswer, ...failures('NOT_FOUND', 'NOT_CANCELLABLE') },
      },
    },
    async (request) => ({
      success: true as const,
      job: jobObject(await jobs.cancel(request.caller, request.params.id)),
    }),
  );
};

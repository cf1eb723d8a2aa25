/** Tag `labels`: the labels themselves. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { LABEL_FAILURES, type Labels } from '../../../labels/labels.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import {
  LabelColor,
  LabelIdParam,
  LabelName,
  LabelObject,
  labelObject,
  MadeLabel,
  madeLabel,
} from './schemas.ts';

const tags = ['labels'];
const Success = Type.Literal(true);
const params = Type.Object({ id: LabelIdParam });
const CHANGES = [...DEVICE_FAILURES, ...SESSION_FAILURES, ...LABEL_FAILURES] as const;

export interface ManageParts {
  labels: Labels;
  idempotency: Idempotency;
}

export const manageRoutes: FastifyPluginAsyncTypebox<ManageParts> = async (app, { labels, idempotency }) => {
  app.get(
    '/labels',
    {
      schema: {
        operationId: 'listLabels',
        tags,
        summary: 'List labels',
        description:
          'Of one device, in the order of their ids, with how much has them. Read from what the account told: no traffic.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Success,
            labels: Type.Array(LabelObject),
            count: Type.Integer(),
          }),
          ...failures(...DEVICE_FAILURES),
        },
      },
    },
    async (request) => {
      const found = await labels.list(request.caller, selectedDevice(request));
      return { success: true as const, labels: found.map(labelObject), count: found.length };
    },
  );

  app.post(
    '/labels',
    {
      schema: {
        operationId: 'createLabel',
        tags,
        summary: 'Make a label',
        description:
          'On all devices of the account, which has to be a WhatsApp Business one. With an `Idempotency-Key` a request ' +
          'that is repeated makes one label.',
        querystring: DeviceQuery,
        headers: SendHeaders,
        body: Type.Object({ name: LabelName, color: Type.Optional(LabelColor), device_id: DeviceId }),
        response: {
          201: Type.Object({ success: Success, label: MadeLabel }),
          ...failures(...CHANGES, 'ACCOUNT_CHANGED', 'IDEMPOTENCY_CONFLICT'),
        },
      },
    },
    async (request, reply) => {
      reply.code(201);
      return once(idempotency, request, reply, async (attempt) => {
        const { name, color = 0 } = request.body;
        const asked = { deviceId: selectedDevice(request), name, color };
        const label = await labels.create(request.caller, asked, attempt);
        return { success: true as const, label: madeLabel(label) };
      });
    },
  );

  app.patch(
    '/labels/:id',
    {
      schema: {
        operationId: 'editLabel',
        tags,
        summary: 'Change a label',
        description: 'What is left out stays.',
        params,
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: Type.Object({
          name: Type.Optional(LabelName),
          // The first place of the palette.
          color: Type.Optional(emptyCounts(LabelColor)),
          device_id: DeviceId,
        }),
        response: { 200: Type.Object({ success: Success, label: MadeLabel }), ...failures(...CHANGES) },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), id: request.params.id };
      const label = await labels.edit(request.caller, name, request.body);
      return { success: true as const, label: madeLabel(label) };
    },
  );

  app.delete(
    '/labels/:id',
    {
      schema: {
        operationId: 'deleteLabel',
        tags,
        summary: 'Delete a label',
        description: 'It is taken off all chats and messages.',
        params,
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({ success: Success, label_id: LabelIdParam, deleted: Type.Literal(true) }),
          ...failures(...CHANGES),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      await labels.remove(request.caller, { deviceId: selectedDevice(request), id });
      return { success: true as const, label_id: id, deleted: true as const };
    },
  );
};

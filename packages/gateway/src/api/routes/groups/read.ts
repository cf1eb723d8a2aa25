/** Tag `groups`: what the account's groups are, without asking WhatsApp. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { GROUP_FAILURES, type Groups } from '../../../groups/groups.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { CursorText, nextPage } from '../../request/page.ts';
import { Nullable } from '../../schemas.ts';
import { AsOf, GroupObject, GroupPath, GroupSummary, groupObject, participantObject } from './schemas.ts';

export interface ReadParts {
  groups: Groups;
}

const MOST = 1000;
/** Of a page that is asked for by its cursor alone. */
const USUAL = 200;

const Refresh = Type.Optional(
  Type.Boolean({ default: false, description: 'Ask WhatsApp first, which needs a connected device' }),
);

const ListQuery = Type.Object({
  device_id: DeviceId,
  refresh: Refresh,
  include_left: Type.Optional(
    Type.Boolean({ default: false, description: 'Groups that the account is not in any more as well' }),
  ),
  cursor: CursorText,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MOST, description: 'Without it and `cursor` all are given' }),
  ),
});

const GroupListAnswer = Type.Object({
  success: Type.Literal(true),
  groups: Type.Array(GroupSummary),
  as_of: Nullable(AsOf),
  ...nextPage,
});

export const readRoutes: FastifyPluginAsyncTypebox<ReadParts> = async (app, { groups }) => {
  const shared = { tags: ['groups'], headers: DeviceHeaders };

  app.get(
    '/groups',
    {
      schema: {
        ...shared,
        operationId: 'listGroups',
        summary: "List the account's groups and communities",
        description:
          'In the order of their JIDs. From what WhatsApp told before, also while the device is not connected; ' +
          'changes come by themselves.',
        querystring: ListQuery,
        response: { 200: GroupListAnswer, ...failures(...GROUP_FAILURES) },
      },
    },
    async (request) => {
      const { refresh, include_left: includeLeft = false, cursor, limit } = request.query;
      const page = { cursor, limit: limit ?? (cursor === undefined ? undefined : USUAL) };
      const deviceId = selectedDevice(request);
      const list = await groups.list(request.caller, {
        deviceId,
        includeLeft,
        ...page,
        refresh: refresh === true,
      });
      return {
        success: true as const,
        groups: list.groups.map(groupObject),
        as_of: rfc3339OrNull(list.asOf),
        next_cursor: list.nextCursor,
      };
    },
  );

  app.get(
    '/groups/:jid',
    {
      schema: {
        ...shared,
        operationId: 'getGroup',
        summary: 'Read a group with its members',
        description:
          'From what WhatsApp told before; a group that is not known is asked for. One that the account is not in ' +
          'any more says so in `membership`.',
        params: GroupPath,
        querystring: Type.Object({ device_id: DeviceId, refresh: Refresh }),
        response: {
          200: Type.Object({ success: Type.Literal(true), group: GroupObject }),
          ...failures(...GROUP_FAILURES),
        },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const refresh = request.query.refresh === true;
      const { group, members } = await groups.get(request.caller, { ...name, refresh });
      return {
        success: true as const,
        group: { ...groupObject(group), participants: members.map(participantObject) },
      };
    },
  );
};

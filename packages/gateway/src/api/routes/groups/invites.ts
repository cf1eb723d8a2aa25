/** Tag `groups`: the invite link of a group. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type Clock, rfc3339 } from '../../../clock.ts';
import type { GroupChanging } from '../../../groups/group-changing.ts';
import { GROUP_FAILURES } from '../../../groups/groups.ts';
import { DeviceHeaders, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Rfc3339 } from '../../schemas.ts';
import { GroupPath } from './schemas.ts';

export interface InviteParts {
  changing: GroupChanging;
  clock: Clock;
}

/** What goes before the code (whatsmeow group.go InviteLinkPrefix). */
const LINK = 'https://chat.whatsapp.com/';

const answer = {
  success: Type.Literal(true),
  group_jid: Jid,
  invite_link: Type.String({ examples: [`${LINK}AbCdEfGhIjKlMnOpQrStUv`] }),
};

export const inviteRoutes: FastifyPluginAsyncTypebox<InviteParts> = async (app, { changing, clock }) => {
  const shared = {
    tags: ['groups'],
    params: GroupPath,
    querystring: DeviceQuery,
    headers: DeviceHeaders,
  };

  app.get(
    '/groups/:jid/invite',
    {
      schema: {
        ...shared,
        operationId: 'getGroupInviteLink',
        summary: 'Read the invite link of a group',
        description: 'Makes no new one. WhatsApp tells it to admins.',
        response: { 200: Type.Object(answer), ...failures(...GROUP_FAILURES) },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const { group, code } = await changing.inviteCode(request.caller, name, { anew: false });
      return { success: true as const, group_jid: group, invite_link: `${LINK}${code}` };
    },
  );

  app.post(
    '/groups/:jid/invite/reset',
    {
      schema: {
        ...shared,
        operationId: 'resetGroupInviteLink',
        summary: 'Make a new invite link; the old one is void',
        response: { 200: Type.Object({ ...answer, reset_at: Rfc3339 }), ...failures(...GROUP_FAILURES) },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const { group, code } = await changing.inviteCode(request.caller, name, { anew: true });
      const reset_at = rfc3339(clock.now());
      return { success: true as const, group_jid: group, invite_link: `${LINK}${code}`, reset_at };
    },
  );
};

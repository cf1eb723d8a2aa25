/** Tag `groups`: who was in a group. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { GROUP_FAILURES } from '../../../groups/groups.ts';
import { type PastMembers, USUAL_PAGE } from '../../../groups/past-members.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { nextPage, pageQuery } from '../../request/page.ts';
import { Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { GroupPath } from './schemas.ts';

export interface PastParticipantsParts {
  pastMembers: PastMembers;
}

const PastParticipant = Type.Object(
  {
    jid: Type.String({ description: '`…@s.whatsapp.net`, or `…@lid` while only that is known' }),
    lid: Nullable(Type.String({ description: '`…@lid`' })),
    phone_number: Nullable(
      Type.String({ description: 'As a JID, `…@s.whatsapp.net`; null while only the LID is known' }),
    ),
    reason: OneOf(['left', 'removed'] as const),
    removed_by: Nullable({ ...Jid, description: 'The admin, where WhatsApp says' }),
    left_at: Nullable({ ...Rfc3339, description: 'Null when the phone did not say' }),
  },
  { title: 'PastParticipant' },
);

export const pastParticipantsRoutes: FastifyPluginAsyncTypebox<PastParticipantsParts> = async (
  app,
  { pastMembers },
) => {
  app.get(
    '/groups/:jid/past-participants',
    {
      schema: {
        tags: ['groups'],
        operationId: 'listPastGroupParticipants',
        summary: 'List who was in a group and is not any more',
        description:
          'Those whom the account saw go since the device was linked, and those who had gone before as the phone ' +
          'told when it was. Who comes back is not among them; in the order of their JIDs.',
        params: GroupPath,
        querystring: Type.Object({ device_id: DeviceId, ...pageQuery({ usual: USUAL_PAGE, most: 1000 }) }),
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            group_jid: Jid,
            participants: Type.Array(PastParticipant),
            ...nextPage,
          }),
          ...failures(...GROUP_FAILURES),
        },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const page = await pastMembers.list(request.caller, name, { cursor, limit });
      return {
        success: true as const,
        group_jid: page.group,
        participants: page.members.map((each) => ({
          jid: canonicalJid(each) ?? '',
          lid: each.lid,
          phone_number: each.jid,
          reason: each.removed ? ('removed' as const) : ('left' as const),
          removed_by: each.removedBy && canonicalJid(each.removedBy),
          left_at: rfc3339OrNull(each.leftAt),
        })),
        next_cursor: page.nextCursor,
      };
    },
  );
};

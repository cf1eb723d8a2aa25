/** Tag `groups`: communities, and the groups that are linked to them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import { COMMUNITY_FAILURES, type Communities, type Community } from '../../../groups/communities.ts';
import { atLeastOne, refusing, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable } from '../../schemas.ts';
import { GroupPath, GroupSummary, groupObject } from './schemas.ts';

export interface CommunitiesParts {
  communities: Communities;
}

const childName = (description: string) =>
  Type.Optional(refusing('what is no JID of a group', Type.String({ maxLength: 100, description })));

const LinkBody = stated(
  refusing(
    'two groups',
    Type.Object(
      {
        group_jid: childName('The group'),
        jid: childName('The same as `group_jid`'),
        child_jid: childName('The same as `group_jid`'),
        device_id: DeviceId,
      },
      { examples: [{ group_jid: '120363039000000001@g.us' }] },
    ),
  ),
  { allOf: [atLeastOne('group_jid', 'jid', 'child_jid')] },
);

export const CommunityObject = Type.Object(
  {
    ...GroupSummary.properties,
    announcement_group_jid: Nullable({
      ...Jid,
      description: 'The group in which its admins write to everybody; WhatsApp makes it',
    }),
    groups: Type.Array(
      Type.Object({
        jid: Jid,
        name: Type.String(),
        members_count: Nullable(Type.Integer()),
        is_announcement_group: Type.Boolean(),
      }),
      { description: 'The groups that are linked to it' },
    ),
  },
  { title: 'Community' },
);

const LinkAnswer = Type.Object({
  success: Type.Literal(true),
  community_jid: Jid,
  group_jid: Jid,
  linked: Type.Boolean(),
});

const QUERY = Type.Object({ device_id: DeviceId });

export const communityRoutes: FastifyPluginAsyncTypebox<CommunitiesParts> = async (app, { communities }) => {
  const shared = { tags: ['groups'], headers: DeviceHeaders, querystring: QUERY };
  const failing = failures(...COMMUNITY_FAILURES);

  app.get(
    '/communities/:jid',
    {
      schema: {
        ...shared,
        operationId: 'getCommunity',
        summary: 'Read a community with the groups that are linked to it',
        params: GroupPath,
        response: {
          200: Type.Object({ success: Type.Literal(true), community: CommunityObject }),
          ...failing,
        },
      },
    },
    async (request) => {
      const community = await communities.get(request.caller, nameIn(request));
      return { success: true as const, community: communityObject(community) };
    },
  );

  // The documentation's page of linking is not public: both paths that fit its words are taken.
  for (const { url, suffix } of [
    { url: '/communities/:jid/groups', suffix: '' },
    { url: '/groups/:jid/link', suffix: 'ByLink' },
  ]) {
    for (const [method, linked] of [
      ['POST', true],
      ['DELETE', false],
    ] as const) {
      app.route({
        method,
        url,
        schema: {
          ...shared,
          operationId: `${linked ? 'link' : 'unlink'}CommunityGroup${suffix}`,
          summary: linked ? 'Link a group to a community' : 'Take a group out of a community',
          description: linked
            ? 'Its members join the community. The account has to be an admin of both.'
            : 'Its members stay in the community.',
          params: GroupPath,
          body: LinkBody,
          response: { 200: LinkAnswer, ...failing },
        },
        handler: async (request) => {
          const child = childIn(request.body);
          const changed = await communities.link(request.caller, nameIn(request), { child, linked });
          const { community, group } = changed;
          return { success: true as const, community_jid: community, group_jid: group, linked };
        },
      });
    }
  }
};

function nameIn(request: FastifyRequest<{ Params: Static<typeof GroupPath> }>) {
  return { deviceId: selectedDevice(request), group: request.params.jid };
}

function childIn({ group_jid, jid, child_jid }: Static<typeof LinkBody>): string {
  const given = [group_jid, jid, child_jid].filter((each) => each !== undefined);
  const [child, ...others] = given;
  if (child === undefined) throw invalidField('group_jid', 'is needed');
  if (others.some((each) => each !== child)) throw invalidField('group_jid', 'is named twice, differently');
  return child;
}

/** A community in answers. */
export function communityObject({ community, linked }: Community): Static<typeof CommunityObject> {
  return {
    ...groupObject(community),
    announcement_group_jid: linked.find(({ announcements }) => announcements)?.jid ?? null,
    groups: linked.map(({ jid, subject, size, announcements }) => ({
      jid,
      name: subject,
      members_count: size,
      is_announcement_group: announcements,
    })),
  };
}

/** Tag `groups`: groups, their members and invites, and communities. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { InlineFiles } from '../../../media/outgoing/inline-files.ts';
import { acceptFilesInJson } from '../../request/json-body.ts';
import { type CommunitiesParts, communityRoutes } from './communities.ts';
import { type CommunityMembersParts, communityMembersRoutes } from './community-members.ts';
import { type InviteParts, inviteRoutes } from './invites.ts';
import { type JoinRequestsParts, joinRequestRoutes } from './join-requests.ts';
import { type JoiningParts, joiningRoutes } from './joining.ts';
import { type ManageParts, manageRoutes } from './manage.ts';
import { type ParticipantsParts, participantsRoutes } from './participants.ts';
import { type PastParticipantsParts, pastParticipantsRoutes } from './past-participants.ts';
import { type PictureParts, pictureRoutes } from './picture.ts';
import { type ReadParts, readRoutes } from './read.ts';

export type GroupsParts = ReadParts &
  ManageParts &
  ParticipantsParts &
  InviteParts &
  JoiningParts &
  JoinRequestsParts &
  CommunitiesParts &
  CommunityMembersParts &
  PastParticipantsParts &
  PictureParts & { inlineFiles: InlineFiles };

export const groupsRoutes: FastifyPluginAsyncTypebox<GroupsParts> = async (app, parts) => {
  acceptFilesInJson(app, parts.inlineFiles);
  await app.register(readRoutes, parts);
  await app.register(manageRoutes, parts);
  await app.register(participantsRoutes, parts);
  await app.register(inviteRoutes, parts);
  await app.register(pictureRoutes, parts);
  await app.register(joiningRoutes, parts);
  await app.register(joinRequestRoutes, parts);
  await app.register(communityRoutes, parts);
  await app.register(communityMembersRoutes, parts);
  await app.register(pastParticipantsRoutes, parts);
};

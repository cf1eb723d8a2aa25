/** Tag `groups`: groups, their members and invites, and communities. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type CommunitiesParts, communityRoutes } from './communities.ts';
import { type JoinRequestsParts, joinRequestRoutes } from './join-requests.ts';
import { type JoiningParts, joiningRoutes } from './joining.ts';
import { type ReadParts, readRoutes } from './read.ts';

export type GroupsParts = ReadParts & JoiningParts & JoinRequestsParts & CommunitiesParts;

export const groupsRoutes: FastifyPluginAsyncTypebox<GroupsParts> = async (app, parts) => {
  await app.register(readRoutes, parts);
  await app.register(joiningRoutes, parts);
  await app.register(joinRequestRoutes, parts);
  await app.register(communityRoutes, parts);
};

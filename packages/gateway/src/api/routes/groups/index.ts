/** Tag `groups`: groups, their members and invites, and communities. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type ReadParts, readRoutes } from './read.ts';

export type GroupsParts = ReadParts;

export const groupsRoutes: FastifyPluginAsyncTypebox<GroupsParts> = async (app, parts) => {
  await app.register(readRoutes, parts);
};

/** Tag `users-and-admin`: tenants (master token) and the users of the caller's tenant. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { UsersAndAdminParts } from './parts.ts';
import { tenantRoutes } from './tenants.ts';
import { userRoutes } from './users.ts';

export type { Counted, UsersAndAdminParts } from './parts.ts';

export const usersAndAdminRoutes: FastifyPluginAsyncTypebox<UsersAndAdminParts> = async (app, parts) => {
  await app.register(tenantRoutes, parts);
  await app.register(userRoutes, parts);
};

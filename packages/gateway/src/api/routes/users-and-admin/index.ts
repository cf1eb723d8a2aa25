/** Tag `users-and-admin`: tenants (master token) and the users of the caller's tenant. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Tenants } from '../../../tenancy/tenants.ts';
import type { Users } from '../../../tenancy/users.ts';
import { tenantRoutes } from './tenants.ts';
import { userRoutes } from './users.ts';

export interface UsersAndAdminParts {
  tenants: Tenants;
  users: Users;
}

export const usersAndAdminRoutes: FastifyPluginAsyncTypebox<UsersAndAdminParts> = async (app, parts) => {
  await app.register(tenantRoutes, parts);
  await app.register(userRoutes, parts);
};

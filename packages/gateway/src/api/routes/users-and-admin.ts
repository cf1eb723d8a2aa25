/** Tag `users-and-admin`: tenants (master token) and the users of the caller's tenant. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { ROLES } from '../../tenancy/roles.ts';
import type { Tenant, Tenants } from '../../tenancy/tenants.ts';
import type { User } from '../../tenancy/user-rows.ts';
import type { Users } from '../../tenancy/users.ts';
import { requireMaster, requireRole } from '../auth.ts';
import { errorResponses, Nullable, OneOf, Rfc3339, rfc3339, Uuid } from '../schemas.ts';

const RoleName = OneOf(ROLES, { examples: ['user'] });
const Email = Type.String({ format: 'email', maxLength: 254, examples: ['ana@example.com'] });
const Password = Type.String({ minLength: 8, maxLength: 256, examples: ['a long passphrase'] });
const WebhookUrl = Nullable(
  Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 2048, examples: ['https://example.com/hook'] }),
);
/** Any text: what is no UUID is an unknown id. */
const IdParameter = Type.Object({ id: Type.String() });

const UserFields = {
  id: Uuid,
  tenant_id: Uuid,
  email: Type.String(),
  role: RoleName,
  active: Type.Boolean(),
  created_at: Rfc3339,
  updated_at: Rfc3339,
};
const UserBody = Type.Object(UserFields);
const ListedUser = Type.Object({
  ...UserFields,
  token_preview: Type.String({ description: 'The first characters of the token', examples: ['e5f7ebbd'] }),
});
const Token = Type.String({
  format: 'uuid',
  description: 'The bearer token. Shown here once and never again',
});
const NewUserBody = Type.Object({ ...UserFields, token: Token });
const TenantBody = Type.Object({ id: Uuid, name: Type.String(), created_at: Rfc3339, updated_at: Rfc3339 });
const WebhookNote = {
  webhook_configured: Type.Boolean(),
  webhook_url: Nullable(Type.String()),
  note: Nullable(Type.String()),
};
const ok = Type.Literal(true);

export interface UsersAndAdminParts {
  tenants: Tenants;
  users: Users;
}

export const usersAndAdminRoutes: FastifyPluginAsyncTypebox<UsersAndAdminParts> = async (app, parts) => {
  await app.register(tenantRoutes, parts);
  await app.register(userRoutes, parts);
};

const tenantRoutes: FastifyPluginAsyncTypebox<UsersAndAdminParts> = async (app, { tenants }) => {
  app.post(
    '/register',
    {
      config: { access: requireMaster },
      schema: {
        operationId: 'superAdminRegisterTenant',
        tags: ['users-and-admin'],
        summary: 'Register a tenant with its first user',
        description: 'The first user is always an admin; `role` is accepted and ignored.',
        body: Type.Object({
          tenant_name: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S', examples: ['Acme'] }),
          email: Email,
          password: Password,
          role: Type.Optional(Type.String()),
          webhook_url: Type.Optional(WebhookUrl),
        }),
        response: {
          201: Type.Object({
            success: ok,
            user: NewUserBody,
            tenant: TenantBody,
            token: Token,
            ...WebhookNote,
          }),
          ...errorResponses('409'),
        },
      },
    },
    async (request, reply) => {
      const { tenant_name, email, password, webhook_url } = request.body;
      const made = await tenants.register({
        tenantName: tenant_name.trim(),
        email,
        password,
        webhookUrl: webhook_url ?? null,
      });
      return reply.code(201).send({
        success: true,
        user: { ...userBody(made.user), token: made.token },
        tenant: tenantBody(made.tenant),
        token: made.token,
        ...webhookNote(made.user, 'Webhook will be auto-configured when WhatsApp device is connected'),
      });
    },
  );

  app.get(
    '/tenants',
    {
      config: { access: requireMaster },
      schema: {
        operationId: 'superAdminListTenants',
        tags: ['users-and-admin'],
        summary: 'List all tenants',
        response: { 200: Type.Object({ success: ok, tenants: Type.Array(TenantBody) }) },
      },
    },
    async () => ({ success: true as const, tenants: (await tenants.list()).map(tenantBody) }),
  );

  app.get(
    '/global/tenants/:id',
    {
      config: { access: requireMaster },
      schema: {
        operationId: 'superAdminGetTenant',
        tags: ['users-and-admin'],
        summary: 'Read a tenant',
        params: IdParameter,
        response: { 200: Type.Object({ success: ok, data: TenantBody }), ...errorResponses('404') },
      },
    },
    async (request) => ({ success: true as const, data: tenantBody(await tenants.get(request.params.id)) }),
  );

  app.delete(
    '/global/tenants/:id',
    {
      config: { access: requireMaster },
      schema: {
        operationId: 'superAdminDeleteTenant',
        tags: ['users-and-admin'],
        summary: 'Delete a tenant with everything it owns',
        description: 'Users, devices, sessions, messages, receipts. Cannot be undone.',
        params: IdParameter,
        response: {
          200: Type.Object({
            success: ok,
            message: Type.String(),
            data: Type.Object({ tenant_id: Uuid, tenant_name: Type.String(), deleted_at: Rfc3339 }),
          }),
          ...errorResponses('404'),
        },
      },
    },
    async (request) => {
      const { tenant, deletedAt } = await tenants.delete(request.params.id);
      request.log.warn({ tenant_id: tenant.id }, 'a tenant and all its data were permanently deleted');
      return {
        success: true as const,
        message: 'Tenant and all related data permanently deleted',
        data: { tenant_id: tenant.id, tenant_name: tenant.name, deleted_at: rfc3339(deletedAt) },
      };
    },
  );
};

const userRoutes: FastifyPluginAsyncTypebox<UsersAndAdminParts> = async (app, { users }) => {
  app.post(
    '/users',
    {
      config: { access: requireRole('admin') },
      schema: {
        operationId: 'createUser',
        tags: ['users-and-admin'],
        summary: 'Create a user in your tenant',
        body: Type.Object({
          email: Email,
          password: Password,
          role: Type.Optional(RoleName),
          webhook_url: Type.Optional(WebhookUrl),
        }),
        response: {
          201: Type.Object({ success: ok, user: NewUserBody, ...WebhookNote }),
          ...errorResponses('409'),
        },
      },
    },
    async (request, reply) => {
      const { email, password, role, webhook_url } = request.body;
      const made = await users.create(request.caller, {
        email,
        password,
        role: role ?? 'user',
        webhookUrl: webhook_url ?? null,
      });
      return reply.code(201).send({
        success: true,
        user: { ...userBody(made.user), token: made.token },
        ...webhookNote(
          made.user,
          'Webhook will be configured when user connects their first WhatsApp device',
        ),
      });
    },
  );

  app.get(
    '/users',
    {
      config: { access: requireRole('admin', 'manager') },
      schema: {
        operationId: 'listUsers',
        tags: ['users-and-admin'],
        summary: 'List the users of your tenant',
        description: 'Tokens are not shown: `token_preview` tells them apart.',
        response: { 200: Type.Object({ success: ok, users: Type.Array(ListedUser) }) },
      },
    },
    async (request) => {
      const listed = await users.list(request.caller);
      return {
        success: true as const,
        users: listed.map((user) => ({ ...userBody(user), token_preview: user.tokenPreview })),
      };
    },
  );

  app.get(
    '/users/:id',
    {
      schema: {
        operationId: 'getUserById',
        tags: ['users-and-admin'],
        summary: 'Read a user',
        description: 'Admins and managers read every user of the tenant, a user only itself.',
        params: IdParameter,
        response: { 200: Type.Object({ success: ok, data: UserBody }), ...errorResponses('404') },
      },
    },
    async (request) => ({
      success: true as const,
      data: userBody(await users.get(request.caller, request.params.id)),
    }),
  );

  app.put(
    '/users/:id',
    {
      schema: {
        operationId: 'updateUser',
        tags: ['users-and-admin'],
        summary: 'Activate, deactivate or change the role of a user',
        description: 'What is omitted stays. A deactivated user is answered 403 from then on.',
        params: IdParameter,
        body: Type.Object({ active: Type.Optional(Type.Boolean()), role: Type.Optional(RoleName) }),
        response: {
          200: Type.Object({ success: ok, message: Type.Literal('User updated successfully') }),
          ...errorResponses('404'),
        },
      },
    },
    async (request) => {
      await users.update(request.caller, request.params.id, request.body);
      return { success: true as const, message: 'User updated successfully' as const };
    },
  );

  app.post(
    '/users/:id/promote',
    {
      schema: {
        operationId: 'promoteUser',
        tags: ['users-and-admin'],
        summary: 'Change the role of a user, up or down',
        params: IdParameter,
        body: Type.Object({ new_role: RoleName }),
        response: {
          200: Type.Object({
            success: ok,
            message: Type.Literal('User role updated successfully'),
            data: Type.Object({ user_id: Uuid, old_role: RoleName, new_role: RoleName }),
          }),
          ...errorResponses('404'),
        },
      },
    },
    async (request) => {
      const { before, after } = await users.update(request.caller, request.params.id, {
        role: request.body.new_role,
      });
      return {
        success: true as const,
        message: 'User role updated successfully' as const,
        data: { user_id: after.id, old_role: before.role, new_role: after.role },
      };
    },
  );

  app.delete(
    '/users/:id',
    {
      schema: {
        operationId: 'deleteUser',
        tags: ['users-and-admin'],
        summary: 'Delete a user for good',
        description: 'With the devices the user owns. Not yourself, and not the last active admin.',
        params: IdParameter,
        response: {
          200: Type.Object({ success: ok, message: Type.Literal('User permanently deleted') }),
          ...errorResponses('404'),
        },
      },
    },
    async (request) => {
      await users.delete(request.caller, request.params.id);
      request.log.warn({ user_id: request.params.id }, 'a user was permanently deleted');
      return { success: true as const, message: 'User permanently deleted' as const };
    },
  );

  app.post(
    '/users/:id/token/rotate',
    {
      schema: {
        operationId: 'rotateUserToken',
        tags: ['users-and-admin'],
        summary: 'Replace the token of a user',
        description: 'Your own, or as an admin anybody’s. The old token stops working at once.',
        params: IdParameter,
        response: {
          200: Type.Object({ success: ok, data: Type.Object({ user_id: Uuid, token: Token }) }),
          ...errorResponses('404'),
        },
      },
    },
    async (request) => {
      const { user, token } = await users.rotateToken(request.caller, request.params.id);
      return { success: true as const, data: { user_id: user.id, token } };
    },
  );
};

function userBody(user: User): Static<typeof UserBody> {
  return {
    id: user.id,
    tenant_id: user.tenantId,
    email: user.email,
    role: user.role,
    active: user.active,
    created_at: rfc3339(user.createdAt),
    updated_at: rfc3339(user.updatedAt),
  };
}

function tenantBody(tenant: Tenant): Static<typeof TenantBody> {
  return {
    id: tenant.id,
    name: tenant.name,
    created_at: rfc3339(tenant.createdAt),
    updated_at: rfc3339(tenant.updatedAt),
  };
}

/** A webhook URL given in advance waits until the user's first device is linked. */
function webhookNote(user: User, note: string) {
  const configured = user.webhookUrl !== null;
  return { webhook_configured: configured, webhook_url: user.webhookUrl, note: configured ? note : null };
}

/** The users of the caller's tenant. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Users } from '../../../tenancy/users.ts';
import { requireRole } from '../../auth.ts';
import { failures } from '../../request/failures.ts';
import { warn } from '../../request/warnings.ts';
import { Uuid } from '../../schemas.ts';
import {
  DeletionStateName,
  Email,
  IdParameter,
  ListedUser,
  NewUserBody,
  ok,
  Password,
  passwordWarnings,
  RoleName,
  Token,
  UserBody,
  userBody,
  WebhookNote,
  WebhookUrl,
  webhookNote,
} from './schemas.ts';

export const userRoutes: FastifyPluginAsyncTypebox<{ users: Users }> = async (app, { users }) => {
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
          ...failures('ALREADY_EXISTS'),
        },
      },
    },
    async (request, reply) => {
      const { email, password, role, webhook_url } = request.body;
      warn(request, passwordWarnings(password));
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
      config: { access: 'user or master' },
      schema: {
        operationId: 'getUserById',
        tags: ['users-and-admin'],
        summary: 'Read a user',
        description:
          'Admins and managers read every user of the tenant, a user only itself, the master token any user.',
        params: IdParameter,
        response: { 200: Type.Object({ success: ok, data: UserBody }), ...failures('NOT_FOUND') },
      },
    },
    async (request) => {
      const { authenticatedCaller: caller } = request;
      const { id } = request.params;
      // Nobody's token: the master's.
      const user = await (caller ? users.get(caller, id) : users.getOfAnyTenant(id));
      return { success: true as const, data: userBody(user) };
    },
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
          ...failures('NOT_FOUND'),
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
          ...failures('NOT_FOUND'),
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
        description:
          'With the devices the user owns: at once for whoever calls, much data goes in the background. Not ' +
          'yourself, and not the last active admin.',
        params: IdParameter,
        response: {
          200: Type.Object({
            success: ok,
            message: Type.Literal('User permanently deleted'),
            state: DeletionStateName,
          }),
          ...failures('NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const state = await users.delete(request.caller, request.params.id);
      request.log.warn({ user_id: request.params.id }, 'a user was permanently deleted');
      return { success: true as const, message: 'User permanently deleted' as const, state };
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
          ...failures('NOT_FOUND', 'TOKEN_ROTATED'),
        },
      },
    },
    async (request) => {
      const { user, token } = await users.rotateToken(request.caller, request.params.id);
      return { success: true as const, data: { user_id: user.id, token } };
    },
  );
};

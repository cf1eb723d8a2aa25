/** Tenants, with the master token. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import type { Tenant } from '../../../tenancy/tenants.ts';
import { requireMaster } from '../../auth.ts';
import { failures } from '../../request/failures.ts';
import { warn } from '../../request/warnings.ts';
import { Rfc3339, Uuid } from '../../schemas.ts';
import type { UsersAndAdminParts } from './parts.ts';
import {
  DeletionStateName,
  Email,
  IdParameter,
  NewUserBody,
  ok,
  Password,
  passwordWarnings,
  TenantBody,
  TenantWithQuotas,
  Token,
  userBody,
  WebhookNote,
  WebhookUrl,
  webhookNote,
} from './schemas.ts';

export const tenantRoutes: FastifyPluginAsyncTypebox<
  Pick<UsersAndAdminParts, 'tenants' | 'usage' | 'admission'>
> = async (app, { tenants, usage, admission }) => {
  const tenantObject = async (tenant: Tenant): Promise<Static<typeof TenantWithQuotas>> => {
    const state = tenant.deleting ? ('deleting' as const) : ('active' as const);
    if (!usage || !admission) return { ...tenantBody(tenant), state };
    const { devices, users, webhookEndpoints, waitingJobs, waitingBytes, cachedBytes } = await usage(
      tenant.id,
    );
    const { requestsInFlight, requestsPerSecond } = admission.limits;
    return {
      ...tenantBody(tenant),
      state,
      quotas: {
        devices,
        users,
        webhook_endpoints: webhookEndpoints,
        waiting_jobs: waitingJobs,
        waiting_bytes: waitingBytes,
        cached_bytes: cachedBytes,
        requests_in_flight: { used: admission.inFlight(tenant.id), limit: requestsInFlight },
        requests_per_second: { limit: requestsPerSecond },
      },
    };
  };

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
          ...failures('ALREADY_EXISTS'),
        },
      },
    },
    async (request, reply) => {
      const { tenant_name, email, password, webhook_url } = request.body;
      warn(request, passwordWarnings(password));
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
        response: { 200: Type.Object({ success: ok, tenants: Type.Array(TenantWithQuotas) }) },
      },
    },
    async () => ({
      success: true as const,
      tenants: await Promise.all((await tenants.list()).map(tenantObject)),
    }),
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
        response: { 200: Type.Object({ success: ok, data: TenantWithQuotas }), ...failures('NOT_FOUND') },
      },
    },
    async (request) => ({
      success: true as const,
      data: await tenantObject(await tenants.get(request.params.id)),
    }),
  );

  app.delete(
    '/global/tenants/:id',
    {
      config: { access: requireMaster },
      schema: {
        operationId: 'superAdminDeleteTenant',
        tags: ['users-and-admin'],
        summary: 'Delete a tenant with everything it owns',
        description:
          'Users, devices, sessions, messages, receipts. Cannot be undone. Nobody can use it from then on; much ' +
          'data goes in the background, and the tenant is listed as `deleting` until it is gone.',
        params: IdParameter,
        response: {
          200: Type.Object({
            success: ok,
            message: Type.String(),
            data: Type.Object({
              tenant_id: Uuid,
              tenant_name: Type.String(),
              deleted_at: Rfc3339,
              state: DeletionStateName,
            }),
          }),
          ...failures('NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const { tenant, deletedAt, state } = await tenants.delete(request.params.id);
      request.log.warn({ tenant_id: tenant.id }, 'a tenant and all its data were permanently deleted');
      return {
        success: true as const,
        message: 'Tenant and all related data permanently deleted',
        data: { tenant_id: tenant.id, tenant_name: tenant.name, deleted_at: rfc3339(deletedAt), state },
      };
    },
  );
};

function tenantBody(tenant: Tenant): Static<typeof TenantBody> {
  return {
    id: tenant.id,
    name: tenant.name,
    created_at: rfc3339(tenant.createdAt),
    updated_at: rfc3339(tenant.updatedAt),
  };
}

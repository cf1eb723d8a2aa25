/** What the operations on tenants and users take and answer. */

import { type Static, Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { ROLES } from '../../../tenancy/roles.ts';
import type { User } from '../../../tenancy/user-rows.ts';
import { Nullable, OneOf, Rfc3339, Uuid } from '../../schemas.ts';

export const RoleName = OneOf(ROLES, { title: 'Role', examples: ['user'] });
export const Email = Type.String({ format: 'email', maxLength: 254, examples: ['ana@example.com'] });
export const Password = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'No operation takes it: callers are known by their tokens. A short one is in `warnings`',
  examples: ['a long passphrase'],
});

const SHORT_PASSWORD = 8;

/** What the answer has to warn of. */
export function passwordWarnings(password: string): { field: string; message: string }[] {
  if (password.length >= SHORT_PASSWORD) return [];
  return [{ field: 'password', message: `was taken, but has fewer than ${SHORT_PASSWORD} characters` }];
}
export const WebhookUrl = Nullable(
  Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 2048, examples: ['https://example.com/hook'] }),
);
/** Any text is allowed: one that is no UUID is answered as an unknown id. */
export const IdParameter = Type.Object({ id: Type.String() });

const UserFields = {
  id: Uuid,
  tenant_id: Uuid,
  email: Type.String(),
  role: RoleName,
  active: Type.Boolean(),
  created_at: Rfc3339,
  updated_at: Rfc3339,
};
export const UserBody = Type.Object(UserFields, { title: 'User' });
export const ListedUser = Type.Object(
  {
    ...UserFields,
    token_preview: Type.String({ description: 'The first characters of the token', examples: ['e5f7ebbd'] }),
  },
  { title: 'ListedUser' },
);
export const Token = Type.String({
  format: 'uuid',
  description: 'The bearer token. Shown here once and never again',
});
export const NewUserBody = Type.Object({ ...UserFields, token: Token }, { title: 'NewUser' });
export const TenantBody = Type.Object({
  id: Uuid,
  name: Type.String(),
  created_at: Rfc3339,
  updated_at: Rfc3339,
});
const Quota = Type.Object({ used: Type.Integer(), limit: Type.Integer() });
/** Of an answer to a deletion. */
export const DeletionStateName = OneOf(['deleted', 'deleting'] as const, {
  description: '`deleting`: there is much data, and it goes in the background, also after a restart',
});
export const TenantWithQuotas = Type.Object(
  {
    ...TenantBody.properties,
    state: OneOf(['active', 'deleting'] as const),
    quotas: Type.Optional(
      Type.Object(
        {
          devices: Quota,
          users: Quota,
          webhook_endpoints: Quota,
          waiting_jobs: Quota,
          waiting_bytes: Quota,
          cached_bytes: Quota,
          requests_in_flight: Quota,
          requests_per_second: Type.Object({ limit: Type.Integer() }),
        },
        { description: 'What the tenant has, and may have (`WUTS_QUOTA_*`)' },
      ),
    ),
  },
  { title: 'Tenant' },
);
export const WebhookNote = {
  webhook_configured: Type.Boolean(),
  webhook_url: Nullable(Type.String()),
  note: Nullable(Type.String()),
};
export const ok = Type.Literal(true);

export function userBody(user: User): Static<typeof UserBody> {
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

/** A webhook URL given in advance waits until the user's first device is linked. */
export function webhookNote(user: User, note: string) {
  const configured = user.webhookUrl !== null;
  return { webhook_configured: configured, webhook_url: user.webhookUrl, note: configured ? note : null };
}

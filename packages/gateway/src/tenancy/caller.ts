import type { TenantId, UserId } from '../ids.ts';

/** What a user may do within the tenant; see `roles.ts` for the rules. */
export type Role = 'admin' | 'manager' | 'user';

/** Who makes a request: known from the bearer token, never from anything the request says. */
export interface Caller {
  tenantId: TenantId;
  userId: UserId;
  role: Role;
}

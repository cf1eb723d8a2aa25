/** What the operations of this tag call. */
import type { Admission } from '../../../quotas/admission.ts';
import type { Stock, Usage } from '../../../quotas/quotas.ts';
import type { Tenants } from '../../../tenancy/tenants.ts';
import type { Users } from '../../../tenancy/users.ts';

export interface UsersAndAdminParts {
  tenants: Tenants;
  users: Users;
  /** What a tenant has of each lasting thing; default: nobody counts. */
  usage?: (tenantId: string) => Promise<Record<Stock, Usage>>;
  admission?: Admission;
}

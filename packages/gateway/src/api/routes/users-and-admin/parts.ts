/** What the operations of this tag call. */
import type { Admission } from '../../../quotas/admission.ts';
import type { Stock, Usage } from '../../../quotas/quotas.ts';
import type { Waiting } from '../../../quotas/waiting.ts';
import type { Tenants } from '../../../tenancy/tenants.ts';
import type { Users } from '../../../tenancy/users.ts';

export interface UsersAndAdminParts {
  tenants: Tenants;
  users: Users;
  /** What a tenant has of each thing that is counted; default: nobody counts. */
  usage?: (tenantId: string) => Promise<Counted>;
  admission?: Admission;
}

export type Counted = Record<Stock | Waiting | 'cachedBytes', Usage>;

/** Tenants, their users and the tokens of those. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { StockRoom } from '../quotas/quotas.ts';
import type { Database } from '../storage/schema.ts';
import { Authentication } from './authentication.ts';
import { Tenants } from './tenants.ts';
import { Users } from './users.ts';

/** Ends what runs on behalf of a tenant, or of one of its users, before the rows are deleted. */
export type Leaving = (tenantId: string, userId?: string) => Promise<void>;

export interface Tenancy {
  authentication: Authentication;
  tenants: Tenants;
  users: Users;
  /** Awaited before a tenant or user is deleted. */
  beforeLeaving(listener: Leaving): void;
}

export function composeTenancy(input: {
  db: Kysely<Database>;
  clock: Clock;
  masterToken: string;
  quotas: StockRoom;
}): Tenancy {
  const { db, clock, quotas } = input;
  const listeners: Leaving[] = [];
  const beforeDelete: Leaving = async (tenantId, userId) => {
    for (const listener of listeners) await listener(tenantId, userId);
  };
  const authentication = new Authentication(db, input.masterToken);
  const forget = () => authentication.forget();
  return {
    authentication,
    tenants: new Tenants({ db, clock, beforeDelete, afterDelete: forget }),
    users: new Users({ db, clock, quotas, beforeDelete, changed: forget }),
    beforeLeaving: (listener) => {
      listeners.push(listener);
    },
  };
}

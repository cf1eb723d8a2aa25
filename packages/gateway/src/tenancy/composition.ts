/** Tenants, their users and the tokens of those. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { StockRoom } from '../quotas/quotas.ts';
import type { Step } from '../steps.ts';
import type { ErasedFiles } from '../storage/database.ts';
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
  /** Once, before the start: who deletes the files of a tenant. */
  files(erased: ErasedFiles): void;
  step: Step;
}

export function composeTenancy(parts: {
  db: Kysely<Database>;
  clock: Clock;
  masterToken: string;
  quotas: StockRoom;
  log: Log;
}): Tenancy {
  const { db, clock, quotas, log } = parts;
  const listeners: Leaving[] = [];
  const beforeDelete: Leaving = async (tenantId, userId) => {
    for (const listener of listeners) await listener(tenantId, userId);
  };
  let erased: ErasedFiles | null = null;
  const files = (): ErasedFiles => {
    if (!erased) throw new Error('a tenant is deleted before anybody deletes its files');
    return erased;
  };
  const authentication = new Authentication(db, parts.masterToken);
  const forget = (tenantId: string) => authentication.forget(tenantId);
  const tenants = new Tenants({
    db,
    clock,
    beforeDelete,
    afterDelete: forget,
    files: {
      blob: (sha256) => files().blob(sha256),
      kept: (tenantId, sha256) => files().kept(tenantId, sha256),
    },
  });
  return {
    authentication,
    tenants,
    users: new Users({ db, clock, quotas, beforeDelete, changed: forget }),
    files: (by) => {
      erased = by;
    },
    step: {
      name: 'deletions',
      start: () => {
        tenants
          .resume()
          .catch((err: unknown) => log.error({ err }, 'a tenant could not be deleted entirely'));
      },
    },
    beforeLeaving: (listener) => {
      listeners.push(listener);
    },
  };
}

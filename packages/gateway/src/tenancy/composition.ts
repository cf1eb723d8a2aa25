/** Tenants, their users and the tokens of those. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { StockPlaces } from '../quotas/quotas.ts';
import type { Step } from '../steps.ts';
import type { ErasedFiles } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import { Authentication } from './authentication.ts';
import { Deletions, type Leaving } from './deletions.ts';
import { Tenants } from './tenants.ts';
import { Users } from './users.ts';

/** One of the small transactions of a deletion, on a disk that is busy. */
const STOP_MS = 1000;

export interface TenancyRoom {
  authentication: Authentication;
  tenants: Tenants;
  users: Users;
  /** Erases what has been marked as leaving. */
  deletions: Pick<Deletions, 'begin' | 'idle'>;
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
  quotas: StockPlaces;
  log: Log;
}): TenancyRoom {
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
  const deletions = new Deletions({
    db,
    clock,
    log,
    beforeDelete,
    forget,
    files: {
      blob: (tenantId, sha256) => files().blob(tenantId, sha256),
      kept: (tenantId, sha256) => files().kept(tenantId, sha256),
    },
  });
  return {
    authentication,
    tenants: new Tenants({ db, clock, deletions }),
    users: new Users({ db, clock, quotas, deletions, changed: forget }),
    deletions,
    files: (by) => {
      erased = by;
    },
    step: {
      name: 'deletions',
      start: () =>
        deletions
          .resume()
          .catch((err: unknown) => log.error({ err }, 'it is not known who was being deleted')),
      stop: () => deletions.stop(),
      stopMs: STOP_MS,
    },
    beforeLeaving: (listener) => {
      listeners.push(listener);
    },
  };
}

/** What keeps tenants from taking each other's room. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { QuotaConfig } from '../config.ts';
import type { Database } from '../storage/schema.ts';
import { Admission } from './admission.ts';
import { FreeDisk } from './free-disk.ts';
import { Quotas } from './quotas.ts';
import { WaitingQuota } from './waiting.ts';

export interface QuotasRoom {
  stock: Quotas;
  waiting: WaitingQuota;
  admission: Admission;
  disk: FreeDisk;
}

export function composeQuotas(parts: {
  db: Kysely<Database>;
  settings: QuotaConfig;
  clock: Clock;
  dataDir: string;
}): QuotasRoom {
  const { db, settings, clock, dataDir } = parts;
  return {
    stock: new Quotas(settings),
    waiting: new WaitingQuota(db, settings),
    admission: new Admission(settings, clock),
    disk: new FreeDisk(clock, dataDir, settings.minFreeBytes),
  };
}

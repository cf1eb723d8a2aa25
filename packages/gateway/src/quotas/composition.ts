/** What keeps tenants from taking each other's room. */
import type { Clock } from '../clock.ts';
import type { QuotaConfig } from '../config.ts';
import { Admission } from './admission.ts';
import { FreeDisk } from './free-disk.ts';
import { Quotas } from './quotas.ts';

export interface QuotaRoom {
  stock: Quotas;
  admission: Admission;
  disk: FreeDisk;
}

export function composeQuotas(parts: { settings: QuotaConfig; clock: Clock; dataDir: string }): QuotaRoom {
  const { settings, clock, dataDir } = parts;
  return {
    stock: new Quotas(settings),
    admission: new Admission(settings, clock),
    disk: new FreeDisk(clock, dataDir, settings.minFreeBytes),
  };
}

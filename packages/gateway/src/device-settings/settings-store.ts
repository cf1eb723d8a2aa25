/** Stored settings of devices, kept in memory as well: they are looked at for each message. */
import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Database } from '../storage/schema.ts';
import { IGNORABLE, type Ignorable, READABLE, type Readable } from './chat-kind.ts';

export const PRESENCES = ['as_asked', 'online', 'offline', 'daily'] as const;
/** `as_asked`: as requests say; `online` and `offline`: always, whatever they say; `daily`: for a moment each day. */
export type PresenceSetting = (typeof PRESENCES)[number];

export interface DeviceSettings {
  ignored: readonly Ignorable[];
  read: readonly Readable[];
  showsReading: boolean;
  presence: PresenceSetting;
  /** Milliseconds; null while nothing was set. */
  updatedAt: number | null;
}

const DEFAULTS: DeviceSettings = {
  ignored: [],
  read: [],
  showsReading: true,
  presence: 'as_asked',
  updatedAt: null,
};

const MOST_KEPT = 10_000;

interface DeviceName {
  id: string;
  tenantId: string;
}

export class SettingsStore {
  readonly #db: Kysely<Database>;
  readonly #kept = new LRUCache<string, DeviceSettings>({ max: MOST_KEPT });

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async of({ id, tenantId }: DeviceName): Promise<DeviceSettings> {
    const kept = this.#kept.get(id);
    if (kept) return kept;
    const row = await this.#db
      .selectFrom('device_settings')
      .selectAll()
      .where('device_id', '=', id)
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    const settings: DeviceSettings = row
      ? {
          ignored: those(IGNORABLE, row.ignored),
          read: those(READABLE, row.read),
          showsReading: row.shows_reading === 1,
          presence: PRESENCES.find((each) => each === row.presence) ?? DEFAULTS.presence,
          updatedAt: row.updated_at,
        }
      : DEFAULTS;
    this.#kept.set(id, settings);
    return settings;
  }

  async put({ id, tenantId }: DeviceName, settings: DeviceSettings, at: number): Promise<DeviceSettings> {
    const values = {
      ignored: JSON.stringify(settings.ignored),
      read: JSON.stringify(settings.read),
      shows_reading: settings.showsReading ? 1 : 0,
      presence: settings.presence,
      updated_at: at,
    };
    await this.#db
      .insertInto('device_settings')
      .values({ device_id: id, tenant_id: tenantId, ...values })
      .onConflict((conflict) => conflict.column('device_id').doUpdateSet(values))
      .execute();
    const stored = { ...settings, updatedAt: at };
    this.#kept.set(id, stored);
    return stored;
  }
}

function those<T extends string>(known: readonly T[], json: string): T[] {
  const words: unknown = JSON.parse(json);
  return Array.isArray(words) ? known.filter((each) => words.includes(each)) : [];
}

/** How much of the media cache each tenant has, and whose files go first. */
import type { Kysely } from 'kysely';
import type { Database } from '../../storage/schema.ts';

export interface CacheLimits {
  /** All files together. */
  cacheMaxBytes: number;
  cacheMaxAgeMs: number;
  /** Of one tenant; default: the whole cache. */
  cachedBytesOfTenant?: number;
}

/**
 * A tenant's share is the cache by the number of tenants that have files. Whoever brings more than that loses its
 * own; when those who brought something have no more than their shares, the tenant with the most loses, which has
 * more than its share then: a file that several have is charged to each of them.
 */
export class CacheShares {
  readonly #db: Kysely<Database>;
  readonly #limits: CacheLimits;
  readonly #ofTenant = new Map<string, number>();
  #total = 0;
  #counted: Promise<void> | null = null;

  constructor(db: Kysely<Database>, limits: CacheLimits) {
    this.#db = db;
    this.#limits = limits;
  }

  /** Reads everything, once; what is changed by then is added up. */
  counted(): Promise<void> {
    this.#counted ??= this.#count().catch((error: unknown) => {
      this.#counted = null;
      throw error;
    });
    return this.#counted;
  }

  /** A file came or went: how much more there is of it, in all and charged to the tenant. */
  add({ total = 0, tenantId, charged = 0 }: { total?: number; tenantId?: string; charged?: number }): void {
    this.#total += total;
    if (tenantId === undefined) return;
    const bytes = (this.#ofTenant.get(tenantId) ?? 0) + charged;
    if (bytes > 0) this.#ofTenant.set(tenantId, bytes);
    else this.#ofTenant.delete(tenantId);
  }

  /** Nothing of the tenant is left. */
  forget(tenantId: string): void {
    this.#ofTenant.delete(tenantId);
  }

  of(tenantId: string): number {
    return this.#ofTenant.get(tenantId) ?? 0;
  }

  get quota(): number {
    return Math.min(this.#limits.cachedBytesOfTenant ?? Number.POSITIVE_INFINITY, this.#limits.cacheMaxBytes);
  }

  get isFull(): boolean {
    return this.#total > this.#limits.cacheMaxBytes;
  }

  /**
   * The tenant whose file has to go; null when all is well, or nobody but `except` has any. `grown`: those who
   * brought files.
   */
  over({ except, grown }: { except: ReadonlySet<string>; grown: ReadonlySet<string> }): string | null {
    const most = this.#most((tenantId) => !except.has(tenantId));
    if (most !== null && this.of(most) > this.quota) return most;
    if (!this.isFull) return null;
    const share = this.#limits.cacheMaxBytes / Math.max(this.#ofTenant.size, 1);
    const growing = this.#most((tenantId) => !except.has(tenantId) && grown.has(tenantId));
    return growing !== null && this.of(growing) > share ? growing : most;
  }

  #most(fits: (tenantId: string) => boolean): string | null {
    let most: [string | null, number] = [null, 0];
    for (const [tenantId, bytes] of this.#ofTenant) {
      if (bytes > most[1] && fits(tenantId)) most = [tenantId, bytes];
    }
    return most[0];
  }

  async #count(): Promise<void> {
    const all = await this.#db
      .selectFrom('blobs')
      .select(({ fn }) => fn.sum<number | string | null>('size').as('bytes'))
      .executeTakeFirst();
    const tenants = await this.#db
      .selectFrom('cached_files')
      .select(({ fn }) => ['tenant_id', fn.sum<number | string>('size').as('bytes')])
      .groupBy('tenant_id')
      .execute();
    this.#total = Number(all?.bytes ?? 0);
    for (const { tenant_id, bytes } of tenants) this.#ofTenant.set(tenant_id, Number(bytes));
  }
}

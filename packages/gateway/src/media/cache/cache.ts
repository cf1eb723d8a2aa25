import type { Readable } from 'node:stream';
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { TenantId } from '../../ids.ts';
import type { Log } from '../../observability/log.ts';
import type { BlobStore, ByteRange, StagedBlob } from '../../storage/blobs.ts';
import { HotQuery } from '../../storage/hot-query.ts';
import type { Database } from '../../storage/schema.ts';
import { Turns } from '../../storage/turns.ts';
import { type CacheLimits, CacheShares } from './cache-shares.ts';

export type { ByteRange };

/** A cached file in use: it cannot be evicted before `release`, which may be called more than once. */
export interface CachedMedia {
  sha256: string;
  size: number;
  /** Releases the lease when the stream closes. */
  open(range?: ByteRange): Readable;
  release(): void;
  /** A further lease of the same file. */
  share(): CachedMedia;
}

export type { CacheLimits } from './cache-shares.ts';

/** `last_used_at` is written at most so often per file: a warm download costs no write. */
const TOUCH_INTERVAL_MS = 60_000;
/** Files looked at per round of an eviction by age. */
const EVICTION_BATCH = 200;

/** The cache as one tenant uses it, who is charged for what it has there. */
export interface TenantCache {
  stage(): Promise<StagedBlob>;
  lookUp(sha256: string): Promise<CachedMedia | null>;
  admit(staged: StagedBlob, sha256: string): Promise<CachedMedia>;
}

/** Asked for every download. */
const FILE = new HotQuery<{ tenantId: TenantId; sha256: string }, { size: number; used_at: number | null }>(
  (db, { tenantId, sha256 }) =>
    db
      .selectFrom('blobs')
      .leftJoin('cached_files', (join) =>
        join.onRef('cached_files.sha256', '=', 'blobs.sha256').on('cached_files.tenant_id', '=', tenantId),
      )
      .select(['blobs.size', 'cached_files.last_used_at as used_at'])
      .where('blobs.sha256', '=', sha256),
);

export interface MediaCacheParts {
  db: Kysely<Database>;
  blobs: BlobStore;
  clock: Clock;
  log: Log;
  limits: CacheLimits;
}

/**
 * The warm cache: blobs by plaintext SHA-256, each once, with a row for age and size, and one for each tenant that
 * has it. It answers for content only; who may read which file is decided by `copies.ts`.
 */
export class MediaCache {
  readonly #parts: MediaCacheParts;
  readonly #db: Kysely<Database>;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;
  readonly #shares: CacheShares;
  /** Serializes admitting and deleting one address, so that a row never outlives its file. */
  readonly #turns = new Turns();
  /** Who brought files since the limits held last. */
  readonly #grown = new Set<string>();
  #evicting: Promise<void> | null = null;

  constructor(parts: MediaCacheParts) {
    this.#parts = parts;
    this.#db = parts.db;
    this.#blobs = parts.blobs;
    this.#clock = parts.clock;
    this.#shares = new CacheShares(parts.db, parts.limits);
  }

  of(tenantId: TenantId): TenantCache {
    return {
      stage: () => this.#blobs.stage(),
      lookUp: (sha256) => this.#lookUp(tenantId, sha256),
      admit: (staged, sha256) => this.#admit(tenantId, staged, sha256),
    };
  }

  /** Bytes of the files that the tenant has, and how many it may have. */
  async usage(tenantId: TenantId): Promise<{ used: number; limit: number }> {
    await this.#shares.counted();
    return { used: this.#shares.of(tenantId), limit: this.#shares.quota };
  }

  /** The file, leased, or null when it is not here. A file of another size than recorded is dropped. */
  async #lookUp(tenantId: TenantId, sha256: string): Promise<CachedMedia | null> {
    const [row] = await FILE.rows(this.#db, { tenantId, sha256 });
    if (!row) return null;
    const release = this.#blobs.lease(sha256);
    if ((await this.#blobs.size(sha256)) !== row.size) {
      release();
      this.#parts.log.warn({ sha256 }, 'a cached file is missing or damaged; it will be fetched again');
      await this.#remove(sha256);
      return null;
    }
    this.#touch({ tenantId, sha256, size: row.size, usedAt: row.used_at });
    return this.#cached(sha256, row.size, release);
  }

  /** Takes verified bytes in and returns them leased. `sha256` must have been computed over them. */
  async #admit(tenantId: TenantId, staged: StagedBlob, sha256: string): Promise<CachedMedia> {
    const size = staged.size;
    const release = this.#blobs.lease(sha256);
    try {
      await this.#shares.counted();
      await this.#turns.run(sha256, async () => {
        await staged.commit(sha256);
        await this.#charge({ tenantId, sha256, size, admitted: true });
      });
    } catch (error) {
      release();
      throw error;
    }
    this.#trimSoon(tenantId);
    return this.#cached(sha256, size, release);
  }

  /** Notes the use of a file by the tenant, and adds up what is new; one that is gone by now is only admitted. */
  async #charge(use: { tenantId: TenantId; sha256: string; size: number; admitted: boolean }): Promise<void> {
    const { tenantId, sha256, size, admitted } = use;
    const last_used_at = this.#clock.now();
    const known = await this.#db.transaction().execute(async (trx) => {
      const blob = await trx
        .selectFrom('blobs')
        .select('size')
        .where('sha256', '=', sha256)
        .executeTakeFirst();
      if (!blob && !admitted) return null;
      const file = await trx
        .selectFrom('cached_files')
        .select('size')
        .where('tenant_id', '=', tenantId)
        .where('sha256', '=', sha256)
        .executeTakeFirst();
      await trx
        .insertInto('blobs')
        .values({ sha256, size, created_at: last_used_at, last_used_at })
        .onConflict((conflict) => conflict.column('sha256').doUpdateSet({ size, last_used_at }))
        .execute();
      // A tenant that is being deleted has no more files.
      const tenant = trx
        .selectFrom('tenants')
        .select([
          'id',
          sql.val(sha256).as('sha256'),
          sql.val(size).as('size'),
          sql.val(last_used_at).as('last_used_at'),
        ])
        .where('id', '=', tenantId)
        .where('deleting_at', 'is', null);
      const { numInsertedOrUpdatedRows: rows } = await trx
        .insertInto('cached_files')
        .columns(['tenant_id', 'sha256', 'size', 'last_used_at'])
        .expression(tenant)
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'sha256']).doUpdateSet({ size, last_used_at }),
        )
        .executeTakeFirstOrThrow();
      return { blob: blob?.size ?? 0, charged: rows === 0n ? 0 : size - (file?.size ?? 0) };
    });
    if (known) this.#shares.add({ total: size - known.blob, tenantId, charged: known.charged });
  }

  /**
   * Deletes what nobody used for the age limit, then what is over the limits: the least recently used files of
   * the tenant that has the most, until they hold.
   */
  evict(): Promise<void> {
    this.#evicting ??= this.#evictOnce().finally(() => {
      this.#evicting = null;
    });
    return this.#evicting;
  }

  /** The tenant has the file no more. It is deleted when nobody else has it, unless it is being read. */
  async drop(tenantId: TenantId, sha256: string): Promise<void> {
    await this.#shares.counted();
    await this.#giveUp(tenantId, sha256);
  }

  /** Deletes every file that is not being read at this moment; resolves with the number of those that are. */
  async empty(): Promise<number> {
    const rows = await this.#db.selectFrom('blobs').select('sha256').execute();
    let spared = 0;
    for (const { sha256 } of rows) if (!(await this.#remove(sha256))) spared += 1;
    return spared;
  }

  /** Makes folder and table agree after a crash. Only before the first download. */
  async reconcile(): Promise<void> {
    await this.#blobs.clearStaging();
    for await (const sha256 of this.#blobs.list()) {
      const row = await this.#db
        .selectFrom('blobs')
        .select('sha256')
        .where('sha256', '=', sha256)
        .executeTakeFirst();
      if (!row) await this.#blobs.delete(sha256);
    }
  }

  #cached(sha256: string, size: number, release: () => void): CachedMedia {
    return {
      sha256,
      size,
      release,
      share: () => this.#cached(sha256, size, this.#blobs.lease(sha256)),
      // An end spares the read that would find it, and its buffer.
      open: (range = size > 0 ? { start: 0, end: size - 1 } : undefined) =>
        this.#blobs.read(sha256, range).once('close', release),
    };
  }

  #touch(use: { tenantId: TenantId; sha256: string; size: number; usedAt: number | null }): void {
    const { tenantId, sha256, size, usedAt } = use;
    if (usedAt !== null && this.#clock.now() - usedAt < TOUCH_INTERVAL_MS) return;
    const noted = this.#turns.run(sha256, async () => {
      await this.#shares.counted();
      await this.#charge({ tenantId, sha256, size, admitted: false });
    });
    noted.then(
      () => this.#trimSoon(tenantId),
      (err: unknown) => this.#parts.log.warn({ err }, 'the use of a cached file could not be noted'),
    );
  }

  #trimSoon(tenantId: TenantId): void {
    this.#grown.add(tenantId);
    if (this.#evicting) return;
    if (!this.#shares.isFull && this.#shares.of(tenantId) <= this.#shares.quota) {
      this.#grown.clear();
      return;
    }
    this.evict().catch((err: unknown) =>
      this.#parts.log.error({ err }, 'the media cache could not be trimmed'),
    );
  }

  async #evictOnce(): Promise<void> {
    await this.#shares.counted();
    await this.#evictOldest((row) => row.last_used_at < this.#clock.now() - this.#parts.limits.cacheMaxAgeMs);
    /** Tenants whose files are all being read. */
    const stuck = new Set<string>();
    for (;;) {
      const tenantId = this.#shares.over({ except: stuck, grown: this.#grown });
      if (tenantId === null) break;
      if (!(await this.#evictOf(tenantId))) stuck.add(tenantId);
    }
    // What no tenant has any more.
    await this.#evictOldest(() => this.#shares.isFull);
    this.#grown.clear();
  }

  /** Deletes the least recently used files for as long as `goes` says so. */
  async #evictOldest(goes: (row: { last_used_at: number }) => boolean): Promise<void> {
    const spared: string[] = [];
    for (;;) {
      let query = this.#db
        .selectFrom('blobs')
        .select(['sha256', 'last_used_at'])
        .orderBy('last_used_at')
        .limit(EVICTION_BATCH);
      if (spared.length > 0) query = query.where('sha256', 'not in', spared);
      const rows = await query.execute();
      if (rows.length === 0) return;
      for (const row of rows) {
        if (!goes(row)) return;
        if (!(await this.#remove(row.sha256))) spared.push(row.sha256);
      }
    }
  }

  /** Takes from the tenant what it used least recently; false when all of it is being read. */
  async #evictOf(tenantId: TenantId): Promise<boolean> {
    const rows = await this.#db
      .selectFrom('cached_files')
      .select('sha256')
      .where('tenant_id', '=', tenantId)
      .orderBy('last_used_at')
      .limit(EVICTION_BATCH)
      .execute();
    if (rows.length === 0) this.#shares.forget(tenantId);
    for (const { sha256 } of rows) {
      if (!this.#blobs.isLeased(sha256)) {
        await this.#giveUp(tenantId, sha256);
        return true;
      }
    }
    return rows.length === 0;
  }

  async #giveUp(tenantId: TenantId, sha256: string): Promise<void> {
    await this.#turns.run(sha256, async () => {
      const file = await this.#db
        .deleteFrom('cached_files')
        .where('tenant_id', '=', tenantId)
        .where('sha256', '=', sha256)
        .returning('size')
        .executeTakeFirst();
      if (file) this.#shares.add({ tenantId, charged: -file.size });
      const other = await this.#db
        .selectFrom('cached_files')
        .select('tenant_id')
        .where('sha256', '=', sha256)
        .limit(1)
        .executeTakeFirst();
      if (!other) await this.#delete(sha256);
    });
  }

  /** False when the file is leased. */
  #remove(sha256: string): Promise<boolean> {
    return this.#turns.run(sha256, () => this.#delete(sha256));
  }

  async #delete(sha256: string): Promise<boolean> {
    if (!(await this.#blobs.delete(sha256))) return false;
    const files = await this.#db
      .deleteFrom('cached_files')
      .where('sha256', '=', sha256)
      .returning(['tenant_id', 'size'])
      .execute();
    const blob = await this.#db
      .deleteFrom('blobs')
      .where('sha256', '=', sha256)
      .returning('size')
      .executeTakeFirst();
    this.#shares.add({ total: -(blob?.size ?? 0) });
    for (const { tenant_id: tenantId, size } of files) this.#shares.add({ tenantId, charged: -size });
    return true;
  }
}

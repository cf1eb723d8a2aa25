import type { Readable } from 'node:stream';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { BlobStore, ByteRange, StagedBlob } from '../storage/blobs.ts';
import type { Database } from '../storage/schema.ts';

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

export interface CacheLimits {
  cacheMaxBytes: number;
  cacheMaxAgeMs: number;
}

/** `last_used_at` is written at most so often per file: a warm download costs no write. */
const TOUCH_INTERVAL_MS = 60_000;
/** Files looked at per round of an eviction. */
const EVICTION_BATCH = 200;

/**
 * The warm cache: blobs by plaintext SHA-256, with a row each for age and size. It answers for content only;
 * who may read which file is decided by `copies.ts`.
 */
export class MediaCache {
  readonly #db: Kysely<Database>;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: CacheLimits;
  /** Serializes admitting and deleting one address, so that a row never outlives its file. */
  readonly #busy = new Map<string, Promise<unknown>>();
  #evicting: Promise<void> | null = null;
  /** About how much is stored: counted exactly by each eviction, added up in between. */
  #bytes = 0;

  constructor(parts: {
    db: Kysely<Database>;
    blobs: BlobStore;
    clock: Clock;
    log: Log;
    limits: CacheLimits;
  }) {
    this.#db = parts.db;
    this.#blobs = parts.blobs;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#limits = parts.limits;
  }

  stage(): Promise<StagedBlob> {
    return this.#blobs.stage();
  }

  /** The file, leased, or null when it is not here. A file of another size than recorded is dropped. */
  async lookUp(sha256: string): Promise<CachedMedia | null> {
    const row = await this.#db
      .selectFrom('blobs')
      .select(['size', 'last_used_at'])
      .where('sha256', '=', sha256)
      .executeTakeFirst();
    if (!row) return null;
    const release = this.#blobs.lease(sha256);
    if ((await this.#blobs.size(sha256)) !== row.size) {
      release();
      this.#log.warn({ sha256 }, 'a cached file is missing or damaged; it will be fetched again');
      await this.#remove(sha256);
      return null;
    }
    this.#touch(sha256, row.last_used_at);
    return this.#cached(sha256, row.size, release);
  }

  /** Takes verified bytes in and returns them leased. `sha256` must have been computed over them. */
  async admit(staged: StagedBlob, sha256: string): Promise<CachedMedia> {
    const size = staged.size;
    const release = this.#blobs.lease(sha256);
    try {
      await this.#exclusively(sha256, async () => {
        await staged.commit(sha256);
        const now = this.#clock.now();
        await this.#db
          .insertInto('blobs')
          .values({ sha256, size, created_at: now, last_used_at: now })
          .onConflict((conflict) => conflict.column('sha256').doUpdateSet({ size, last_used_at: now }))
          .execute();
      });
    } catch (error) {
      release();
      throw error;
    }
    this.#bytes += size;
    if (this.#bytes > this.#limits.cacheMaxBytes) {
      this.evict().catch((error) => this.#log.error({ err: error }, 'the media cache could not be trimmed'));
    }
    return this.#cached(sha256, size, release);
  }

  /** Deletes what is older than the age limit, then the least recently used until the size limit holds. */
  evict(): Promise<void> {
    this.#evicting ??= this.#evictOnce().finally(() => {
      this.#evicting = null;
    });
    return this.#evicting;
  }

  /** Deletes one file, unless it is being read: then the next eviction by age does. */
  async drop(sha256: string): Promise<void> {
    await this.#remove(sha256);
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
      open: (range) => this.#blobs.read(sha256, range).once('close', release),
    };
  }

  #touch(sha256: string, lastUsedAt: number): void {
    const now = this.#clock.now();
    if (now - lastUsedAt < TOUCH_INTERVAL_MS) return;
    this.#db
      .updateTable('blobs')
      .set({ last_used_at: now })
      .where('sha256', '=', sha256)
      .execute()
      .catch((error) => this.#log.warn({ err: error }, 'the use of a cached file could not be noted'));
  }

  async #evictOnce(): Promise<void> {
    const oldest = this.#clock.now() - this.#limits.cacheMaxAgeMs;
    const total = await this.#db
      .selectFrom('blobs')
      .select((each) => each.fn.sum<number | string | null>('size').as('bytes'))
      .executeTakeFirst();
    this.#bytes = Number(total?.bytes ?? 0);
    const spared: string[] = [];
    for (;;) {
      let query = this.#db
        .selectFrom('blobs')
        .select(['sha256', 'size', 'last_used_at'])
        .orderBy('last_used_at')
        .limit(EVICTION_BATCH);
      if (spared.length > 0) query = query.where('sha256', 'not in', spared);
      const rows = await query.execute();
      if (rows.length === 0) return;
      for (const row of rows) {
        if (row.last_used_at >= oldest && this.#bytes <= this.#limits.cacheMaxBytes) return;
        if (await this.#remove(row.sha256)) this.#bytes -= row.size;
        else spared.push(row.sha256);
      }
    }
  }

  /** False when the file is leased. */
  #remove(sha256: string): Promise<boolean> {
    return this.#exclusively(sha256, async () => {
      if (!(await this.#blobs.delete(sha256))) return false;
      await this.#db.deleteFrom('blobs').where('sha256', '=', sha256).execute();
      return true;
    });
  }

  async #exclusively<T>(sha256: string, action: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(sha256) ?? Promise.resolve();
    const mine = before.then(action, action);
    const settled = mine.catch(() => undefined);
    this.#busy.set(sha256, settled);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(sha256) === settled) this.#busy.delete(sha256);
    }
  }
}

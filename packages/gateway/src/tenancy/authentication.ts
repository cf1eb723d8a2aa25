import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.ts';
import type { TenantId, UserId } from '../ids.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from './caller.ts';
import { hashToken, looksLikeUuid, sameSecret } from './tokens.ts';

/** Enough for every token that is busy; the rest costs one indexed query. */
const CACHED_CALLERS = 2000;
/** A change made by another process (the CLI) is seen after this time at the latest. */
const CACHED_FOR_MS = 5_000;

/** Knows callers by their tokens. */
export class Authentication {
  readonly #db: Kysely<Database>;
  readonly #masterToken: string;
  readonly #cache = new LRUCache<string, Caller>({ max: CACHED_CALLERS, ttl: CACHED_FOR_MS });
  /** Counts changes, so that an answer read before a change is not cached after it. */
  #generation = 0;
  readonly #listeners = new Set<(tenantId: TenantId) => void>();

  constructor(db: Kysely<Database>, masterToken: string) {
    this.#db = db;
    this.#masterToken = masterToken;
  }

  /** Null for an unknown token; throws FORBIDDEN when its user is deactivated. */
  async authenticate(token: string): Promise<Caller | null> {
    if (!looksLikeUuid(token)) return null;
    const hash = hashToken(token);
    const cached = this.#cache.get(hash);
    if (cached) return cached;
    const generation = this.#generation;
    // Found by the hash: what the comparison's duration could tell is of no use without a preimage.
    const row = await this.#db
      .selectFrom('users')
      .select(['id', 'tenant_id', 'role', 'active', 'token_hash'])
      .where('token_hash', '=', hash)
      .executeTakeFirst();
    if (!row || !sameSecret(row.token_hash, hash)) return null;
    if (row.active !== 1) throw new AppError('FORBIDDEN', { message: 'this user is deactivated' });
    const caller: Caller = { tenantId: row.tenant_id, userId: row.id, role: row.role };
    if (generation === this.#generation) this.#cache.set(hash, caller);
    return caller;
  }

  /** The user in whose name a stored request acts, with the rights of today; null when gone or deactivated. */
  async callerById(tenantId: TenantId, userId: UserId): Promise<Caller | null> {
    const row = await this.#db
      .selectFrom('users')
      .select('role')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', userId)
      .where('active', '=', 1)
      .executeTakeFirst();
    return row ? { tenantId, userId, role: row.role } : null;
  }

  isMasterToken(token: string): boolean {
    return sameSecret(token, this.#masterToken);
  }

  /** Tells, once a user of a tenant has changed or gone, whose callers to authenticate again. */
  onChange(listener: (tenantId: TenantId) => void): void {
    this.#listeners.add(listener);
  }

  /** To be called after every change of a user or tenant: such changes are rare, so all is forgotten. */
  forget(tenantId: TenantId): void {
    this.#generation += 1;
    this.#cache.clear();
    for (const listener of this.#listeners) listener(tenantId);
  }
}

import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { StockPlaces } from '../quotas/quotas.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller, Role } from './caller.ts';
import { type DeletionState, type Deletions, markUsers } from './deletions.ts';
import { hashPassword } from './passwords.ts';
import { mayActivate, mayChangeRole, mayDelete, mayRotateToken, mayView } from './roles.ts';
import { looksLikeUuid, newToken } from './tokens.ts';
import { addUser, assertFreeEmail, toUser, type User, type UserRow } from './user-rows.ts';

export interface UsersParts {
  db: Kysely<Database>;
  clock: Clock;
  quotas: StockPlaces;
  deletions: Pick<Deletions, 'begin'>;
  /** Called after every change: cached callers must be forgotten. */
  changed(tenantId: TenantId): void;
}

/** The users of one tenant, always the caller's. The rules are in `roles.ts`. */
export class Users {
  readonly #parts: UsersParts;

  constructor(parts: UsersParts) {
    this.#parts = parts;
  }

  /** Throws ALREADY_EXISTS when the tenant has a user with this address, QUOTA_EXCEEDED. */
  async create(
    caller: Caller,
    user: { email: string; password: string; role: Role; webhookUrl: string | null },
  ): Promise<{ user: User; token: string }> {
    const { db, clock, quotas } = this.#parts;
    const { email, role, webhookUrl } = user;
    // Before the password, whose hash is the dear part.
    await assertFreeEmail(db, caller.tenantId, email);
    await quotas.demand(db, caller.tenantId, 'users');
    const passwordHash = await hashPassword(user.password, caller.tenantId);
    const made = { tenantId: caller.tenantId, email, passwordHash, role, webhookUrl };
    return db.transaction().execute(async (trx) => {
      await quotas.demand(trx, caller.tenantId, 'users');
      return addUser(trx, made, clock.now());
    });
  }

  async list(caller: Caller): Promise<User[]> {
    const rows = await this.#parts.db
      .selectFrom('users')
      .selectAll()
      .where('tenant_id', '=', caller.tenantId)
      .where('deleting_at', 'is', null)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(toUser);
  }

  /** Throws NOT_FOUND for an id unknown to the caller's tenant, FORBIDDEN for one the caller may not see. */
  async get(caller: Caller, id: string): Promise<User> {
    const user = await this.#find(this.#parts.db, caller, id);
    if (!mayView(caller, user)) throw new AppError('FORBIDDEN');
    return user;
  }

  /** For the platform alone. Throws NOT_FOUND. */
  async getOfAnyTenant(id: string): Promise<User> {
    return userFound(await this.#row(this.#parts.db, id));
  }

  /** Changes what is given. Throws NOT_FOUND, and FORBIDDEN by the rules of `roles.ts`. */
  async update(
    caller: Caller,
    id: string,
    change: { active?: boolean | undefined; role?: Role | undefined },
  ): Promise<{ before: User; after: User }> {
    return this.#change(caller, id, (target) => {
      if (change.active !== undefined && !mayActivate(caller, target)) throw new AppError('FORBIDDEN');
      if (change.role !== undefined && !mayChangeRole(caller, target, change.role)) {
        throw new AppError('FORBIDDEN', { message: 'your role does not permit this change of role' });
      }
      if (change.active === undefined && change.role === undefined && !mayActivate(caller, target)) {
        throw new AppError('FORBIDDEN');
      }
      return { ...target, active: change.active ?? target.active, role: change.role ?? target.role };
    });
  }

  /**
   * Deletes for good, with the user's devices: at once for whoever calls, their data in the background. Throws
   * NOT_FOUND, and FORBIDDEN by the rules of `roles.ts`, before anything of the user has ended.
   */
  async delete(caller: Caller, id: string): Promise<DeletionState> {
    const { db, clock, deletions } = this.#parts;
    const { tenantId } = caller;
    const target = await this.#find(db, caller, id);
    if (!mayDelete(caller)) throw new AppError('FORBIDDEN');
    if (target.id === caller.userId) {
      throw new AppError('FORBIDDEN', { message: 'you cannot delete yourself: another admin can' });
    }
    const leaver = { tenantId, userId: target.id };
    await db.transaction().execute(async (trx) => {
      await lockTenant(trx, tenantId);
      await markUsers(trx, leaver, clock.now());
      await this.#keepAnAdmin(trx, tenantId);
    });
    return deletions.begin(leaver);
  }

  /**
   * A new token for the user; the old one stops working at once. Of two at once one is told TOKEN_ROTATED: its
   * token would never have worked.
   */
  async rotateToken(caller: Caller, id: string): Promise<{ user: User; token: string }> {
    const { db, clock } = this.#parts;
    const target = await this.#find(db, caller, id);
    if (!mayRotateToken(caller, target)) throw new AppError('FORBIDDEN');
    const { token, hash, preview } = newToken();
    const updatedAt = clock.now();
    const rotated = await db
      .updateTable('users')
      .set({ token_hash: hash, token_preview: preview, updated_at: updatedAt })
      .where('tenant_id', '=', caller.tenantId)
      .where('id', '=', target.id)
      .where('token_preview', '=', target.tokenPreview)
      .executeTakeFirst();
    if (rotated.numUpdatedRows === 0n) throw new AppError('TOKEN_ROTATED');
    this.#parts.changed(caller.tenantId);
    return { user: { ...target, tokenPreview: preview, updatedAt }, token };
  }

  async #change(
    caller: Caller,
    id: string,
    decide: (target: User) => User,
  ): Promise<{ before: User; after: User }> {
    const { db, clock } = this.#parts;
    const result = await db.transaction().execute(async (trx) => {
      await lockTenant(trx, caller.tenantId);
      const before = await this.#find(trx, caller, id);
      const after = { ...decide(before), updatedAt: clock.now() };
      await trx
        .updateTable('users')
        .set({ role: after.role, active: after.active ? 1 : 0, updated_at: after.updatedAt })
        .where('tenant_id', '=', caller.tenantId)
        .where('id', '=', before.id)
        .execute();
      await this.#keepAnAdmin(trx, caller.tenantId);
      return { before, after };
    });
    this.#parts.changed(caller.tenantId);
    return result;
  }

  async #find(db: Kysely<Database>, caller: Caller, id: string): Promise<User> {
    const row = await this.#row(db, id);
    return userFound(row?.tenant_id === caller.tenantId ? row : undefined);
  }

  /** The row of whatever tenant: for `#find` and the platform. */
  async #row(db: Kysely<Database>, id: string): Promise<UserRow | undefined> {
    if (!looksLikeUuid(id)) return undefined;
    return db
      .selectFrom('users')
      .selectAll()
      .where('id', '=', id.toLowerCase())
      .where('deleting_at', 'is', null)
      .executeTakeFirst();
  }

  /** Asked after the change and within its transaction. */
  async #keepAnAdmin(trx: Kysely<Database>, tenantId: TenantId): Promise<void> {
    const admin = await trx
      .selectFrom('users')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('role', '=', 'admin')
      .where('active', '=', 1)
      .limit(1)
      .executeTakeFirst();
    if (!admin) {
      throw new AppError('FORBIDDEN', { message: 'a tenant needs an active admin: make another one first' });
    }
  }
}

function userFound(row: UserRow | undefined): User {
  if (!row) throw new AppError('NOT_FOUND', { message: 'user not found' });
  return toUser(row);
}

/**
 * Changes of one tenant's users happen one after the other, or two admins demoting each other
 * could both pass. An update that changes nothing locks the row in any database; not every
 * one has `for update`.
 */
async function lockTenant(trx: Kysely<Database>, tenantId: TenantId): Promise<void> {
  await trx
    .updateTable('tenants')
    .set((row) => ({ updated_at: row.ref('updated_at') }))
    .where('id', '=', tenantId)
    .execute();
}

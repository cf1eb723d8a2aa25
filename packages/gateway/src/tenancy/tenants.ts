import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { type ErasedFiles, eraseTenant } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import { hashPassword } from './passwords.ts';
import { looksLikeUuid } from './tokens.ts';
import { addUser, canonicalEmail, type NewUser, toUser, type User } from './user-rows.ts';

export interface Tenant {
  id: string;
  name: string;
  createdAt: number;
  updatedAt: number;
}

export interface Registration {
  tenantName: string;
  email: string;
  password: string;
  webhookUrl: string | null;
}

export interface TenantsParts {
  db: Kysely<Database>;
  clock: Clock;
  /** Files that go with the tenant's rows. */
  files: ErasedFiles;
  /** Awaited before the rows go: closes what runs on behalf of the tenant. */
  beforeDelete(tenantId: string): Promise<void>;
  /** Called after a tenant is gone: cached callers of it must be forgotten. */
  afterDelete(tenantId: string): void;
}

/** In whose name a tenant's first password waits for its turn. */
const PLATFORM = 'platform';

/** The companies on this installation. Only the platform's owner (master token, CLI) comes here. */
export class Tenants {
  readonly #parts: TenantsParts;

  constructor(parts: TenantsParts) {
    this.#parts = parts;
  }

  /**
   * Makes a tenant with its first user, who is an admin whatever was asked for. Throws
   * ALREADY_EXISTS when the name is taken.
   */
  async register(registration: Registration): Promise<{ tenant: Tenant; user: User; token: string }> {
    const { db, clock } = this.#parts;
    const taken = await db
      .selectFrom('tenants')
      .select('id')
      .where('name', '=', registration.tenantName)
      .executeTakeFirst();
    if (taken) throw nameTaken();
    const passwordHash = await hashPassword(registration.password, PLATFORM);
    const at = clock.now();
    const tenant: Tenant = { id: randomUUID(), name: registration.tenantName, createdAt: at, updatedAt: at };
    const first: NewUser = {
      tenantId: tenant.id,
      email: registration.email,
      passwordHash,
      role: 'admin',
      webhookUrl: registration.webhookUrl,
    };
    return db.transaction().execute(async (trx) => {
      const inserted = await trx
        .insertInto('tenants')
        .values({ id: tenant.id, name: tenant.name, created_at: at, updated_at: at })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows !== 1n) {
        throw nameTaken();
      }
      return { tenant, ...(await addUser(trx, first, at)) };
    });
  }

  async list(): Promise<Tenant[]> {
    const rows = await this.#parts.db
      .selectFrom('tenants')
      .selectAll()
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(toTenant);
  }

  /** Throws NOT_FOUND for an unknown id and for one that is no UUID. */
  async get(id: string): Promise<Tenant> {
    const row = looksLikeUuid(id)
      ? await this.#parts.db
          .selectFrom('tenants')
          .selectAll()
          .where('id', '=', id.toLowerCase())
          .executeTakeFirst()
      : undefined;
    if (!row) throw new AppError('NOT_FOUND', { message: 'tenant not found' });
    return toTenant(row);
  }

  /**
   * Deletes the tenant and everything that belongs to it, files included. Cannot be undone: one that was
   * interrupted is finished by `resume`.
   */
  async delete(id: string): Promise<{ tenant: Tenant; deletedAt: number }> {
    const tenant = await this.get(id);
    await this.#erase(tenant.id);
    return { tenant, deletedAt: this.#parts.clock.now() };
  }

  /** Finishes deletions that the end of an earlier process cut short. */
  async resume(): Promise<void> {
    const left = await this.#parts.db
      .selectFrom('tenants')
      .select('id')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('users')
              .select('users.id')
              .whereRef('users.tenant_id', '=', 'tenants.id')
              .where('users.active', '=', 1),
          ),
        ),
      )
      .execute();
    for (const { id } of left) await this.#erase(id);
  }

  /**
   * A tenant keeps an active admin as long as it lives (`roles.ts`), so one without is one that is going: its
   * tokens have stopped working, its devices do not connect at the next start.
   */
  async #erase(id: string): Promise<void> {
    const { db, files, beforeDelete, afterDelete } = this.#parts;
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('users').set({ active: 0 }).where('tenant_id', '=', id).execute();
      await trx.updateTable('devices').set({ wanted: 0 }).where('tenant_id', '=', id).execute();
    });
    afterDelete(id);
    await beforeDelete(id);
    await eraseTenant(db, id, files);
    afterDelete(id);
  }

  /** Users of any tenant with this id or email: for the operator at the console. */
  async findUsers(idOrEmail: string): Promise<User[]> {
    const rows = await this.#parts.db
      .selectFrom('users')
      .selectAll()
      .where((is) => is.or([is('id', '=', idOrEmail), is('email', '=', canonicalEmail(idOrEmail))]))
      .execute();
    return rows.map(toUser);
  }

  /** How many devices have accounts that may begin no chats at `now` (milliseconds): for metrics. */
  async limitedDevices(now: number): Promise<number> {
    const { count } = await this.#parts.db
      .selectFrom('devices')
      .select(({ fn }) => fn.countAll<number | string>().as('count'))
      .where('limit_until', '>', now)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** How many devices of the installation are in each state: for metrics, numbers only. */
  async devicesByState(): Promise<Record<string, number>> {
    const rows = await this.#parts.db
      .selectFrom('devices')
      .select(({ fn }) => ['state', fn.countAll<number | string>().as('count')])
      .groupBy('state')
      .execute();
    return Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]));
  }
}

function nameTaken(): AppError {
  return new AppError('ALREADY_EXISTS', {
    message: 'tenant already exists - please contact your administrator to create your user',
  });
}

function toTenant(row: { id: string; name: string; created_at: number; updated_at: number }): Tenant {
  return { id: row.id, name: row.name, createdAt: row.created_at, updatedAt: row.updated_at };
}

import { randomUUID } from 'node:crypto';
import type { Kysely, Selectable } from 'kysely';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Database, TenantsTable } from '../storage/schema.ts';
import { type DeletionState, type Deletions, markTenant } from './deletions.ts';
import { hashPassword } from './passwords.ts';
import { looksLikeUuid } from './tokens.ts';
import { addUser, canonicalEmail, type NewUser, toUser, type User } from './user-rows.ts';

export interface Tenant {
  id: string;
  name: string;
  createdAt: number;
  updatedAt: number;
  /** Its deletion has begun: nobody can use it, and its data is going. */
  deleting: boolean;
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
  deletions: Pick<Deletions, 'begin'>;
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
    const tenant: Tenant = {
      id: randomUUID(),
      name: registration.tenantName,
      createdAt: at,
      updatedAt: at,
      deleting: false,
    };
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
   * Deletes the tenant and everything that belongs to it, files included: at once for whoever uses it, and for good
   * in the background. Cannot be undone. Throws NOT_FOUND.
   */
  async delete(id: string): Promise<{ tenant: Tenant; deletedAt: number; state: DeletionState }> {
    const { db, clock, deletions } = this.#parts;
    const tenant = await this.get(id);
    await db.transaction().execute((trx) => markTenant(trx, tenant.id, tenant.name, clock.now()));
    const state = await deletions.begin({ tenantId: tenant.id });
    return { tenant, deletedAt: clock.now(), state };
  }

  /** Users of any tenant with this id or email: for the operator at the console. */
  async findUsers(idOrEmail: string): Promise<User[]> {
    const rows = await this.#parts.db
      .selectFrom('users')
      .selectAll()
      .where((is) => is.or([is('id', '=', idOrEmail), is('email', '=', canonicalEmail(idOrEmail))]))
      .where('deleting_at', 'is', null)
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
  async devicesByState(): Promise<{ state: string; reason: string; count: number }[]> {
    const rows = await this.#parts.db
      .selectFrom('devices')
      .select(({ fn }) => ['state', 'state_reason', fn.countAll<number | string>().as('count')])
      .groupBy(['state', 'state_reason'])
      .execute();
    return rows.map((row) => ({
      state: row.state,
      reason: row.state_reason ?? 'created',
      count: Number(row.count),
    }));
  }
}

function nameTaken(): AppError {
  return new AppError('ALREADY_EXISTS', {
    message: 'tenant already exists - please contact your administrator to create your user',
  });
}

function toTenant(row: Selectable<TenantsTable>): Tenant {
  const { id, name, created_at: createdAt, updated_at: updatedAt } = row;
  return { id, name, createdAt, updatedAt, deleting: row.deleting_at !== null };
}

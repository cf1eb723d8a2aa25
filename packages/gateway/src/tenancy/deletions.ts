/** Deleting tenants, users and devices: at once for whoever calls, a little at a time in the database, and for good. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Clock, inTime, stopwatch } from '../clock.ts';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import type { Log } from '../observability/log.ts';
import { type ErasedFiles, eraseDevice, eraseTenant, eraseUser } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';

/** Whose things go: a tenant, one of its users, or one device, which its room has closed. */
export interface Leaver {
  tenantId: TenantId;
  userId?: UserId | undefined;
  deviceId?: DeviceId | undefined;
}

/** Ends what runs on behalf of a tenant, or of one of its users, before the rows are deleted. */
export type Leaving = (tenantId: TenantId, userId?: UserId) => Promise<void>;

/** `deleting`: nobody can use it any more, and its data is going. */
export type DeletionState = 'deleting' | 'deleted';

export interface DeletionsParts {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  /** Files that go with the rows. */
  files: ErasedFiles;
  beforeDelete: Leaving;
  /** Cached callers of the tenant must be forgotten. */
  forget(tenantId: TenantId): void;
}

/** So long an answer waits: what little data there is has gone by then. */
const ANSWER_WITHIN_MS = 5000;
/** When the store could not go on. */
const AGAIN_AFTER_MS = 60_000;

/**
 * A tenant or user that goes is marked in one commit: from then on tokens do not work, names are free, devices are
 * not there, and a start goes on with what an earlier process has not finished. What they had goes after that.
 */
export class Deletions {
  readonly #parts: DeletionsParts;
  /** Under way, by the id of the leaver. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(parts: DeletionsParts) {
    this.#parts = parts;
  }

  /** Goes on with a leaver that is marked; tells how far that came within some seconds. */
  async begin(leaver: Leaver): Promise<DeletionState> {
    this.#parts.forget(leaver.tenantId);
    // What fails, or is ended by a stop, goes on later.
    const erased = this.#erased(leaver).then(
      () => 'deleted' as const,
      () => 'deleting' as const,
    );
    return (await inTime(ANSWER_WITHIN_MS, erased)) ? erased : 'deleting';
  }

  /** Goes on with what the end of an earlier process cut short; the deleting itself is done in the background. */
  async resume(): Promise<void> {
    const { db } = this.#parts;
    const tenants = await db
      .selectFrom('tenants')
      .select('id as tenantId')
      .where('deleting_at', 'is not', null)
      .execute();
    const users = await db
      .selectFrom('users')
      .select(['tenant_id as tenantId', 'id as userId'])
      .where('deleting_at', 'is not', null)
      .execute();
    const devices = await db
      .selectFrom('devices')
      .select(['tenant_id as tenantId', 'user_id as ownerId', 'id as deviceId'])
      .where('deleting_at', 'is not', null)
      .execute();
    const leaving = new Set([
      ...tenants.map(({ tenantId }) => tenantId),
      ...users.map(({ userId }) => userId),
    ]);
    const alone = users.filter(({ tenantId }) => !leaving.has(tenantId));
    const single = devices
      .filter(({ tenantId, ownerId }) => !leaving.has(tenantId) && !leaving.has(ownerId))
      .map(({ tenantId, deviceId }) => ({ tenantId, deviceId }));
    for (const leaver of [...tenants, ...alone, ...single]) this.#erased(leaver).catch(() => undefined);
  }

  /** Resolves when what is being deleted by now is, or could not be: that is tried again later. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** Ends between two of the small transactions; the next start goes on. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.idle();
  }

  #erased(leaver: Leaver): Promise<void> {
    const key = leaver.deviceId ?? leaver.userId ?? leaver.tenantId;
    const running = this.#running.get(key) ?? this.#erase(leaver).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  async #erase(leaver: Leaver): Promise<void> {
    const { db, clock, log, files, beforeDelete, forget } = this.#parts;
    const { tenantId, userId, deviceId } = leaver;
    const of = { tenant_id: tenantId, user_id: userId, device_id: deviceId };
    const { signal } = this.#stop;
    const took = stopwatch();
    try {
      if (deviceId !== undefined) await eraseDevice(db, { tenantId, deviceId }, { files, signal });
      else {
        await beforeDelete(tenantId, userId);
        if (userId === undefined) await eraseTenant(db, tenantId, { files, signal });
        else await eraseUser(db, { tenantId, userId }, { files, signal });
        forget(tenantId);
      }
      log.info({ ...of, took_ms: took() }, 'everything of it is deleted');
    } catch (err) {
      if (signal.aborted) throw err;
      log.error({ err, ...of }, 'it is not deleted entirely: tried again later');
      clock.after(AGAIN_AFTER_MS, () => void this.#erased(leaver).catch(() => undefined));
      throw err;
    }
  }
}

/** The name of a tenant and the address of a user are free at once. */
export async function markTenant(
  trx: Transaction<Database>,
  id: string,
  name: string,
  at: number,
): Promise<void> {
  await trx
    .updateTable('tenants')
    .set({ deleting_at: at, name: `${name} (deleting ${id})` })
    .where('id', '=', id)
    .where('deleting_at', 'is', null)
    .execute();
  await markUsers(trx, { tenantId: id }, at);
}

export async function markUsers(trx: Transaction<Database>, leaver: Leaver, at: number): Promise<void> {
  const { tenantId, userId } = leaver;
  let users = trx
    .updateTable('users')
    .set(({ ref }) => ({
      deleting_at: at,
      active: 0,
      // No token has such a hash, and nobody such an address.
      token_hash: sql<string>`'deleting ' || ${ref('id')}`,
      email: sql<string>`'deleting ' || ${ref('id')}`,
    }))
    .where('tenant_id', '=', tenantId);
  let devices = trx
    .updateTable('devices')
    .set({ deleting_at: at, wanted: 0 })
    .where('tenant_id', '=', tenantId);
  if (userId !== undefined) {
    users = users.where('id', '=', userId);
    devices = devices.where('user_id', '=', userId);
  }
  await users.execute();
  await devices.execute();
}

/** What devices do with calls, and whom they answered. Every query is bound to one tenant. */
import type { Kysely } from 'kysely';
import type { Database } from '../storage/schema.ts';

export interface CallSettings {
  reject: boolean;
  /** What a caller is sent; null: nothing. */
  message: string | null;
  /** Milliseconds; null while nothing was set. */
  updatedAt: number | null;
}

interface DeviceName {
  id: string;
  tenantId: string;
}

const NOTHING: CallSettings = { reject: false, message: null, updatedAt: null };

export class CallStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async settings({ id, tenantId }: DeviceName, db: Kysely<Database> = this.#db): Promise<CallSettings> {
    const row = await db
      .selectFrom('call_settings')
      .select(['reject', 'message', 'updated_at'])
      .where('device_id', '=', id)
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return row ? { reject: row.reject === 1, message: row.message, updatedAt: row.updated_at } : NOTHING;
  }

  async put(
    { id, tenantId }: DeviceName,
    settings: Omit<CallSettings, 'updatedAt'>,
    at: number,
  ): Promise<void> {
    const values = { reject: settings.reject ? 1 : 0, message: settings.message, updated_at: at };
    await this.#db
      .insertInto('call_settings')
      .values({ device_id: id, tenant_id: tenantId, ...values })
      .onConflict((conflict) => conflict.column('device_id').doUpdateSet(values))
      .execute();
  }

  /** True once for a caller in any stretch of `pauseMs`; it is noted before the message is sent. */
  async mayReply(
    { id, tenantId }: DeviceName,
    caller: string,
    now: number,
    pauseMs: number,
  ): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('call_replies')
      .values({ device_id: id, tenant_id: tenantId, caller, replied_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['device_id', 'caller'])
          .doUpdateSet({ replied_at: now })
          // A clock that was set back must not keep everybody silent until it has caught up.
          .where(({ eb, or }) =>
            or([eb('call_replies.replied_at', '<=', now - pauseMs), eb('call_replies.replied_at', '>', now)]),
          ),
      )
      .executeTakeFirst();
    return (numInsertedOrUpdatedRows ?? 0n) > 0n;
  }
}

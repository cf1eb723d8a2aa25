/** Hides the messages of chats that were cleared or deleted, a little at a time: others are served in between. */
import { type Kysely, type Selectable, type SqlBool, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { ChatsTable } from '../storage/tables/chat-tables.ts';

/** Messages of one transaction. */
const BATCH = 500;

export interface ClearingParts {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  /** All of them, for what an earlier process left. */
  tenantIds(): Promise<string[]>;
}

type Cleared = Pick<
  Selectable<ChatsTable>,
  'tenant_id' | 'device_id' | 'account' | 'chat' | 'clear_to' | 'clear_keeps_starred'
>;

/** What is left when the process ends is done at the next start: the row of the chat says so. */
export class Clearing {
  readonly #parts: ClearingParts;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: ClearingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#run(() => this.#parts.tenantIds());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Messages of the tenant are to be hidden, or will be once the transaction that says so is committed. */
  wake(tenantId: string): void {
    this.#run(async () => [tenantId]);
  }

  /** Resolves when everything that was to be hidden at the call is. */
  async done(tenantId: string): Promise<void> {
    this.wake(tenantId);
    await this.#running;
  }

  #run(tenants: () => Promise<string[]>): void {
    this.#running = this.#running.then(async () => {
      try {
        for (const tenantId of await tenants()) await this.#clear(tenantId);
      } catch (err) {
        this.#parts.log.error({ err }, 'the messages of cleared chats are not hidden yet');
      }
    });
  }

  async #clear(tenantId: string): Promise<void> {
    while (!this.#stopped) {
      const chat = await this.#next(tenantId);
      if (!chat) return;
      await this.#hide(chat);
    }
  }

  #next(tenantId: string): Promise<Cleared | undefined> {
    return (
      this.#parts.db
        .selectFrom('chats')
        .select(['tenant_id', 'device_id', 'account', 'chat', 'clear_to', 'clear_keeps_starred'])
        .where('tenant_id', '=', tenantId)
        // As the index of these says it: a parameter could be any number.
        .where(sql<SqlBool>`clear_to > 0`)
        .limit(1)
        .executeTakeFirst()
    );
  }

  async #hide(cleared: Cleared): Promise<void> {
    const { db, clock } = this.#parts;
    for (;;) {
      if (this.#stopped) return;
      const found = await this.#some(cleared);
      await db.transaction().execute(async (trx) => {
        const ids = found.map(({ id }) => id);
        if (ids.length > 0) {
          await trx
            .updateTable('messages')
            .set({ hidden_at: clock.now() })
            .where(checkedTenant(cleared.tenant_id))
            .where('id', 'in', ids)
            .execute();
        }
        if (found.length === BATCH) return;
        await trx
          .updateTable('chats')
          .set({ clear_to: 0 })
          .where(checkedTenant(cleared.tenant_id))
          .where('device_id', '=', cleared.device_id)
          .where('account', '=', cleared.account)
          .where('chat', '=', cleared.chat)
          .where('clear_to', '=', cleared.clear_to)
          .execute();
      });
      if (found.length < BATCH) return;
    }
  }

  #some(cleared: Cleared): Promise<{ id: string }[]> {
    let query = this.#parts.db
      .selectFrom('messages')
      .select('id')
      .where(checkedTenant(cleared.tenant_id))
      .where('device_id', '=', cleared.device_id)
      .where('chat_jid', '=', cleared.chat)
      .where('timestamp', '<=', cleared.clear_to)
      .where('hidden_at', 'is', null)
      .where((is) => is.or([is('account_jid', 'is', null), is('account_jid', '=', cleared.account)]));
    if (cleared.clear_keeps_starred === 1) query = query.where('starred_at', 'is', null);
    return query.orderBy('timestamp', 'desc').limit(BATCH).execute();
  }
}

import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { RecordId, TenantId } from '../../ids.ts';
import { checkedTenant } from '../../storage/narrowing.ts';
import type { Database } from '../../storage/schema.ts';
import type { MediaCopy } from '../copies.ts';

export type RetryOutcome = 'succeeded' | 'not_found' | 'failed';

/** How a request ended; `result`: what the phone, or we, had to say of it. */
interface RetryEnd {
  state: RetryOutcome;
  result: string | null;
}

export interface RetryRequest {
  id: string;
  rowId: RecordId;
  state: 'open' | 'succeeded' | 'not_found' | 'failed' | 'expired';
  result: string | null;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  answeredAt: number | null;
}

/**
 * Requests to a phone to upload a file again. Each is a row, so that it survives a restart and its answer is
 * taken whenever it comes; at most one per message is open. An unanswered one expires, after which another
 * may be sent.
 */
export class RetryRequests {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #expiryMs: number;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(parts: { db: Kysely<Database>; clock: Clock; expiryMs: number }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#expiryMs = parts.expiryMs;
  }

  /** Closes requests whose time is over. */
  async expireDue(): Promise<void> {
    await this.#db
      .updateTable('media_retry_requests')
      .set({ state: 'expired' })
      .where('state', '=', 'open')
      .where('expires_at', '<=', this.#clock.now())
      .execute();
  }

  /** The newest request for each of the copies, newest first; one whose time is over counts as expired. */
  async latest(tenantId: TenantId, rowIds: string[]): Promise<RetryRequest[]> {
    if (rowIds.length === 0) return [];
    const rows = await this.#db
      .selectFrom('media_retry_requests')
      .select(['id', 'message_row_id', 'state', 'result', 'expires_at', 'answered_at'])
      .where(checkedTenant(tenantId))
      .where('message_row_id', 'in', rowIds)
      .orderBy('requested_at', 'desc')
      .execute();
    const newest = new Map<string, RetryRequest>();
    for (const row of rows) {
      if (newest.has(row.message_row_id)) continue;
      const over = row.state === 'open' && row.expires_at <= this.#clock.now();
      newest.set(row.message_row_id, {
        id: row.id,
        rowId: row.message_row_id,
        state: over ? 'expired' : row.state,
        result: row.result,
        expiresAt: row.expires_at,
        answeredAt: row.answered_at,
      });
    }
    return [...newest.values()];
  }

  /**
   * Writes the request, then sends it: a request that left is always known. Nothing is sent when one is open
   * already. When `send` throws, the row is closed as failed and the error passed on.
   */
  async open(copy: MediaCopy, send: () => Promise<void>): Promise<void> {
    await this.expireDue();
    const id = randomUUID();
    const now = this.#clock.now();
    // The partial unique index on open requests decides between simultaneous callers.
    const inserted = await this.#db
      .insertInto('media_retry_requests')
      .values({
        id,
        tenant_id: copy.tenantId,
        device_id: copy.deviceId,
        message_row_id: copy.rowId,
        message_id: copy.messageId,
        state: 'open',
        result: null,
        requested_at: now,
        expires_at: now + this.#expiryMs,
        answered_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (!inserted.numInsertedOrUpdatedRows) return;
    try {
      await send();
    } catch (error) {
      await this.close(copy.tenantId, { id, rowId: copy.rowId }, { state: 'failed', result: 'not_sent' });
      throw error;
    }
  }

  /** Notes an answer and wakes those who wait for it. */
  async close(tenantId: TenantId, request: Pick<RetryRequest, 'id' | 'rowId'>, end: RetryEnd): Promise<void> {
    await this.closeWithin(this.#db, tenantId, request, end);
    this.wake(request);
  }

  /** Notes an answer within a transaction; `wake` is for after its commit. */
  async closeWithin(
    db: Kysely<Database>,
    tenantId: TenantId,
    request: Pick<RetryRequest, 'id'>,
    { state, result }: RetryEnd,
  ): Promise<void> {
    await db
      .updateTable('media_retry_requests')
      .set({ state, result, answered_at: this.#clock.now() })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', request.id)
      .execute();
  }

  /** Wakes those who wait for an answer about the request's message. */
  wake(request: Pick<RetryRequest, 'rowId'>): void {
    for (const wake of this.#waiting.get(request.rowId) ?? []) wake();
  }

  /**
   * Waits for an answer about one of the copies, until `until` (of the monotonic clock) or `signal`.
   * Begin waiting before the request is sent, or the answer may have been there before.
   */
  watch(rowIds: string[], until: number, signal?: AbortSignal): { done: Promise<void>; cancel: () => void } {
    let finish: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const cancelTimer = this.#clock.after(Math.max(until - this.#clock.monotonic(), 0), () => finish());
    signal?.addEventListener('abort', finish);
    if (signal?.aborted) finish();
    for (const rowId of rowIds) {
      const set = this.#waiting.get(rowId) ?? new Set();
      this.#waiting.set(rowId, set.add(finish));
    }
    const cancel = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', finish);
      for (const rowId of rowIds) {
        const set = this.#waiting.get(rowId);
        set?.delete(finish);
        if (set?.size === 0) this.#waiting.delete(rowId);
      }
      finish();
    };
    return { done: done.finally(cancel), cancel };
  }

  /** Wakes everyone: the process stops. */
  wakeAll(): void {
    for (const set of this.#waiting.values()) for (const wake of set) wake();
  }
}

/** `POST /webhook/test`: one delivery, made at once and outside of the queue. */
import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { AttemptResult, Attempts } from './attempt.ts';
import { type Endpoint, type EndpointRow, secretOf } from './endpoint.ts';
import { writeOutcome } from './outcome.ts';
import { enqueue, PARKED } from './queue.ts';

export interface TrialAnswer {
  deliveryId: string;
  eventId: string;
  result: AttemptResult;
}

const MESSAGE = 'This is a test delivery. A real event has the same outer members and the same headers.';

export class Trial {
  readonly #parts: { db: Kysely<Database>; clock: Clock; vault: Vault; attempts: Attempts };

  constructor(parts: { db: Kysely<Database>; clock: Clock; vault: Vault; attempts: Attempts }) {
    this.#parts = parts;
  }

  /**
   * Sends `webhook.test` whatever the endpoint subscribes to and whatever state it is in; the outcome changes
   * neither its state nor its count of failures. It is in the log of deliveries like any other. Null when the
   * endpoint is gone by now.
   */
  async run(endpoint: Endpoint): Promise<TrialAnswer | null> {
    const { db, vault, attempts } = this.#parts;
    const made = await this.#record(endpoint);
    if (made === null) return null;
    const { deliveryId, event } = made;
    const target = {
      url: endpoint.url,
      timeoutMs: endpoint.timeoutSeconds * 1000,
      secret: secretOf(made.row, vault),
      headers: endpoint.headers,
    };
    const result = await attempts.make(target, event, { id: deliveryId, attempt: 1 });
    if (result === null) return null;
    const lane = { tenantId: endpoint.tenantId, endpointId: endpoint.id, orderKey: deliveryId };
    const state = result.error === null ? ('delivered' as const) : ('failed' as const);
    const delivery = { id: deliveryId, attempts: 0, attemptsBefore: 0, nextAttemptAt: PARKED, event };
    await db
      .transaction()
      .execute((trx) => writeOutcome(trx, { lane, delivery, result, verdict: { state } }));
    return { deliveryId, eventId: event.id, result };
  }

  async #record(endpoint: Endpoint) {
    const { db, clock } = this.#parts;
    const now = clock.now();
    return db.transaction().execute(async (trx) => {
      const row: EndpointRow | undefined = await trx
        .selectFrom('webhook_endpoints')
        .selectAll()
        .where('tenant_id', '=', endpoint.tenantId)
        .where('id', '=', endpoint.id)
        .executeTakeFirst();
      if (!row) return null;
      // Quiet, because only this endpoint is meant; a lane of its own, because it waits for nothing.
      const orderKey = `webhook.test:${randomUUID()}`;
      const event = await trx
        .insertInto('events')
        .values({
          id: randomUUID(),
          tenant_id: endpoint.tenantId,
          user_id: endpoint.userId,
          device_id: endpoint.deviceId,
          name: 'webhook.test',
          order_key: orderKey,
          data: JSON.stringify({ webhook_id: endpoint.id, message: MESSAGE }),
          quiet: 1,
          created_at: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const device = { id: endpoint.deviceId, tenantId: endpoint.tenantId };
      const queued = { id: event.id, seq: Number(event.seq), name: event.name, orderKey };
      const deliveryId = await enqueue(trx, { endpointId: endpoint.id, device }, queued, {
        now,
        onlyEnabled: false,
      });
      if (deliveryId === null) return null;
      // The queue leaves it alone; should this process end first, it is delivered with the others.
      await trx
        .updateTable('webhook_deliveries')
        .set({ next_attempt_at: PARKED })
        .where('tenant_id', '=', endpoint.tenantId)
        .where('id', '=', deliveryId)
        .execute();
      return { deliveryId, event: { ...event, created_at: Number(event.created_at) }, row };
    });
  }
}

/** What came of an attempt, and how it is written: the delivery as it stands then, and the attempt beside it. */
import { sql, type Transaction } from 'kysely';
import type { TenantId } from '../ids.ts';
import { HotQuery, slotsOf } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database, WebhookAttemptsTable } from '../storage/schema.ts';
import type { AttemptResult } from './attempt.ts';
import type { EndpointRow } from './endpoint.ts';
import type { Lane, OpenDelivery } from './queue.ts';

/** Where a delivery stands after an attempt. */
export type Verdict =
  | { state: 'delivered' }
  | { state: 'failed' }
  | { state: 'pending'; nextAttemptAt: number };

export interface Outcome {
  lane: Lane;
  endpoint: EndpointRow;
  delivery: OpenDelivery;
  result: AttemptResult;
  verdict: Verdict;
}

/** False when the delivery is no longer open: its endpoint was removed meanwhile. */
export async function writeOutcome(
  trx: Transaction<Database>,
  { lane, delivery, result, verdict }: Pick<Outcome, 'lane' | 'delivery' | 'result' | 'verdict'>,
): Promise<boolean> {
  const attempt = delivery.attempts + 1;
  const written = {
    tenantId: lane.tenantId,
    id: delivery.id,
    state: verdict.state,
    attempts: attempt,
    attemptsBefore: delivery.attemptsBefore,
  };
  const changed =
    verdict.state === 'pending'
      ? await TO_BE_REPEATED.affected(trx, { ...written, at: verdict.nextAttemptAt })
      : await FINISHED.affected(trx, { ...written, at: result.at + result.tookMs });
  if (changed === 0) return false;
  await INSERT_ATTEMPT.run(trx, {
    tenant_id: lane.tenantId,
    delivery_id: delivery.id,
    attempt,
    at: result.at,
    took_ms: Math.round(result.tookMs),
    status: result.status,
    error: result.error,
    response_head: result.responseHead,
  });
  return true;
}

/** A receiver that is gone for good gets nothing more; what was meant for it can be replayed elsewhere. */
export async function failAll(trx: Transaction<Database>, endpoint: EndpointRow, now: number): Promise<void> {
  await trx
    .updateTable('webhook_deliveries')
    .set({ state: 'failed', finished_at: now })
    .where(checkedTenant(endpoint.tenant_id))
    .where('endpoint_id', '=', endpoint.id)
    // As in queue.ts: the index of what is open, and not that of all the endpoint has ever delivered.
    .where('order_key', '>=', '')
    .where('state', '=', sql.lit('pending'))
    .execute();
}

interface Written {
  tenantId: TenantId;
  id: string;
  state: Verdict['state'];
  attempts: number;
  attemptsBefore: number;
  at: number;
}

const FINISHED = outcomeWith('finished_at');
const TO_BE_REPEATED = outcomeWith('next_attempt_at');

function outcomeWith(time: 'finished_at' | 'next_attempt_at'): HotQuery<Written, unknown> {
  return new HotQuery((db, { tenantId, id, state, attempts, attemptsBefore, at }) =>
    db
      .updateTable('webhook_deliveries')
      .set({ state, attempts, attempts_before: attemptsBefore, [time]: at })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .where('state', '=', sql.lit('pending')),
  );
}

const ATTEMPT_COLUMNS = [
  'tenant_id',
  'delivery_id',
  'attempt',
  'at',
  'took_ms',
  'status',
  'error',
  'response_head',
] as const;

type NewAttempt = Omit<WebhookAttemptsTable, 'id'>;

const INSERT_ATTEMPT = new HotQuery<NewAttempt, unknown>((db, row) =>
  db.insertInto('webhook_attempts').values(slotsOf(row, ATTEMPT_COLUMNS)),
);

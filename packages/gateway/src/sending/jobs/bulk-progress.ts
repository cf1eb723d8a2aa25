/** How far a bulk is: its jobs leave one after the other, and with the last one it is over. */
import type { Kysely, Transaction } from 'kysely';
import type { EventRecorder } from '../../events/recorder.ts';
import type { Database } from '../../storage/schema.ts';
import { bulkCompleted } from './job-events.ts';
import { OPEN_STATES } from './job-state.ts';

/** `due_at` of what another one has to finish first. */
export const NOT_DUE = Number.MAX_SAFE_INTEGER;

/** Releases the next job of the bulk after a pause, or ends the bulk when nothing is left. */
export async function advanceBulk(
  trx: Transaction<Database>,
  { now, events }: { now: number; events: EventRecorder },
  { tenantId, bulkId }: { tenantId: string; bulkId: string },
): Promise<void> {
  const open = await trx
    .selectFrom('send_jobs')
    .select(['id', 'send_at', 'due_at', 'reckoned_at'])
    .where('tenant_id', '=', tenantId)
    .where('bulk_id', '=', bulkId)
    .where('state', 'in', OPEN_STATES)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();
  const bulk = await trx
    .selectFrom('send_bulks')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', bulkId)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  if (!bulk) return;
  if (open) {
    if (open.due_at < NOT_DUE) return;
    const pause = bulk.least_pause_ms + Math.random() * (bulk.most_pause_ms - bulk.least_pause_ms);
    // A bulk that was planned for later is not begun by the end of its first one.
    const at = Math.max(now + Math.round(pause), open.send_at);
    await trx
      .updateTable('send_jobs')
      .set({ send_at: at, due_at: at, reckoned_at: at > open.send_at ? now : open.reckoned_at })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', open.id)
      .execute();
    return;
  }
  const counts = await countsOf(trx, tenantId, bulkId);
  const state = counts.sent + counts.failed === 0 || counts.cancelled > 0 ? 'cancelled' : 'completed';
  await trx
    .updateTable('send_bulks')
    .set({ state, finished_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', bulkId)
    .execute();
  await bulkCompleted(trx, events, { ...bulk, state, finished_at: now }, counts);
}

export type BulkCounts = Record<'sent' | 'failed' | 'cancelled' | 'open', number>;

/** How many jobs of a bulk are in which state. */
export async function countsOf(
  db: Kysely<Database> | Transaction<Database>,
  tenantId: string,
  bulkId: string,
): Promise<BulkCounts> {
  const rows = await db
    .selectFrom('send_jobs')
    .select((eb) => ['state', eb.fn.countAll<number>().as('jobs')])
    .where('tenant_id', '=', tenantId)
    .where('bulk_id', '=', bulkId)
    .groupBy('state')
    .execute();
  const counts: BulkCounts = { sent: 0, failed: 0, cancelled: 0, open: 0 };
  for (const { state, jobs } of rows) {
    const name = state === 'sent' || state === 'failed' || state === 'cancelled' ? state : 'open';
    counts[name] += Number(jobs);
  }
  return counts;
}

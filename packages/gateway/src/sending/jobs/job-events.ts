/** Records the events of jobs and bulks, in the transaction that ends them. */

import type { Selectable, Transaction } from 'kysely';
import { rfc3339OrNull } from '../../clock.ts';
import type { EventRecorder } from '../../events/recorder.ts';
import type { Database, SendBulksTable } from '../../storage/schema.ts';
import type { SendJob } from './job.ts';

/** `job.completed`: sent or failed, with the reason. */
export async function jobCompleted(
  trx: Transaction<Database>,
  events: EventRecorder,
  job: SendJob,
): Promise<void> {
  await record(trx, events, job, {
    name: 'job.completed',
    orderKey: job.bulkId ?? job.id,
    data: {
      job_id: job.id,
      bulk_id: job.bulkId,
      type: job.kind,
      recipient: job.recipient,
      state: job.state,
      message_id: job.messageId,
      items:
        job.items?.map(({ messageId, status, error }) => ({
          message_id: messageId,
          status,
          error_code: error?.code ?? null,
          reason: error?.reason ?? null,
          whatsapp_code: error?.whatsappCode ?? null,
        })) ?? null,
      error_code: job.error?.code ?? null,
      reason: job.error?.reason ?? null,
      whatsapp_code: job.error?.whatsappCode ?? null,
      error: job.error?.message ?? null,
      finished_at: rfc3339OrNull(job.finishedAt),
    },
  });
}

/** `bulk.completed`: nothing of it is left to send. */
export async function bulkCompleted(
  trx: Transaction<Database>,
  events: EventRecorder,
  bulk: Selectable<SendBulksTable>,
  counts: { sent: number; failed: number; cancelled: number },
): Promise<void> {
  const { sent, failed, cancelled } = counts;
  await record(
    trx,
    events,
    { tenantId: bulk.tenant_id, deviceId: bulk.device_id },
    {
      name: 'bulk.completed',
      orderKey: bulk.id,
      data: {
        bulk_id: bulk.id,
        state: bulk.state,
        total: bulk.total,
        sent,
        failed,
        cancelled,
        finished_at: rfc3339OrNull(bulk.finished_at),
      },
    },
  );
}

async function record(
  trx: Transaction<Database>,
  events: EventRecorder,
  { tenantId, deviceId }: { tenantId: string; deviceId: string },
  event: Parameters<EventRecorder['record']>[2],
): Promise<void> {
  const device = await trx
    .selectFrom('devices')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', deviceId)
    .executeTakeFirst();
  if (device) await events.record(trx, { id: deviceId, tenantId, userId: device.user_id }, event);
}

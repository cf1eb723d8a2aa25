/** A send that does not happen within its request. */
import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { SendJobsTable } from '../../storage/schema.ts';
import type { Caller } from '../../tenancy/caller.ts';

/**
 * `scheduled` until its time, or `queued` until the one before it in its bulk is through; `processing` while
 * it is prepared and sent; then `sent`, `failed` or `cancelled` for good.
 */
export type JobState = SendJobsTable['state'];
export const JOB_STATES = [
  'scheduled',
  'queued',
  'processing',
  'sent',
  'failed',
  'cancelled',
] as const satisfies JobState[];

export interface SendJob {
  id: string;
  tenantId: string;
  deviceId: string;
  /** Who asked for it. */
  userId: string;
  bulkId: string | null;
  /** Within its bulk, from 0. */
  position: number;
  /** The path after `/send/`. */
  kind: string;
  /** Number or JID as the caller wrote it. */
  recipient: string;
  state: JobState;
  /** Milliseconds, as are the other times: when it is to be sent. */
  sendAt: number;
  /** The next attempt. */
  dueAt: number;
  attempts: number;
  messageId: string | null;
  error: { code: string; message: string } | null;
  createdAt: number;
  finishedAt: number | null;
}

/** What a job keeps of its request; sealed in the database. */
export interface KeptRequest {
  body: Record<string, unknown>;
  /** The file that stands in the body's member. */
  file: KeptFile | null;
}

export interface KeptFile {
  member: string;
  path: string;
  /** Bytes. */
  size: number;
  /** Hex; what was kept before files were compared has none. */
  sha256?: string;
  declaredType: string | null;
  detectedType: string | null;
}

/** All columns but the request. */
export const JOB_COLUMNS = [
  'id',
  'tenant_id',
  'device_id',
  'user_id',
  'bulk_id',
  'position',
  'operation',
  'recipient',
  'state',
  'send_at',
  'due_at',
  'attempts',
  'message_id',
  'error_code',
  'error',
  'created_at',
  'finished_at',
] as const satisfies readonly (keyof SendJobsTable)[];

export function jobFromRow(row: Pick<Selectable<SendJobsTable>, (typeof JOB_COLUMNS)[number]>): SendJob {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    userId: row.user_id,
    bulkId: row.bulk_id,
    position: row.position,
    kind: row.operation,
    recipient: row.recipient,
    state: row.state,
    sendAt: row.send_at,
    dueAt: row.due_at,
    attempts: row.attempts,
    messageId: row.message_id,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error ?? '' },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

/**
 * A new id. The same request with the same `Idempotency-Key` gets the same one, so that a repetition after a
 * crash finds what the first attempt had stored.
 */
export function newId(prefix: 'job' | 'bulk', caller: Caller, key?: string): string {
  if (key === undefined) return `${prefix}_${randomBytes(16).toString('hex')}`;
  const owned = JSON.stringify([prefix, caller.tenantId, caller.userId, key]);
  return `${prefix}_${createHash('sha256').update(owned).digest('hex').slice(0, 32)}`;
}

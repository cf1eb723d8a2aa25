/** A send that does not happen within its request. */
import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { ErrorCode } from '../../errors.ts';
import type { DeviceId, MessageId, TenantId, UserId } from '../../ids.ts';
import type { SendJobsTable } from '../../storage/schema.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import type { SentItem } from '../albums.ts';
import type { Claim } from '../delivery.ts';
import type { SendFailure } from '../send-failure.ts';
import type { JobState } from './job-state.ts';

export interface SendJob {
  id: string;
  tenantId: TenantId;
  deviceId: DeviceId;
  /** The device's account when it was accepted: it leaves from no other. Null when it was not linked. */
  account: Jid | null;
  /** Who asked for it. */
  userId: UserId;
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
  /** The time from which `dueAt` was reckoned; null when somebody named it: a caller, WhatsApp. */
  reckonedAt: number | null;
  /** WhatsApp lets the account not send it before; null when it said nothing. */
  heldUntil: number | null;
  attempts: number;
  messageId: MessageId | null;
  /** Of an album that was begun: how each item stands. */
  items: SentItem[] | null;
  error: SendFailure | null;
  createdAt: number;
  finishedAt: number | null;
}

/** What a job keeps of its request; sealed in the database. */
export interface KeptRequest {
  body: Record<string, unknown>;
  /** Those that stand in members of the body. */
  files: KeptFile[];
}

/** Lies in the outbox under the name of its content. */
export interface KeptFile {
  /** Its place in the body: `image`, `media.3.base64`. */
  member: string;
  /** Of what was kept before files were shared; it may have no hash either. */
  path?: string;
  /** Bytes. */
  size: number;
  /** Hex. */
  sha256?: string;
  declaredType: string | null;
  detectedType: string | null;
}

/** All columns but the request. */
export const JOB_COLUMNS = [
  'id',
  'tenant_id',
  'device_id',
  'account',
  'user_id',
  'bulk_id',
  'position',
  'operation',
  'recipient',
  'state',
  'send_at',
  'due_at',
  'reckoned_at',
  'held_until',
  'attempts',
  'message_id',
  'items',
  'error_code',
  'error_reason',
  'whatsapp_code',
  'error',
  'created_at',
  'finished_at',
] as const satisfies readonly (keyof SendJobsTable)[];

export function jobFromRow(row: Pick<Selectable<SendJobsTable>, (typeof JOB_COLUMNS)[number]>): SendJob {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    account: row.account,
    userId: row.user_id,
    bulkId: row.bulk_id,
    position: row.position,
    kind: row.operation,
    recipient: row.recipient,
    state: row.state,
    sendAt: row.send_at,
    dueAt: row.due_at,
    reckonedAt: row.reckoned_at,
    heldUntil: row.held_until,
    attempts: row.attempts,
    messageId: row.message_id,
    items: row.items === null ? null : (JSON.parse(row.items) as SentItem[]),
    error:
      row.error_code === null
        ? null
        : {
            code: row.error_code as ErrorCode,
            reason: row.error_reason,
            whatsappCode: row.whatsapp_code,
            message: row.error ?? '',
          },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

/**
 * A new id. What one ticket of an `Idempotency-Key` makes has the same one each time, so that a repetition after
 * a crash finds what the first attempt had stored; another request with the key, later, has another ticket.
 */
export function newId(prefix: 'job' | 'bulk', ticket?: string, position?: number): string {
  if (ticket === undefined) return `${prefix}_${newTicket()}`;
  if (position === undefined) return `${prefix}_${ticket}`;
  return `${prefix}_${createHash('sha256').update(`${ticket} ${position}`).digest('hex').slice(0, 32)}`;
}

/** For what comes without a key. */
export function newTicket(): string {
  return randomBytes(16).toString('hex');
}

/** What an earlier attempt of the job has claimed for its stanza. */
export function claimOf(job: Pick<SendJob, 'messageId' | 'deviceId' | 'account'>): Claim | null {
  const { messageId, deviceId, account } = job;
  return messageId === null ? null : { messageId, deviceId, account };
}

/** Milliseconds after which the job is too late: counted from its time, or from when WhatsApp let it go. */
export function deadlineOf(job: Pick<SendJob, 'sendAt' | 'heldUntil'>, lateMs: number): number {
  return Math.max(job.sendAt, job.heldUntil ?? 0) + lateMs;
}

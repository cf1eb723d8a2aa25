/** The tables of sends that happen later. */
import type { DeviceId, MessageId, TenantId, UserId } from '../../ids.ts';
import type { NotReadyReason } from '../../whatsapp/port/not-ready.ts';

export interface SendJobsTable {
  /** `job_` and 32 hexadecimal digits. */
  id: string;
  tenant_id: TenantId;
  device_id: DeviceId;
  /** The device's account when the job was accepted; null when it was not linked. */
  account: string | null;
  user_id: UserId;
  bulk_id: string | null;
  /** Within its bulk, from 0. */
  position: number;
  /** Kind of message: the path after `/send/`. */
  operation: string;
  /** As the caller wrote it. */
  recipient: string;
  /** The validated body and what file stands in it, as JSON; encrypted at rest. */
  request: Uint8Array;
  /** What it takes of the disk while it waits; null for one that was over before this was kept. */
  request_bytes: number | null;
  state: 'scheduled' | 'queued' | 'processing' | 'sent' | 'failed' | 'cancelled';
  /** When it was, or is, to be sent first. */
  send_at: number;
  /** The next attempt. */
  due_at: number;
  /** The time from which `due_at` was reckoned; null when somebody named it: a caller, WhatsApp. */
  reckoned_at: number | null;
  /** WhatsApp lets the account not send it before. */
  held_until: number | null;
  attempts: number;
  /** Claimed before the stanza left. */
  message_id: MessageId | null;
  /** Of an album that was begun: how each of its items ended, as JSON in their order. */
  items: string | null;
  error_code: string | null;
  /** With DEVICE_NOT_READY: why the device could not be used. */
  error_reason: NotReadyReason | null;
  /** With which WhatsApp's server refused it. */
  whatsapp_code: number | null;
  error: string | null;
  created_at: number;
  finished_at: number | null;
}

/** Files in the outbox, which other waiting jobs of the tenant may have too; none of a job that is over. */
export interface SendJobFilesTable {
  job_id: string;
  tenant_id: TenantId;
  /** Hex. */
  sha256: string;
  bytes: number;
}

export interface SendBulksTable {
  /** `bulk_` and 32 hexadecimal digits. */
  id: string;
  tenant_id: TenantId;
  device_id: DeviceId;
  user_id: UserId;
  state: 'running' | 'completed' | 'cancelled';
  total: number;
  least_pause_ms: number;
  most_pause_ms: number;
  created_at: number;
  finished_at: number | null;
}

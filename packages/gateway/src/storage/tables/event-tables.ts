/** The tables of events and of their way to webhooks. */
import type { Generated } from 'kysely';
import type { DeviceId, TenantId, UserId } from '../../ids.ts';

export interface EventsTable {
  /** Ascends in the order of recording; the cursor of `GET /events`. */
  seq: Generated<number>;
  /** UUID: the `id` of the envelope, the receiver's key for duplicates. */
  id: string;
  tenant_id: TenantId;
  user_id: UserId;
  device_id: DeviceId;
  name: string;
  order_key: string;
  /** JSON text of the public `data`; null stands for its secret members. */
  data: string;
  /** The secret members as JSON, encrypted at rest: see `events/sealed-events.ts`. */
  sealed: Generated<Uint8Array | null>;
  /** 1: stored for pulling, never pushed (history). */
  quiet: number;
  created_at: number;
}

export interface WebhookEndpointsTable {
  /** `wh_` and a UUID without dashes. */
  id: string;
  tenant_id: TenantId;
  user_id: UserId;
  device_id: DeviceId;
  /** 1: the one that the documented single-config operations speak of. */
  is_default: number;
  url: string;
  /** JSON array of event names. */
  events: string;
  enabled: number;
  retry_attempts: number;
  /** Seconds per attempt. */
  timeout_s: number;
  /** Encrypted at rest; null when deliveries are not signed. */
  secret: Uint8Array | null;
  /** JSON object, encrypted at rest: headers often carry credentials. */
  headers: Uint8Array | null;
  /** 'active' | 'paused' (failing for long) | 'gone' (410). */
  state: string;
  state_reason: string | null;
  state_at: number;
  /** First failure since the last success; null while it works. */
  failing_since: number | null;
  /** Failed attempts since the last success. */
  failures: number;
  /** Counts up with each change of the receiver (webhooks/endpoints.ts): outcomes of an earlier one count for nothing. */
  generation: Generated<number>;
  /** When its owner was told last that deliveries are about to expire. */
  expiry_told_at: Generated<number | null>;
  created_at: number;
  updated_at: number;
}

export interface WebhookDeliveriesTable {
  id: string;
  tenant_id: TenantId;
  endpoint_id: string;
  event_id: string;
  event_seq: number;
  event_name: string;
  device_id: DeviceId;
  order_key: string;
  /** `expired`: it waited for as long as a delivery may. */
  state: 'pending' | 'delivered' | 'failed' | 'expired';
  /** Attempts made so far. */
  attempts: number;
  /** Those of them that were made to an earlier receiver, and use up none of the retries. */
  attempts_before: Generated<number>;
  /**
   * When the next attempt is due; `PARKED` (webhooks/queue.ts) while an earlier delivery of the same order
   * key, or the endpoint, holds it up; meaningless once delivered or failed.
   */
  next_attempt_at: number;
  created_at: number;
  finished_at: number | null;
}

export interface WebhookAttemptsTable {
  id: Generated<number>;
  tenant_id: TenantId;
  delivery_id: string;
  attempt: number;
  at: number;
  /** Milliseconds the attempt took. */
  took_ms: number;
  /** HTTP status, null when there was no answer. */
  status: number | null;
  /** What went wrong, in one stable word: timeout, refused, tls, blocked_address, status, redirect… */
  error: string | null;
  /** First bytes of the answer's body, as text. */
  response_head: string | null;
}

export interface WebhookLaneNamesTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  /** A person's phone-number JID. */
  jid: string;
  /** The LID of the same person: the order key of what is delivered about them. */
  lid: string;
}

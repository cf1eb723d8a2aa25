/** The tables of stories: whom each of ours is for and how far it has come, and which of others were seen. */
import type { DeviceId, MessageId, RecordId, TenantId, UserId } from '../../ids.ts';

export interface SeenStoriesTable {
  message_row_id: RecordId;
  tenant_id: TenantId;
  device_id: DeviceId;
  /** When it was posted, milliseconds, as is the other. */
  posted_at: number;
  seen_at: number;
}

export interface StoriesTable {
  /** UUID. */
  id: string;
  tenant_id: TenantId;
  device_id: DeviceId;
  user_id: UserId;
  /** The device's account that posts it. */
  account: string;
  /** The row of its message. */
  message_row_id: RecordId;
  message_id: MessageId;
  /** JIDs, as JSON; none of an old one. */
  audience: string;
  total: number;
  /** How many of them it went to, from the first on, those that WhatsApp refused included. */
  position: number;
  /** Of those, how many WhatsApp refused, or does not know. */
  refused: number;
  state: 'posting' | 'posted' | 'failed' | 'expired' | 'deleted';
  error: string | null;
  /** Portions that failed one after the other. */
  failures: number;
  /** When the next portion goes. */
  due_at: number;
  created_at: number;
  finished_at: number | null;
}

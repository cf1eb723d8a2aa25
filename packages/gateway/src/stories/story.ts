import type { Selectable } from 'kysely';
import type { DeviceId, MessageId, RecordId, TenantId, UserId } from '../ids.ts';
import type { Recipient } from '../sending/recipients.ts';
import type { StoriesTable } from '../storage/tables/story-tables.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import { STORIES } from '../whatsapp/port/stories.ts';

/** Where stories go, and what belongs to them. */
export const RECIPIENT: Recipient = { to: STORIES, chat: { jid: STORIES, lid: null }, isGroup: false };

export type StoryState = StoriesTable['state'];

/** A story of ours, and how far it has come. */
export interface Story {
  id: string;
  tenantId: TenantId;
  deviceId: DeviceId;
  userId: UserId;
  account: Jid;
  messageRowId: RecordId;
  messageId: MessageId;
  /** Empty once nobody can have it any more. */
  audience: Jid[];
  /** How many people it is for. */
  total: number;
  /** Into the audience: those before it were sent to. */
  position: number;
  refused: number;
  state: StoryState;
  error: string | null;
  failures: number;
  /** Milliseconds, as all times here. */
  createdAt: number;
  finishedAt: number | null;
}

/**
 * People of one stanza. WAHA's users see time-outs with 500 and refusals for haste with 256 (its issues 2080 and
 * 2096). With a hundred the slowest texts of the device took 2 s beside a story, with 25 half a second, for the same
 * work (bench/README.md).
 */
export const PORTION = 25;

/** A first portion that has not been answered by then is sent once more: its process may have ended. */
export const FIRST_PORTION_MS = 60_000;
/** Between two portions of one story: other messages of the device have their turn. */
export const PAUSE_MS = 250;

/** How a story moves once it was sent to the first `position` of its audience. */
export function sentTo(
  audience: readonly Jid[],
  position: number,
  now: number,
): { position: number; dueAt: number; state?: 'posted' } {
  const done = position >= audience.length;
  return { position, dueAt: now + PAUSE_MS, ...(done ? { state: 'posted' as const } : {}) };
}

/** The row in our terms. */
export function storyFromRow(row: Selectable<StoriesTable>): Story {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    userId: row.user_id,
    account: row.account,
    messageRowId: row.message_row_id,
    messageId: row.message_id,
    audience: JSON.parse(row.audience) as Jid[],
    total: row.total,
    position: row.position,
    refused: row.refused,
    state: row.state,
    error: row.error,
    failures: row.failures,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

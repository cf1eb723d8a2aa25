/** The tables of what is known of chats beside their messages. */

import type { Generated } from 'kysely';
import type { DeviceId, TenantId } from '../../ids.ts';

/** When messages of a chat disappear; one row for each name of the chat. */
export interface ChatTimersTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  /** The device's account, whose chat it is. */
  account: string;
  /** JID or LID. */
  chat: string;
  /** 0: never. */
  seconds: number;
  /** Milliseconds: when it was set, as far as is known. */
  set_at: number;
}

/** The list of chats of each account; one row for each chat that something is known of. Times in milliseconds. */
export interface ChatsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  /** The device's account, whose chat it is. */
  account: string;
  /** The phone-number JID when known, else the LID; the group JID for groups. */
  chat: string;
  lid: string | null;
  /** Under which a person is saved, or a group's subject as history told it. */
  name: string | null;
  /** What the other side calls itself. */
  push_name: string | null;
  pinned_at: Generated<number | null>;
  /** Up to when what was written counts as archived; null: it is not. */
  archived_at: Generated<number | null>;
  muted: Generated<number>;
  /** Null with `muted`: for ever. */
  muted_until: Generated<number | null>;
  /** The user marked it as unread. */
  marked_unread: Generated<number>;
  unread_count: Generated<number>;
  /** What was written until then is read. */
  read_at: Generated<number>;
  /** The newest message that it shows; 0: none is known. */
  last_at: Generated<number>;
  /** 1: it is in the list. 0: something was told of it, and nothing that puts it there. -1: it was deleted. */
  listed: Generated<number>;
  /** When history told how it stands. */
  told_at: Generated<number | null>;
  /** Its messages until then are being hidden; 0: all that were to be are. */
  clear_to: Generated<number>;
  clear_keeps_starred: Generated<number>;
  /** 1: the account's devices keep the person's stories apart from the others. */
  stories_muted: Generated<number>;
}

/** What an account set for all its chats. */
export interface ChatSettingsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  /** A new message takes a chat out of the archive. */
  unarchive: number;
}

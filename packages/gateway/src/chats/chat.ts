/** A chat of an account, as this room gives it out. */
import type { Selectable } from 'kysely';
import { isGroupJid, namesPerson, storedIdentity } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { ChatsTable } from '../storage/tables/chat-tables.ts';
import type { Identity } from '../whatsapp/port/identity.ts';

/** The device, with the names of the account that it holds now. */
export type ChatDevice = Pick<MessageDevice, 'id' | 'tenantId' | 'jid' | 'lid'>;

/** Values of `listed`. */
export const LISTED = 1;
export const NOT_LISTED = 0;
/** Nothing but a new message puts it into the list again. */
export const DELETED = -1;

export interface Chat {
  chat: Identity;
  isGroup: boolean;
  /** The name under which it is saved, a group's subject, else what the other side calls itself. */
  name: string | null;
  pinned: boolean;
  archived: boolean;
  muted: boolean;
  /** Milliseconds, as are the further times; null with `muted`: for ever. */
  mutedUntil: number | null;
  unreadCount: number;
  markedUnread: boolean;
  /** What was written until then is read. */
  readAt: number;
  /** The newest message; null: none is known. */
  lastAt: number | null;
  /** 1 for a person. */
  participants: number;
  /** Row id of the newest message that it shows. */
  lastRowId: string | null;
}

export type ChatRow = Selectable<ChatsTable> & {
  /** Of a group that the account knows. */
  subject: string | null;
  size: number | null;
  last_id: string | null;
};

/** Whether the name is that of a chat of the list: no channel, no broadcast, no stories. */
export function isListable(jid: string): boolean {
  return isGroupJid(jid) || namesPerson(jid);
}

/** `unarchives`: the account takes chats out of the archive when something is written in them. */
export function chatFromRow(row: ChatRow, { now, unarchives }: { now: number; unarchives: boolean }): Chat {
  const isGroup = isGroupJid(row.chat);
  const muted = row.muted === 1 && (row.muted_until === null || row.muted_until > now);
  return {
    chat: storedIdentity(row.chat, row.lid),
    isGroup,
    name: row.subject ?? row.name ?? row.push_name,
    pinned: row.pinned_at !== null,
    archived: row.archived_at !== null && !(unarchives && row.last_at > row.archived_at),
    muted,
    mutedUntil: muted ? row.muted_until : null,
    unreadCount: row.unread_count,
    markedUnread: row.marked_unread === 1,
    readAt: row.read_at,
    lastAt: row.last_at === 0 ? null : row.last_at,
    participants: isGroup ? (row.size ?? 0) : 1,
    lastRowId: row.last_id,
  };
}

import type { Identity } from '../../port/identity.ts';
import type { SessionNotice } from '../../port/notices.ts';
import { isLidUser, isPnUser, jidNormalizedUser, type proto } from '../library.ts';
import { identity, type LidDirectory } from '../parse/message-source.ts';
import { stampedTime } from '../parse/stamped-time.ts';
import type { AppStateMutation } from './app-state-patch.ts';

/** The year 5138: a later one is in milliseconds. */
const LATEST_SECONDS = 100_000_000_000;

/** By the number of StatusDistributionMode. */
const STORY_AUDIENCES = ['whitelist', 'blacklist', 'contacts', 'close_friends'] as const;

type Reader = (
  change: AppStateMutation & { chat: (jid: string | undefined) => Promise<Identity> },
) => Promise<SessionNotice | null>;

/**
 * By the first word of the index. The indices are those of whatsmeow appstate/keys.go (Index… constants) and
 * appstate.go `dispatchAppState`; the actions are waSyncAction's.
 */
const READERS: Record<string, Reader> = {
  mute: async ({ index, action, chat }) => {
    const { muted, muteEndTimestamp } = action.muteAction ?? {};
    // -1 is for ever. Milliseconds, unlike all other times.
    const end = stampedTime(Number(muteEndTimestamp ?? 0) / 1000);
    return {
      name: 'chat.mute',
      chat: await chat(index[1]),
      muted: muted === true,
      mutedUntil: muted ? end : null,
    };
  },
  pin_v1: async ({ index, action, chat }) => ({
    name: 'chat.pin',
    chat: await chat(index[1]),
    pinned: action.pinAction?.pinned === true,
  }),
  archive: async ({ index, action, chat }) => ({
    name: 'chat.archive',
    chat: await chat(index[1]),
    upTo: lastOf(action.archiveChatAction),
    archived: action.archiveChatAction?.archived === true,
  }),
  markChatAsRead: async ({ index, action, chat }) => ({
    name: 'chat.mark_as_read',
    chat: await chat(index[1]),
    upTo: lastOf(action.markChatAsReadAction),
    read: action.markChatAsReadAction?.read === true,
  }),
  deleteChat: async ({ index, action, chat }) => ({
    name: 'chat.delete',
    chat: await chat(index[1]),
    upTo: lastOf(action.deleteChatAction),
  }),
  clearChat: async ({ index, action, chat }) => ({
    name: 'chat.clear',
    chat: await chat(index[1]),
    upTo: lastOf(action.clearChatAction),
    keepsStarred: index[2] === '0',
  }),
  deleteMessageForMe: async ({ index, chat }) => {
    const [, jid, messageId, fromMe, participant] = index;
    if (!jid || !messageId) return null;
    return {
      name: 'message.delete_for_me',
      chat: await chat(jid),
      messageId,
      fromMe: fromMe === '1',
      sender: participant && participant !== '0' ? await chat(participant) : null,
    };
  },
  star: async ({ index, action, chat }) => {
    const [, jid, messageId, fromMe, participant] = index;
    if (!jid || !messageId) return null;
    return {
      name: 'message.starred',
      chat: await chat(jid),
      messageId,
      fromMe: fromMe === '1',
      sender: participant && participant !== '0' ? await chat(participant) : null,
      starred: action.starAction?.starred === true,
    };
  },
  setting_unarchiveChats: async ({ action }) => ({
    name: 'settings.unarchive_chats',
    unarchiveChats: action.unarchiveChatsSetting?.unarchiveChats === true,
  }),
  userStatusMute: async ({ index, action, chat }) => ({
    name: 'settings.user_status_mute',
    contact: await chat(index[1]),
    muted: action.userStatusMuteAction?.muted === true,
  }),
  status_privacy: async ({ action, chat }) => ({
    name: 'settings.status_privacy',
    audience: STORY_AUDIENCES[action.statusPrivacy?.mode ?? 0] ?? 'contacts',
    people: await Promise.all((action.statusPrivacy?.userJid ?? []).map((jid) => chat(jid))),
  }),
  label_edit: async ({ index, action }) => ({
    name: 'label.edit',
    labelId: index[1] ?? '',
    labelName: action.labelEditAction?.name ?? null,
    color: action.labelEditAction?.color ?? null,
    deleted: action.labelEditAction?.deleted === true,
  }),
  label_jid: async ({ index, action, chat }) => ({
    name: 'label.association_chat',
    labelId: index[1] ?? '',
    chat: await chat(index[2]),
    labeled: action.labelAssociationAction?.labeled === true,
  }),
  label_message: async ({ index, action, chat }) => ({
    name: 'label.association_message',
    labelId: index[1] ?? '',
    chat: await chat(index[2]),
    messageId: index[3] ?? '',
    labeled: action.labelAssociationAction?.labeled === true,
  }),
};

/** A phone gives seconds, and some clients milliseconds. */
function lastOf(
  action: { messageRange?: proto.SyncActionValue.ISyncActionMessageRange | null } | null | undefined,
): number | null {
  const last = Number(action?.messageRange?.lastMessageTimestamp ?? 0);
  return stampedTime(last > LATEST_SECONDS ? last / 1000 : last);
}

/** The notice that a change of the account's state is worth, or null: stars, quick replies, own settings… */
export async function appStateNotice(
  change: AppStateMutation,
  directory: LidDirectory,
): Promise<SessionNotice | null> {
  const [kind = '', about] = change.index;
  if (kind === 'contact' || kind === 'lid_contact') return contactChanged(change, about, directory);
  // A removed entry says that the state is as if never set; official clients set it to the opposite instead.
  if (change.operation === 'remove') return null;
  const read = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  if (!read) return null;
  return read({ ...change, chat: (jid) => nameOf(jid, undefined, directory) });
}

/** Both names of a person, where an entry of the address book has them: as history it tells who is who. */
export function namesOfContact({ index, action }: AppStateMutation): { lid: string; pn: string }[] {
  const [kind, jid = ''] = index;
  if (kind !== 'contact') return [];
  const { lidJid, pnJid } = action.contactAction ?? {};
  const lid = isLidUser(jid) ? jid : lidJid;
  const pn = isPnUser(jid) ? jid : pnJid;
  return isLidUser(lid ?? '') && isPnUser(pn ?? '') && lid && pn ? [{ lid, pn }] : [];
}

/** A contact that was removed from the phone's address book has no names any more. */
async function contactChanged(
  { operation, action }: AppStateMutation,
  jid: string | undefined,
  directory: LidDirectory,
): Promise<SessionNotice | null> {
  if (!jid) return null;
  const saved: proto.SyncActionValue.IContactAction | null | undefined =
    operation === 'set' ? (action.contactAction ?? action.lidContactAction) : null;
  const other = action.contactAction?.lidJid ?? action.contactAction?.pnJid ?? undefined;
  return {
    name: 'contact.changed',
    contact: await nameOf(jid, other, directory),
    firstName: saved?.firstName || null,
    fullName: saved?.fullName || null,
  };
}

async function nameOf(
  jid: string | undefined,
  other: string | undefined,
  directory: LidDirectory,
): Promise<Identity> {
  const bare = jidNormalizedUser(jid ?? '');
  return bare ? identity(bare, other || undefined, directory) : { jid: null, lid: null };
}

/**
 * Changes of the account's state as app-state patches (whatsmeow appstate/encode.go). People are named by LID
 * where it is known, as phones do since they moved to LIDs.
 */
import type { AccountChange, MessageRange } from '../../port/account.ts';
import type { Identity } from '../../port/identity.ts';
import { isJidGroup, proto, type WAPatchCreate } from '../library.ts';

type Patch = Pick<WAPatchCreate, 'type' | 'index' | 'apiVersion'> & {
  action: Omit<proto.ISyncActionValue, 'timestamp'>;
  /** Takes the entry away. */
  remove?: boolean;
};

type Builders = {
  [Name in AccountChange['name']]: (change: Extract<AccountChange, { name: Name }>) => Patch;
};

const BUILDERS: Builders = {
  /** `["star", chat, id, "1" if ours, author or "0"]` (`BuildStar`). */
  'message.starred': ({ chat, messageId, fromMe, sender, starred }) => ({
    type: 'regular_high',
    index: ['star', nameOf(chat), messageId, fromMe ? '1' : '0', sender ? nameOf(sender) : '0'],
    apiVersion: 2,
    action: { starAction: { starred } },
  }),
  'label.edit': ({ labelId, labelName, color, deleted }) => ({
    type: 'regular',
    index: ['label_edit', labelId],
    apiVersion: 3,
    action: { labelEditAction: { name: labelName, color, deleted } },
  }),
  'label.association_chat': ({ labelId, chat, labeled }) => ({
    type: 'regular',
    index: ['label_jid', labelId, nameOf(chat)],
    apiVersion: 3,
    action: { labelAssociationAction: { labeled } },
  }),
  /** Whose message it is stays unsaid: both are always "0" (`BuildLabelMessage`). */
  'label.association_message': ({ labelId, chat, messageId, labeled }) => ({
    type: 'regular',
    index: ['label_message', labelId, nameOf(chat), messageId, '0', '0'],
    apiVersion: 3,
    action: { labelAssociationAction: { labeled } },
  }),
  'chat.pin': ({ chat, pinned }) => ({
    type: 'regular_low',
    index: ['pin_v1', nameOf(chat)],
    apiVersion: 5,
    action: { pinAction: { pinned } },
  }),
  /** Without an end it is for ever, -1 (`BuildMuteAbs`). Milliseconds. */
  'chat.mute': ({ chat, muted, mutedUntil }) => ({
    type: 'regular_high',
    index: ['mute', nameOf(chat)],
    apiVersion: 2,
    action: { muteAction: { muted, ...(muted ? { muteEndTimestamp: mutedUntil ?? -1 } : {}) } },
  }),
  'chat.archive': ({ chat, archived, ...counts }) => ({
    type: 'regular_low',
    index: ['archive', nameOf(chat)],
    apiVersion: 3,
    action: { archiveChatAction: { archived, messageRange: rangeOf(chat, counts) } },
  }),
  'chat.mark_as_read': ({ chat, read, ...counts }) => ({
    type: 'regular_low',
    index: ['markChatAsRead', nameOf(chat)],
    apiVersion: 3,
    action: { markChatAsReadAction: { read, messageRange: rangeOf(chat, counts) } },
  }),
  /** `["clearChat", chat, "1": starred messages too, "0": media stays]` (Baileys chat-utils.js, `clear`). */
  'chat.clear': ({ chat, keepsStarred, ...counts }) => ({
    type: 'regular_high',
    index: ['clearChat', nameOf(chat), keepsStarred ? '0' : '1', '0'],
    apiVersion: 6,
    action: { clearChatAction: { messageRange: rangeOf(chat, counts) } },
  }),
  /** `["deleteChat", chat, "1": media too]` (`BuildDeleteChat`). */
  'chat.delete': ({ chat, ...counts }) => ({
    type: 'regular_high',
    index: ['deleteChat', nameOf(chat), '1'],
    apiVersion: 6,
    action: { deleteChatAction: { messageRange: rangeOf(chat, counts) } },
  }),
  /**
   * By number, with the LID beside it (Baileys chat-utils.js, `contact`; sync-action-utils.js); who has no number that is
   * known stands under another word (whatsmeow appstate/keys.go IndexLIDContact). Names that are gone take the entry away.
   */
  'contact.changed': ({ contact: { jid, lid }, firstName, fullName }) => {
    const names = { fullName, firstName };
    return {
      type: 'critical_unblock_low',
      index: jid ? ['contact', jid] : ['lid_contact', lid ?? ''],
      apiVersion: 2,
      action: jid
        ? { contactAction: { ...names, lidJid: lid, saveOnPrimaryAddressbook: true } }
        : { lidContactAction: names },
      remove: (fullName ?? firstName) === null,
    };
  },
  /** Collection and index are zapo's (WaAppStateMutationCoordinator `setStatusPrivacy`), the index whatsmeow's as well. */
  'settings.status_privacy': ({ audience, people }) => ({
    type: 'regular_high',
    index: ['status_privacy'],
    apiVersion: 7,
    action: { statusPrivacy: { mode: STORY_MODES[audience], userJid: people.map(nameOf) } },
  }),
};

const { StatusDistributionMode } = proto.SyncActionValue.StatusPrivacyAction;
const STORY_MODES = {
  contacts: StatusDistributionMode.CONTACTS,
  whitelist: StatusDistributionMode.ALLOW_LIST,
  blacklist: StatusDistributionMode.DENY_LIST,
  close_friends: StatusDistributionMode.CLOSE_FRIENDS,
} as const;

/** Seconds. The keys are those of `BuildMarkChatAsRead` and its like (appstate/encode.go newMessageRange). */
function rangeOf(
  chat: Identity,
  { upTo, range }: { upTo: number | null; range: MessageRange },
): proto.SyncActionValue.ISyncActionMessageRange {
  const remoteJid = nameOf(chat);
  const messages = range.messages.map(({ id, fromMe, sender, timestamp }) => ({
    key: {
      remoteJid,
      fromMe,
      id,
      ...(isJidGroup(remoteJid) && !fromMe ? { participant: nameOf(sender) } : {}),
    },
    timestamp: Math.floor(timestamp / 1000),
  }));
  return { ...(upTo === null ? {} : { lastMessageTimestamp: Math.floor(upTo / 1000) }), messages };
}

/** `at` in milliseconds. */
export function accountPatch(change: AccountChange, at: number): WAPatchCreate {
  // Indexing with the name gives the builder of exactly this change, which the compiler cannot follow.
  const build = BUILDERS[change.name] as (change: AccountChange) => Patch;
  const { action, remove = false, ...patch } = build(change);
  const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation;
  return { ...patch, syncAction: { ...action, timestamp: at }, operation: remove ? REMOVE : SET };
}

function nameOf({ jid, lid }: Identity): string {
  return lid ?? jid ?? '';
}

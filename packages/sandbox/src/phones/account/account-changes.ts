import { type proto, QueryIds } from 'baileys';
import { type AddressBook, toJid } from '../address-book.ts';
import type { PhoneConnection } from '../connection.ts';
import type { Inbox } from '../inbox.ts';
import type { PhoneAppState } from './app-state.ts';
import { type AppStateChange, delimitedField } from './app-state-patch.ts';

/** A chat or person: a phone number, a JID, or anything with a JID. */
export type AccountTarget = string | { readonly jid: string };

/** Fields of SyncActionValue and of NctSaltSyncAction (WAWebProtobufSyncAction.proto). */
const NCT_SALT_SYNC = 80;
const SALT = 1;
/** By the number of StatusDistributionMode. */
const STORY_AUDIENCES = ['whitelist', 'blacklist', 'contacts'];

export interface LabelInput {
  /** WhatsApp Business numbers labels from 1. */
  readonly id: string;
  readonly name?: string;
  /** Index into the app's palette, 0–19. */
  readonly color?: number;
  readonly deleted?: boolean;
}

/** A label as the phone shows it. */
export interface PhoneLabel {
  readonly id: string;
  readonly name: string;
  readonly color: number;
  readonly chats: readonly string[];
  /** Chat and message id. */
  readonly messages: readonly (readonly [string, string])[];
}

/**
 * What a person does on the phone that its linked devices hear of: app state and channels.
 * Indices, collections and
 * versions are those that clients write (whatsmeow appstate/encode.go Build…, Baileys
 * chatModificationToAppPatch). Users are named by LID, as current phones do.
 */
export class AccountChanges {
  readonly #state: PhoneAppState;
  readonly #connection: PhoneConnection;
  readonly #book: AddressBook;
  readonly #inbox: Inbox;
  #named: Promise<void> | undefined;

  constructor(parts: {
    state: PhoneAppState;
    connection: PhoneConnection;
    book: AddressBook;
    inbox: Inbox;
  }) {
    this.#connection = parts.connection;
    this.#state = parts.state;
    this.#book = parts.book;
    this.#inbox = parts.inbox;
  }

  /** Writes any changes of one collection as they are, as one patch; many have them in a file. */
  write(...changes: readonly [AppStateChange, ...AppStateChange[]]): Promise<void> {
    return this.#state.write(...changes);
  }

  /**
   * The account's name is there before the first companion: it is how one learns by what name it announces
   * itself (whatsmeow presence.go SendPresence refuses without it).
   */
  nameOnce(name: string): Promise<void> {
    this.#named ??= this.setPushName(name);
    return this.#named;
  }

  async setPushName(name: string): Promise<void> {
    await this.#chat('critical_block', ['setting_pushName'], 1, { pushNameSetting: { name } });
  }

  /**
   * The secret by which companions prove that the account itself begins a chat; null takes it away (whatsmeow
   * appstate.go dispatchAppState; SyncActionValue.nctSaltSyncAction). In which collection phones write it is not known.
   */
  async setContactSecret(secret: Uint8Array | null): Promise<void> {
    const bytes = delimitedField(NCT_SALT_SYNC, secret ? delimitedField(SALT, secret) : new Uint8Array(0));
    const entry = {
      collection: 'regular_high',
      index: ['nct_salt_sync'],
      apiVersion: 1,
      action: {},
    } as const;
    await this.#state.write({ ...entry, bytes, remove: secret === null });
  }

  async pinChat(chat: AccountTarget, pinned = true): Promise<void> {
    await this.#chat('regular_low', ['pin_v1', await this.#jid(chat)], 5, { pinAction: { pinned } });
  }

  /** @param until milliseconds since the epoch; -1 (default) for ever, null to unmute */
  async muteChat(chat: AccountTarget, until: number | null = -1): Promise<void> {
    const muteAction = until === null ? { muted: false } : { muted: true, muteEndTimestamp: until };
    await this.#chat('regular_high', ['mute', await this.#jid(chat)], 2, { muteAction });
  }

  /** A chat that is archived is no longer pinned (whatsmeow appstate/encode.go BuildArchive). */
  async archiveChat(chat: AccountTarget, archived = true): Promise<void> {
    const jid = await this.#jid(chat);
    const collection = 'regular_low';
    const archiveChatAction = { archived, messageRange: this.#range(chat) };
    const archive = {
      collection,
      index: ['archive', jid],
      apiVersion: 3,
      action: { archiveChatAction },
    } as const;
    const unpinned = { pinAction: { pinned: false } };
    const unpin = { collection, index: ['pin_v1', jid], apiVersion: 5, action: unpinned } as const;
    await (archived ? this.#state.write(archive, unpin) : this.#state.write(archive));
  }

  async markChatRead(chat: AccountTarget, read = true): Promise<void> {
    const markChatAsReadAction = { read, messageRange: this.#range(chat) };
    await this.#chat('regular_low', ['markChatAsRead', await this.#jid(chat)], 3, { markChatAsReadAction });
  }

  async deleteChat(chat: AccountTarget): Promise<void> {
    const deleteChatAction = { messageRange: this.#range(chat) };
    await this.#chat('regular_high', ['deleteChat', await this.#jid(chat), '1'], 6, { deleteChatAction });
  }

  async clearChat(chat: AccountTarget): Promise<void> {
    const clearChatAction = { messageRange: this.#range(chat) };
    await this.#chat('regular_high', ['clearChat', await this.#jid(chat), '1', '0'], 6, { clearChatAction });
  }

  /** Deletes a message on the account's own devices only. It must be known to the phone. */
  async deleteForMe(id: string): Promise<void> {
    const { message, index } = await this.#message('deleteMessageForMe', id);
    const deleteMessageForMeAction = { deleteMedia: false, messageTimestamp: message.timestamp };
    await this.#chat('regular_high', index, 3, { deleteMessageForMeAction });
  }

  /** Stars a message that the phone knows, or takes the star away. */
  async starMessage(id: string, starred = true): Promise<void> {
    const { index } = await this.#message('star', id);
    await this.#chat('regular_high', index, 2, { starAction: { starred } });
  }

  /** Indices of the starred messages, whichever device starred them: `['star', chat, id, fromMe, author]`. */
  async stars(): Promise<(readonly string[])[]> {
    const entries = await this.#state.entries('regular_high');
    return entries.flatMap(({ index, action }) =>
      index[0] === 'star' && action.starAction?.starred ? [index] : [],
    );
  }

  /** The labels that there are, and what they are on by app state's names, whichever device put them there. */
  async labels(): Promise<PhoneLabel[]> {
    const entries = await this.#state.entries('regular');
    const labels = entries.flatMap(({ index: [kind, id = ''], action: { labelEditAction: label } }) =>
      kind === 'label_edit' && label && !label.deleted
        ? [{ id, name: label.name ?? '', color: label.color ?? 0 }]
        : [],
    );
    const marks = entries.filter(({ action }) => action.labelAssociationAction?.labeled);
    return labels.map((label) => {
      const of = (kind: string) =>
        marks.flatMap(({ index }) => (index[0] === kind && index[1] === label.id ? [index] : []));
      return {
        ...label,
        chats: of('label_jid').map(([, , chat = '']) => chat),
        messages: of('label_message').map(([, , chat = '', message = '']) => [chat, message]),
      };
    });
  }

  /** What a collection of the account's state says by now, whichever device wrote it. */
  entries(
    collection: AppStateChange['collection'],
  ): Promise<{ index: readonly string[]; action: proto.ISyncActionValue }[]> {
    return this.#state.entries(collection);
  }

  /** The chats that are pinned, whichever device pinned them. */
  async pins(): Promise<string[]> {
    const entries = await this.#state.entries('regular_low');
    return entries.flatMap(({ index: [kind, jid], action }) =>
      kind === 'pin_v1' && jid && action.pinAction?.pinned ? [jid] : [],
    );
  }

  /** How app state names a message: chat, id, whether it is ours, and its author in a group. */
  async #message(kind: string, id: string) {
    const message = this.#inbox.find(id);
    if (!message) throw new Error(`this phone knows no message ${id}`);
    const group = message.chat.endsWith('@g.us');
    const author = group && !message.fromMe ? (this.#book.knownLid(message.from) ?? message.from) : '0';
    return { message, index: [kind, await this.#jid(message.chat), id, message.fromMe ? '1' : '0', author] };
  }

  /** The address book by number, whichever device wrote it. */
  async contacts(): Promise<Record<string, { fullName: string | null; firstName: string | null }>> {
    const entries = await this.#state.entries('critical_unblock_low');
    const contacts = entries.flatMap(({ index: [kind, jid], action: { contactAction } }) =>
      kind === 'contact' && jid && contactAction
        ? [
            [
              jid,
              { fullName: contactAction.fullName ?? null, firstName: contactAction.firstName ?? null },
            ] as const,
          ]
        : [],
    );
    return Object.fromEntries(contacts);
  }

  /** Saves a contact in the address book. */
  async saveContact(person: AccountTarget, fullName: string, firstName?: string): Promise<void> {
    const lidJid = await this.#book.lid(jidOf(person));
    const contactAction = {
      fullName,
      ...(firstName === undefined ? {} : { firstName }),
      lidJid,
      saveOnPrimaryAddressbook: true,
    };
    await this.#chat('critical_unblock_low', ['contact', this.#book.canonical(jidOf(person))], 2, {
      contactAction,
    });
  }

  /** Saves many people at once, whether or not they have accounts. */
  async importContacts(
    people: readonly { readonly jid: string; readonly lid?: string; readonly fullName: string }[],
  ): Promise<void> {
    const [first, ...others] = people.map(({ jid, lid, fullName }): AppStateChange => {
      const contactAction = { fullName, ...(lid ? { lidJid: lid } : {}), saveOnPrimaryAddressbook: true };
      const action = { contactAction };
      return { collection: 'critical_unblock_low', index: ['contact', jid], apiVersion: 2, action };
    });
    if (first) await this.#state.write(first, ...others);
  }

  async removeContact(person: AccountTarget): Promise<void> {
    await this.#state.write({
      collection: 'critical_unblock_low',
      index: ['contact', this.#book.canonical(jidOf(person))],
      apiVersion: 2,
      action: { contactAction: {} },
      remove: true,
    });
  }

  async setUnarchiveChats(unarchiveChats: boolean): Promise<void> {
    const action = { unarchiveChatsSetting: { unarchiveChats } };
    await this.#chat('regular_low', ['setting_unarchiveChats'], 4, action);
  }

  /** Hides or shows a person's status posts. */
  async muteStatusOf(person: AccountTarget, muted = true): Promise<void> {
    const index = ['userStatusMute', await this.#jid(person)];
    await this.#chat('regular_high', index, 7, { userStatusMuteAction: { muted } });
  }

  async editLabel({ id, ...labelEditAction }: LabelInput): Promise<void> {
    await this.#chat('regular', ['label_edit', id], 3, { labelEditAction });
  }

  async labelChat(chat: AccountTarget, labelId: string, labeled = true): Promise<void> {
    const index = ['label_jid', labelId, await this.#jid(chat)];
    await this.#chat('regular', index, 3, { labelAssociationAction: { labeled } });
  }

  async labelMessage(chat: AccountTarget, messageId: string, labelId: string, labeled = true): Promise<void> {
    const index = ['label_message', labelId, await this.#jid(chat), messageId, '0', '0'];
    await this.#chat('regular', index, 3, { labelAssociationAction: { labeled } });
  }

  followNewsletter(newsletter: AccountTarget): Promise<void> {
    return this.#mex(QueryIds.FOLLOW, newsletter);
  }

  unfollowNewsletter(newsletter: AccountTarget): Promise<void> {
    return this.#mex(QueryIds.UNFOLLOW, newsletter);
  }

  muteNewsletter(newsletter: AccountTarget, muted = true): Promise<void> {
    return this.#mex(muted ? QueryIds.MUTE : QueryIds.UNMUTE, newsletter);
  }

  /**
   * A companion may have chosen who sees the account's stories. The server cannot read the account's state: the
   * phone tells it.
   */
  async tellStoryPrivacy(): Promise<void> {
    const entries = await this.#state.entries('regular_high');
    const chosen = entries.find(({ index }) => index[0] === 'status_privacy')?.action.statusPrivacy;
    if (!chosen) return;
    const type = STORY_AUDIENCES[chosen.mode ?? 0] ?? 'contacts';
    const users = (chosen.userJid ?? []).map((jid) => ({ tag: 'user', attrs: { jid } }));
    await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'status' },
      content: [{ tag: 'privacy', attrs: {}, content: [{ tag: 'list', attrs: { type }, content: users }] }],
    });
  }

  async #mex(queryId: string, newsletter: AccountTarget): Promise<void> {
    const body = { variables: { newsletter_id: jidOf(newsletter) } };
    await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:mex' },
      content: [{ tag: 'query', attrs: { query_id: queryId }, content: Buffer.from(JSON.stringify(body)) }],
    });
  }

  #chat(
    collection: AppStateChange['collection'],
    index: readonly string[],
    apiVersion: number,
    action: proto.ISyncActionValue,
  ): Promise<void> {
    return this.#state.write({ collection, index, apiVersion, action });
  }

  async #jid(target: AccountTarget): Promise<string> {
    const jid = jidOf(target);
    return jid.endsWith('@s.whatsapp.net') ? toJid(await this.#book.lid(jid)) : jid;
  }

  /** Up to which message the change counts. */
  #range(chat: AccountTarget): proto.SyncActionValue.ISyncActionMessageRange {
    const wanted = this.#book.canonical(jidOf(chat));
    const last = this.#inbox.all().findLast((message) => this.#book.canonical(message.chat) === wanted);
    return last ? { lastMessageTimestamp: last.timestamp } : {};
  }
}

function jidOf(target: AccountTarget): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}

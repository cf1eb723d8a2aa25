/** What is written in the list of chats, always in the transaction of its cause. */
import { type Insertable, sql, type Transaction, type Updateable } from 'kysely';
import { type Holder, holderOf } from '../identity/holder.ts';
import { NOT_SHOWN } from '../messages/shown-kinds.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import { chatOf } from '../messages/stored-message.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { ChatsTable } from '../storage/tables/chat-tables.ts';
import type { HistoryChat } from '../whatsapp/port/history.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { isPast } from '../whatsapp/port/messages.ts';
import { type ChatDevice, DELETED, isListable, LISTED } from './chat.ts';
import type { ListedNames } from './chat-names.ts';

/** Characters of a name; the apps take 25 for a person and 100 for a group. */
export const LONGEST_NAME = 300;

/** Unread messages that are counted; apps show "99+" long before. */
const MOST_COUNTED = 1000;

export class ChatWrites {
  readonly #names: ListedNames;

  constructor(names: ListedNames) {
    this.#names = names;
  }

  /** A message that a chat shows. What history brings is counted by the phone. */
  async message(trx: Transaction<Database>, device: ChatDevice, message: StoredMessage): Promise<void> {
    if (NOT_SHOWN.includes(message.kind) || !isListable(message.chatJid)) return;
    const holder = holderOf(device);
    const name = await this.#names.nameOf(trx, holder, chatOf(message));
    if (!name) return;
    const counts = !message.fromMe && !isPast(message.source);
    const told = !message.fromMe && !message.isGroup ? message.pushName : null;
    await TOUCH.run(trx, {
      ...holder,
      ...name,
      push_name: told,
      last_at: message.timestamp,
      unread_count: counts ? 1 : 0,
    });
  }

  /** Sets what was told of a chat. `listed`: it makes the chat one of the list. */
  async set(
    trx: Transaction<Database>,
    device: ChatDevice,
    chat: Identity,
    change: Updateable<ChatsTable>,
  ): Promise<void> {
    const holder = holderOf(device);
    const name = await this.#listable(trx, holder, chat);
    if (!name) return;
    await trx
      .insertInto('chats')
      .values({ ...holder, ...name, ...(change as Partial<Insertable<ChatsTable>>) })
      .onConflict((conflict) => conflict.columns(['device_id', 'account', 'chat']).doUpdateSet(change))
      .execute();
  }

  /** As `set`, where something is known of the chat already. */
  async change(
    trx: Transaction<Database>,
    device: ChatDevice,
    chat: Identity,
    change: Updateable<ChatsTable>,
  ): Promise<void> {
    const holder = holderOf(device);
    const name = await this.#listable(trx, holder, chat);
    if (!name) return;
    await rowsOf(trx, holder).set(change).where('chat', '=', name.chat).execute();
  }

  /** What the account set for chats is told anew. */
  async changeAll(
    trx: Transaction<Database>,
    device: ChatDevice,
    change: Updateable<ChatsTable>,
  ): Promise<void> {
    await rowsOf(trx, holderOf(device)).set(change).execute();
  }

  /** What was written until `at` is read: what came later is what is unread. */
  async read(trx: Transaction<Database>, device: ChatDevice, chat: Identity, at: number): Promise<void> {
    const holder = holderOf(device);
    const name = await this.#listable(trx, holder, chat);
    if (!name) return;
    const later = await shownAfter(trx, holder, name.chat, at)
      .select('id')
      .where('from_me', '=', 0)
      .where('source', 'not in', ['history', 'shared'])
      .limit(MOST_COUNTED)
      .execute();
    await rowsOf(trx, holder)
      .set({ read_at: at, unread_count: later.length, marked_unread: 0 })
      .where('chat', '=', name.chat)
      .where('read_at', '<=', at)
      .execute();
  }

  /** A chat that is deleted is in the list no more, unless something was written in it after `at`. */
  async remove(trx: Transaction<Database>, device: ChatDevice, chat: Identity, at: number): Promise<void> {
    const holder = holderOf(device);
    const name = await this.#listable(trx, holder, chat);
    if (!name) return;
    const newest = await shownAfter(trx, holder, name.chat, at)
      .select('timestamp')
      .orderBy('timestamp', 'desc')
      .limit(1)
      .executeTakeFirst();
    const last_at = newest?.timestamp ?? 0;
    const settings = { pinned_at: null, archived_at: null, marked_unread: 0 };
    await rowsOf(trx, holder)
      .set({ ...settings, last_at, listed: newest ? LISTED : DELETED })
      .where('chat', '=', name.chat)
      .execute();
  }

  /** How the chat stands on the phone. What was told since by the account's state, and by messages, stays. */
  async past(trx: Transaction<Database>, device: ChatDevice, told: HistoryChat, now: number): Promise<void> {
    const holder = holderOf(device);
    const name = await this.#listable(trx, holder, told.chat);
    if (!name) return;
    const complete = told.archived !== null;
    const last = told.lastAt ?? 0;
    const unread = told.unreadCount ?? 0;
    await trx
      .insertInto('chats')
      .values({
        ...holder,
        ...name,
        name: told.name?.slice(0, LONGEST_NAME) ?? null,
        pinned_at: told.pinned ? now : null,
        archived_at: told.archived ? Math.max(last, now) : null,
        muted: told.muted ? 1 : 0,
        muted_until: told.mutedUntil,
        marked_unread: told.markedUnread ? 1 : 0,
        unread_count: unread,
        last_at: last,
        listed: LISTED,
        told_at: complete ? now : null,
      })
      .onConflict((conflict) =>
        conflict.columns(['device_id', 'account', 'chat']).doUpdateSet((eb) => ({
          name: eb.fn.coalesce('chats.name', 'excluded.name'),
          last_at: sql<number>`case when chats.last_at < excluded.last_at then excluded.last_at else chats.last_at end`,
          unread_count: sql<number>`chats.unread_count + case when chats.told_at is null then excluded.unread_count else 0 end`,
          marked_unread: sql<number>`case when chats.told_at is null and chats.read_at = 0 and excluded.marked_unread = 1 then 1 else chats.marked_unread end`,
          told_at: eb.fn.coalesce('chats.told_at', 'excluded.told_at'),
          listed: LISTED,
        })),
      )
      .execute();
  }

  async #listable(trx: Transaction<Database>, holder: Holder, chat: Identity) {
    const name = await this.#names.nameOf(trx, holder, chat);
    return name && isListable(name.chat) ? name : null;
  }
}

function shownAfter(trx: Transaction<Database>, holder: Holder, chat: string, at: number) {
  return (
    trx
      .selectFrom('messages')
      .where(checkedTenant(holder.tenant_id))
      .where('device_id', '=', holder.device_id)
      .where('chat_jid', '=', chat)
      .where('timestamp', '>', at)
      .where('hidden_at', 'is', null)
      .where('kind', 'not in', NOT_SHOWN)
      // Another account's messages are not this one's.
      .where((is) => is.or([is('account_jid', 'is', null), is('account_jid', '=', holder.account)]))
  );
}

function rowsOf(trx: Transaction<Database>, holder: Holder) {
  return trx
    .updateTable('chats')
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account);
}

interface Touch extends Holder {
  chat: string;
  lid: string | null;
  push_name: string | null;
  last_at: number;
  unread_count: number;
}

/** Once for every message that is stored. */
const TOUCH = new HotQuery<Touch, unknown>((db, touch) =>
  db
    .insertInto('chats')
    .values({
      tenant_id: touch.tenant_id,
      device_id: touch.device_id,
      account: touch.account,
      chat: touch.chat,
      lid: touch.lid,
      push_name: touch.push_name,
      last_at: touch.last_at,
      unread_count: touch.unread_count,
      listed: LISTED,
    })
    .onConflict((conflict) =>
      conflict.columns(['device_id', 'account', 'chat']).doUpdateSet((eb) => ({
        lid: eb.fn.coalesce('excluded.lid', 'chats.lid'),
        push_name: eb.fn.coalesce('excluded.push_name', 'chats.push_name'),
        last_at: sql<number>`case when chats.last_at < excluded.last_at then excluded.last_at else chats.last_at end`,
        unread_count: sql<number>`chats.unread_count + case when excluded.last_at > chats.read_at then excluded.unread_count else 0 end`,
        listed: LISTED,
      })),
    ),
);

/** One person is one chat of the list: what was kept under the LID alone goes under the number once that is known. */
import type { Selectable, Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Holder } from '../identity/holder.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { ChatsTable } from '../storage/tables/chat-tables.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { LISTED } from './chat.ts';

const MOST_REMEMBERED = 50_000;

export class ListedNames {
  /** Chats of which nothing is kept under the LID, as far as is committed. */
  readonly #joined = new LRUCache<string, true>({ max: MOST_REMEMBERED });
  /** Transactions in which something was moved: what they find may be their own, and be rolled back. */
  readonly #moving = new WeakSet<Transaction<Database>>();

  /**
   * The name that the chat has in the table, null for none; what is kept of it under its LID is moved there first.
   */
  async nameOf(
    trx: Transaction<Database>,
    holder: Holder,
    { jid, lid }: Identity,
  ): Promise<{ chat: string; lid: string | null } | null> {
    const key = `${holder.device_id} ${holder.account} ${lid}`;
    if (jid === null && lid === null) return null;
    if (lid === null) return { chat: jid ?? '', lid: null };
    if (jid === null) {
      const [known] = await BY_LID.rows(trx, { ...holder, lid });
      if (known) return { chat: known.chat, lid };
      this.#joined.delete(key);
      return { chat: lid, lid: null };
    }
    if (!this.#joined.has(key)) {
      if (await join(trx, holder, { jid, lid })) this.#moving.add(trx);
      else if (!this.#moving.has(trx)) this.#joined.set(key, true);
    }
    return { chat: jid, lid };
  }
}

/** What was told of it last counts. False when there was nothing under the LID. */
async function join(
  trx: Transaction<Database>,
  holder: Holder,
  { jid, lid }: { jid: string; lid: string },
): Promise<boolean> {
  const rows = await BOTH.rows(trx, { ...holder, jid, lid });
  const under = rows.find(({ chat }) => chat === lid);
  if (!under) return false;
  const at = rows.find(({ chat }) => chat === jid);
  const mine = trx
    .updateTable('chats')
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account);
  if (!at) {
    await mine.set({ chat: jid, lid }).where('chat', '=', lid).execute();
    return true;
  }
  const { name, push_name, pinned_at, archived_at, muted, muted_until, told_at } = under;
  await mine
    .set({
      lid,
      name: at.name ?? name,
      push_name: at.push_name ?? push_name,
      pinned_at: at.pinned_at ?? pinned_at,
      archived_at: at.archived_at ?? archived_at,
      muted: Math.max(at.muted, muted),
      muted_until: at.muted === 1 ? at.muted_until : muted_until,
      stories_muted: Math.max(at.stories_muted, under.stories_muted),
      marked_unread: Math.max(at.marked_unread, under.marked_unread),
      unread_count: at.unread_count + under.unread_count,
      read_at: Math.max(at.read_at, under.read_at),
      last_at: Math.max(at.last_at, under.last_at),
      listed: at.listed === LISTED ? LISTED : under.listed,
      told_at: at.told_at ?? told_at,
      clear_to: Math.max(at.clear_to, under.clear_to),
    })
    .where('chat', '=', jid)
    .execute();
  await trx
    .deleteFrom('chats')
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('chat', '=', lid)
    .execute();
  return true;
}

const BY_LID = new HotQuery<Holder & { lid: string }, { chat: string }>(
  (db, { tenant_id, device_id, account, lid }) =>
    db
      .selectFrom('chats')
      .select('chat')
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where('lid', '=', lid)
      .limit(1),
);

const BOTH = new HotQuery<Holder & { jid: string; lid: string }, Selectable<ChatsTable>>(
  (db, { tenant_id, device_id, account, jid, lid }) =>
    db
      .selectFrom('chats')
      .selectAll()
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where((is) => is('chat', 'in', [jid, lid])),
);

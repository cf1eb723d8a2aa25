/** The statements on the stories of contacts. Another account on the same device sees none of them. */
import { type Kysely, sql } from 'kysely';
import { holderOf } from '../identity/holder.ts';
import { canonicalJid, sameIdentity } from '../identity/jid.ts';
import { NOT_READ } from '../messages/shown-kinds.ts';
import { type MessageDevice, type StoredMessage, senderIdentity } from '../messages/stored-message.ts';
import { checked, checkedTenant, storingOrder } from '../storage/narrowing.ts';
import { chunks } from '../storage/row-chunks.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';

/** A story that somebody else posted, as far as the list needs to know it. */
export interface PostedByContact {
  rowId: string;
  /** Canonical. */
  author: Jid;
  /** Milliseconds. */
  at: number;
}

/** What the account's devices show of a contact. */
export interface KnownContact {
  name: string | null;
  /** Its stories are not shown among the others. */
  muted: boolean;
}

/** The newest that are looked at for one answer: a busy account has some hundreds a day. */
const MOST_STORIES = 5_000;

export class InboxStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Those of the account's contacts that stand, posted at `since` or later, the newest first. */
  async posted(device: MessageDevice, since: number, by?: readonly Jid[]): Promise<PostedByContact[]> {
    const rows = await this.#db
      .selectFrom('messages')
      .select(['id', 'sender_jid', 'timestamp'])
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where(isStory)
      .where('timestamp', '>=', since)
      .where('from_me', '=', 0)
      .where('account_jid', '=', canonicalJid(device))
      .where('revoked_at', 'is', null)
      .where('hidden_at', 'is', null)
      .where('kind', 'not in', NOT_READ)
      .$if(by !== undefined, (query) => query.where('sender_jid', 'in', by ?? []))
      .orderBy('timestamp', 'desc')
      // WhatsApp's times are whole seconds: which of two is the newer one, the order of storing says.
      .orderBy(storingOrder(), 'desc')
      .limit(MOST_STORIES)
      .execute();
    return rows.map(({ id, sender_jid, timestamp }) => ({ rowId: id, author: sender_jid, at: timestamp }));
  }

  /** The names that authors have in the table, for any that the caller may have used: their LIDs among them. */
  async authorsNamed(device: MessageDevice, names: readonly Jid[]): Promise<Jid[]> {
    const rows = await this.#db
      .selectFrom('chats')
      .select('chat')
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where('account', '=', holderOf(device).account)
      .where('lid', 'in', names)
      .execute();
    return [...names, ...rows.map(({ chat }) => chat)];
  }

  /** When each of the device's stories was seen, of those posted at `since` or later, by our own ids. */
  async seenSince({ tenantId, id }: MessageDevice, since: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#db
      .selectFrom('seen_stories')
      .select(['message_row_id', 'seen_at'])
      .where(checkedTenant(tenantId))
      .where('device_id', '=', id)
      .where('posted_at', '>=', since)
      .orderBy('posted_at', 'desc')
      .limit(MOST_STORIES)
      .execute();
    return new Map(rows.map((row) => [row.message_row_id, row.seen_at]));
  }

  async seenAt({ tenantId, rowId }: Pick<StoredMessage, 'tenantId' | 'rowId'>): Promise<number | null> {
    const row = await this.#db
      .selectFrom('seen_stories')
      .select('seen_at')
      .where(checkedTenant(tenantId))
      .where('message_row_id', '=', rowId)
      .executeTakeFirst();
    return row?.seen_at ?? null;
  }

  /** Notes that it was seen, unless it was before. */
  async see(story: StoredMessage, at: number): Promise<void> {
    await this.#db
      .insertInto('seen_stories')
      .values({
        message_row_id: story.rowId,
        tenant_id: story.tenantId,
        device_id: story.deviceId,
        posted_at: story.timestamp,
        seen_at: at,
      })
      .onConflict((conflict) => conflict.column('message_row_id').doNothing())
      .execute();
  }

  /** Another device of the account looked at stories; `author` where it says whose. */
  async sawElsewhere(
    device: MessageDevice,
    { messageIds, author }: { messageIds: readonly string[]; author: Identity | null },
    at: number,
  ): Promise<void> {
    for (const ids of chunks(messageIds)) {
      const rows = await this.#db
        .selectFrom('messages')
        .select(['id', 'timestamp', 'sender_jid', 'sender_lid'])
        .where('tenant_id', '=', device.tenantId)
        .where('message_id', 'in', ids)
        .where(checked('device_id', device.id))
        .where(checked('chat_jid', 'status@broadcast'))
        .where(sql<boolean>`from_me + 0 = 0`)
        .execute();
      const seen = rows.filter((row) => author === null || sameIdentity(senderIdentity(row), author));
      if (seen.length === 0) continue;
      await this.#db
        .insertInto('seen_stories')
        .values(
          seen.map((row) => ({
            message_row_id: row.id,
            tenant_id: device.tenantId,
            device_id: device.id,
            posted_at: row.timestamp,
            seen_at: at,
          })),
        )
        .onConflict((conflict) => conflict.column('message_row_id').doNothing())
        .execute();
    }
  }

  /** How the account's devices show the people, by their canonical names. */
  async known(device: MessageDevice, people: readonly Jid[]): Promise<ReadonlyMap<Jid, KnownContact>> {
    const found = new Map<Jid, KnownContact>();
    for (const names of chunks(people)) {
      const rows = await this.#db
        .selectFrom('chats')
        .select(['chat', 'name', 'stories_muted'])
        .where(checkedTenant(device.tenantId))
        .where('device_id', '=', device.id)
        .where('account', '=', holderOf(device).account)
        .where('chat', 'in', names)
        .execute();
      for (const row of rows) found.set(row.chat, { name: row.name, muted: row.stories_muted === 1 });
    }
    return found;
  }
}

/** As the index on stories says it; see migration 0063. */
const isStory = sql<boolean>`chat_jid = 'status@broadcast'`;

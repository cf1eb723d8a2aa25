/** What is stored of an account's chats. Another account on the same device sees none of it. */
import { type ExpressionBuilder, type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { type Holder, holderOf } from '../identity/holder.ts';
import { NOT_SHOWN } from '../messages/shown-kinds.ts';
import { STORED_COLUMNS, type StoredMessage, storedMessage } from '../messages/stored-message.ts';
import { folded } from '../storage/folded-text.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import { pageOf, readTimedCursor, timedCursor } from '../storage/page-cursor.ts';
import { chunks } from '../storage/row-chunks.ts';
import type { Database } from '../storage/schema.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import { type Chat, type ChatDevice, type ChatRow, chatFromRow, LISTED, NOT_LISTED } from './chat.ts';

export interface ChatFilter {
  /** Part of the name or number, case and accents aside. */
  q?: string | undefined;
  unread?: boolean | undefined;
  archived?: boolean | undefined;
  pinned?: boolean | undefined;
  muted?: boolean | undefined;
  groups?: boolean | undefined;
  /** Id of a label that is on the chat. */
  label?: string | undefined;
  cursor?: string | undefined;
  /** Undefined: all of them. */
  limit?: number | undefined;
}

export interface ChatPage {
  chats: Chat[];
  nextCursor: string | null;
}

/** So many digits are taken for part of a number. */
const LEAST_DIGITS = 3;
/** What is muted for ever has no end. */
const MAX_TIME = Number.MAX_SAFE_INTEGER;

/** Rows of one query where names are looked through. */
const ROWS_AT_ONCE = 500;

export class ChatStore {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;

  constructor(parts: { db: Kysely<Database>; clock: Clock }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
  }

  /** The newest written in first. Throws VALIDATION_ERROR for a cursor that is none. */
  async list(device: ChatDevice, filter: ChatFilter): Promise<ChatPage> {
    const holder = holderOf(device);
    await this.#addGroups(holder);
    const unarchives = await this.#unarchives(holder);
    const known = { now: this.#clock.now(), unarchives };
    const wanted = filter.q === undefined ? () => true : matcher(filter.q);
    const { limit } = filter;
    // One more than asked for tells whether there is another page.
    const most = limit === undefined ? Number.POSITIVE_INFINITY : limit + 1;
    const found: ChatRow[] = [];
    let cursor = filter.cursor === undefined ? null : readTimedCursor(filter.cursor);
    for (;;) {
      const atOnce = filter.q === undefined && limit !== undefined ? limit + 1 : ROWS_AT_ONCE;
      const rows = await this.#rows(holder, { ...filter, unarchives }, cursor, atOnce);
      found.push(...rows.filter((row) => wanted(row)));
      const last = rows.at(-1);
      if (!last || rows.length < atOnce || found.length >= most) break;
      cursor = { at: last.last_at, name: last.chat };
    }
    const { page, last } = pageOf(found, limit);
    return {
      chats: page.map((row) => chatFromRow(row, known)),
      nextCursor: last && timedCursor({ at: last.last_at, name: last.chat }),
    };
  }

  /** The chat that goes by one of the names; null when nothing is known of it. */
  async find(device: ChatDevice, names: readonly Jid[]): Promise<Chat | null> {
    const holder = holderOf(device);
    await this.#addGroups(holder);
    const row =
      (await this.#named(holder, 'chats.chat', names)) ?? (await this.#named(holder, 'chats.lid', names));
    if (!row) return null;
    return chatFromRow(row, { now: this.#clock.now(), unarchives: await this.#unarchives(holder) });
  }

  /** Of two spellings of a number the given one, which is the first, counts. */
  async #named(
    holder: Holder,
    column: 'chats.chat' | 'chats.lid',
    names: readonly Jid[],
  ): Promise<ChatRow | undefined> {
    const rows = await this.#base(holder).where(column, 'in', names).execute();
    return rows.sort((a, b) => names.indexOf(a.chat) - names.indexOf(b.chat))[0];
  }

  /** The newest messages of chats, by our own ids of them. */
  async lastMessages(
    { tenantId }: ChatDevice,
    chats: readonly Chat[],
  ): Promise<ReadonlyMap<string, StoredMessage>> {
    const found = new Map<string, StoredMessage>();
    for (const ids of chunks(chats.flatMap(({ lastRowId }) => lastRowId ?? []))) {
      const rows = await this.#db
        .selectFrom('messages')
        .select(STORED_COLUMNS)
        .where(checkedTenant(tenantId))
        .where('id', 'in', ids)
        .execute();
      for (const row of rows) found.set(row.id, storedMessage(row));
    }
    return found;
  }

  async #rows(
    holder: Holder,
    filter: ChatFilter & { unarchives: boolean },
    cursor: { at: number; name: string } | null,
    limit: number,
  ): Promise<ChatRow[]> {
    let query = this.#base(holder).where('chats.listed', '=', LISTED);
    if (filter.groups !== undefined) {
      query = query.where('chats.chat', filter.groups ? 'like' : 'not like', '%@g.us');
    }
    if (filter.pinned !== undefined) {
      query = query.where('chats.pinned_at', filter.pinned ? 'is not' : 'is', null);
    }
    const { label } = filter;
    if (label !== undefined) query = query.where((eb) => eb.exists(mark(eb, label)));
    const conditions: [boolean | undefined, RawBuilder<SqlBool>][] = [
      [filter.unread, sql`(chats.unread_count > 0 or chats.marked_unread = 1)`],
      [filter.archived, archivedNow(filter.unarchives)],
      [
        filter.muted,
        sql`(chats.muted = 1 and coalesce(chats.muted_until, ${MAX_TIME}) > ${this.#clock.now()})`,
      ],
    ];
    for (const [wanted, condition] of conditions) {
      if (wanted !== undefined) query = query.where(wanted ? condition : sql<SqlBool>`not ${condition}`);
    }
    if (cursor) {
      query = query.where((is) =>
        is.or([
          is('chats.last_at', '<', cursor.at),
          is.and([is('chats.last_at', '=', cursor.at), is('chats.chat', '<', cursor.name)]),
        ]),
      );
    }
    return query.orderBy('chats.last_at', 'desc').orderBy('chats.chat', 'desc').limit(limit).execute();
  }

  #base(holder: Holder) {
    return this.#db
      .selectFrom('chats')
      .leftJoin('groups', (join) =>
        join
          .onRef('groups.device_id', '=', 'chats.device_id')
          .onRef('groups.account', '=', 'chats.account')
          .onRef('groups.jid', '=', 'chats.chat'),
      )
      .selectAll('chats')
      .select(['groups.subject', 'groups.size', (eb) => newestShown(eb).as('last_id')])
      .where(sql<SqlBool>`chats.tenant_id || '' = ${holder.tenant_id}`)
      .where('chats.device_id', '=', holder.device_id)
      .where('chats.account', '=', holder.account);
  }

  /** Groups of the account in which nothing was written yet are chats too; one that was deleted is not. */
  async #addGroups(holder: Holder): Promise<void> {
    const missing = await this.#db
      .selectFrom('groups')
      .leftJoin('chats', (join) =>
        join
          .onRef('chats.device_id', '=', 'groups.device_id')
          .onRef('chats.account', '=', 'groups.account')
          .onRef('chats.chat', '=', 'groups.jid'),
      )
      .select('groups.jid')
      .where(sql<SqlBool>`groups.tenant_id || '' = ${holder.tenant_id}`)
      .where('groups.device_id', '=', holder.device_id)
      .where('groups.account', '=', holder.account)
      .where('groups.membership', '=', 'member')
      .where(sql<SqlBool>`coalesce(chats.listed, ${NOT_LISTED}) = ${NOT_LISTED}`)
      .execute();
    for (const part of chunks(missing)) {
      await this.#db
        .insertInto('chats')
        .values(part.map(({ jid }) => ({ ...holder, chat: jid, listed: LISTED })))
        .onConflict((conflict) =>
          conflict.columns(['device_id', 'account', 'chat']).doUpdateSet({ listed: LISTED }),
        )
        .execute();
    }
  }

  async #unarchives({ tenant_id, device_id, account }: Holder): Promise<boolean> {
    const row = await this.#db
      .selectFrom('chat_settings')
      .select('unarchive')
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .executeTakeFirst();
    return row?.unarchive === 1;
  }
}

/** The newest message that a chat shows. */
function newestShown(eb: ExpressionBuilder<Database, 'chats'>) {
  return eb
    .selectFrom('messages')
    .select('messages.id')
    .whereRef('messages.device_id', '=', 'chats.device_id')
    .whereRef('messages.chat_jid', '=', 'chats.chat')
    .where('messages.hidden_at', 'is', null)
    .where('messages.kind', 'not in', NOT_SHOWN)
    .where((is) =>
      is.or([
        is('messages.account_jid', 'is', null),
        is('messages.account_jid', '=', is.ref('chats.account')),
      ]),
    )
    .orderBy('messages.timestamp', 'desc')
    .orderBy('messages.created_at', 'desc')
    .orderBy('messages.id', 'desc')
    .limit(1);
}

/** The mark of a label on the chat itself; those on its messages have an id. */
function mark(eb: ExpressionBuilder<Database, 'chats'>, label: string) {
  return eb
    .selectFrom('label_marks')
    .select('label_marks.id')
    .whereRef('label_marks.device_id', '=', 'chats.device_id')
    .whereRef('label_marks.account', '=', 'chats.account')
    .whereRef('label_marks.chat_jid', '=', 'chats.chat')
    .where('label_marks.label_id', '=', label)
    .where('label_marks.message_id', '=', '');
}

function archivedNow(unarchives: boolean): RawBuilder<SqlBool> {
  return unarchives
    ? sql`(chats.archived_at is not null and chats.last_at <= chats.archived_at)`
    : sql`(chats.archived_at is not null)`;
}

/** Whether the name or number of a chat contains the words. */
function matcher(q: string): (row: ChatRow) => boolean {
  const wanted = folded(q.trim());
  const digits = q.replace(/\D/g, '');
  return ({ subject, name, push_name, chat }) =>
    [subject, name, push_name].some((each) => each !== null && folded(each).includes(wanted)) ||
    (digits.length >= LEAST_DIGITS && chat.split('@')[0]?.includes(digits) === true);
}

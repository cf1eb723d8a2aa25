/** Full-text search with FTS5 (https://sqlite.org/fts5.html). Its tables are made by migration 0014. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { MessageKind } from '../../whatsapp/port/content.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import { numberCursor, pageOf, readNumberCursor } from '../page-cursor.ts';
import type { Database } from '../schema.ts';
import type { MessageSearch, SearchQuery, SearchTerm } from '../search.ts';

/** Numbers of the index per second: a message's is that of its second and its place within it; 53 bits in all. */
const ROWS_PER_SECOND = 2 ** 22;

/** Some four milliseconds, in which nothing else is written; up to 90 when FTS5 merges its segments. */
const BATCH = 200;

export class SqliteSearch implements MessageSearch {
  readonly #db: Kysely<Database>;
  readonly #deferred: Kysely<Database>;

  /** `deferred`: the same database, whose commits do not wait for the disk. */
  constructor(db: Kysely<Database>, deferred: Kysely<Database>) {
    this.#db = db;
    this.#deferred = deferred;
  }

  /** Everything but the time, which is the order of the index, is asked of the index itself. */
  async find(query: SearchQuery): Promise<{ ids: string[]; nextCursor: string | null }> {
    const { tenantId, order, limit, fromMs, toMs } = query;
    const match = `scope : (${scopeOf(query)}) AND words : (${query.terms.map(expression).join(' AND ')})`;
    let found = this.#db
      .selectFrom('message_search')
      .innerJoin('message_search_rows', 'message_search_rows.id', 'message_search.rowid')
      .innerJoin('messages', 'messages.id', 'message_search_rows.message_row_id')
      .select(['messages.id', 'message_search.rowid as place'])
      .where(sql<boolean>`message_search match ${match}`)
      .where('messages.tenant_id', '=', tenantId)
      .where('messages.hidden_at', 'is', null)
      .where('messages.revoked_at', 'is', null);
    if (fromMs !== undefined) {
      found = found
        .where('message_search.rowid', '>=', firstOfSecond(fromMs))
        .where('messages.timestamp', '>=', fromMs);
    }
    if (toMs !== undefined) {
      found = found
        .where('message_search.rowid', '<', firstOfSecond(toMs + 999))
        .where('messages.timestamp', '<', toMs);
    }
    if (query.cursor !== undefined) {
      const last = readNumberCursor(query.cursor);
      found = found.where('message_search.rowid', order === 'desc' ? '<' : '>', last);
    }
    const rows = await found
      .orderBy('message_search.rowid', order)
      .limit(limit + 1)
      .execute();
    const { page, last } = pageOf(rows, limit);
    return {
      ids: page.map(({ id }) => id),
      nextCursor: last && numberCursor(last.place),
    };
  }

  takeUp(without: readonly MessageKind[]): Promise<boolean> {
    return this.#deferred.transaction().execute(async (trx) => {
      const queue = await trx
        .selectFrom('message_search_queue')
        .selectAll()
        .orderBy('id')
        .limit(BATCH)
        .execute();
      const last = queue.at(-1);
      if (!last) return false;
      const rowIds = [...new Set(queue.map((each) => each.message_row_id))];
      await trx.deleteFrom('message_search_rows').where('message_row_id', 'in', rowIds).execute();
      await insertRows(trx, rowIds, without);
      await trx.deleteFrom('message_search_queue').where('id', '<=', last.id).execute();
      return queue.length === BATCH;
    });
  }
}

/** What a search is narrowed to; each is one word in the index, as the migration writes it. */
const scopeWord = {
  tenant: (id: string): string => `t${plain(id)}`,
  device: (id: string): string => `d${plain(id)}`,
  chat: (jid: Jid): string => `c${plain(jid)}`,
  kind: (kind: MessageKind): string => `k${plain(kind)}`,
  direction: (direction: 'in' | 'out'): string => direction,
  starred: (starred: boolean): string => (starred ? 'starred' : 'plain'),
};

/** One word of each group. */
function scopeOf({ tenantId, deviceIds, chat, kinds, direction, starred }: SearchQuery): string {
  const groups = [
    deviceIds?.map(scopeWord.device) ?? [scopeWord.tenant(tenantId)],
    ...(chat ? [chat.map(scopeWord.chat)] : []),
    ...(kinds ? [kinds.map(scopeWord.kind)] : []),
    ...(direction ? [[scopeWord.direction(direction)]] : []),
    ...(starred === undefined ? [] : [[scopeWord.starred(starred)]]),
  ];
  return groups.map((group) => `(${group.map(quoted).join(' OR ')})`).join(' AND ');
}

function plain(text: string): string {
  return text.replaceAll(/[-@._]/g, '');
}

/** In the index's language (https://sqlite.org/fts5.html#full_text_query_syntax). */
function expression({ text, prefix }: SearchTerm): string {
  return `${quoted(text)}${prefix ? ' *' : ''}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function firstOfSecond(ms: number): number {
  return Math.floor(ms / 1000) * ROWS_PER_SECOND;
}

/**
 * The messages that a search may find, numbered by time: then FTS5 gives the newest first without sorting, and
 * stops at the end of the page. In the order of the numbers, as FTS5 likes them best.
 */
async function insertRows(
  trx: Transaction<Database>,
  rowIds: string[],
  without: readonly MessageKind[],
): Promise<void> {
  const found = trx
    .selectFrom('messages')
    .leftJoin('media', 'media.message_row_id', 'messages.id')
    .select(['messages.id', 'messages.created_at'])
    .select(sql<number>`messages.timestamp / 1000 * ${sql.lit(ROWS_PER_SECOND)}`.as('first'))
    .where('messages.id', 'in', rowIds)
    .where((is) => is.or([is('messages.text', '<>', ''), is('media.file_name', '<>', '')]))
    .where('messages.kind', 'not in', without)
    .where('messages.hidden_at', 'is', null)
    .where('messages.revoked_at', 'is', null);
  const next = sql<number>`coalesce(
    (select max(id) + 1 from message_search_rows
     where id >= found.first and id < found.first + ${sql.lit(ROWS_PER_SECOND)}),
    found.first)`;
  const place = sql<number>`row_number() over (partition by found.first order by found.created_at, found.id) - 1`;
  await trx
    .insertInto('message_search_rows')
    .columns(['id', 'message_row_id'])
    .expression(
      trx
        .selectFrom(found.as('found'))
        .select([sql<number>`${next} + ${place}`.as('row'), 'found.id'])
        .orderBy('row'),
    )
    .execute();
}

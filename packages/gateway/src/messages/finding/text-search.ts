/** Which messages contain what is searched for, in the order of time. */
import { type Kysely, sql } from 'kysely';
import { numberCursor, readNumberCursor } from '../../storage/page-cursor.ts';
import type { Database } from '../../storage/schema.ts';
import type { MessageFilter } from './places.ts';
import { matchExpression, ROWS_PER_SECOND, scopeWord } from './search-words.ts';

/** Whose messages are searched: all of the tenant's, or those of some devices. */
export interface SearchScope {
  tenantId: string;
  deviceIds: readonly string[] | null;
}

export interface SearchFilter extends MessageFilter {
  q: string;
}

/**
 * Row ids of one page, and the cursor of the next. Everything but the time, which is the order of the index,
 * is asked of the index itself. Throws VALIDATION_ERROR for `q` and `cursor`.
 */
export async function search(
  db: Kysely<Database>,
  { tenantId, deviceIds }: SearchScope,
  filter: SearchFilter,
): Promise<{ ids: string[]; nextCursor: string | null }> {
  const { order, limit, fromMs, toMs } = filter;
  const match = matchExpression(filter.q, [
    deviceIds?.map(scopeWord.device) ?? [scopeWord.tenant(tenantId)],
    ...(filter.chat ? [filter.chat.map(scopeWord.chat)] : []),
    ...(filter.kinds ? [filter.kinds.map(scopeWord.kind)] : []),
    ...(filter.direction ? [[scopeWord.direction(filter.direction)]] : []),
    ...(filter.starred === undefined ? [] : [[scopeWord.starred(filter.starred)]]),
  ]);
  let query = db
    .selectFrom('message_search')
    .innerJoin('message_search_rows', 'message_search_rows.id', 'message_search.rowid')
    .innerJoin('messages', 'messages.id', 'message_search_rows.message_row_id')
    .select(['messages.id', 'message_search.rowid as place'])
    .where(sql<boolean>`message_search match ${match}`)
    .where('messages.tenant_id', '=', tenantId)
    .where('messages.hidden_at', 'is', null)
    .where('messages.revoked_at', 'is', null);
  if (fromMs !== undefined) {
    query = query
      .where('message_search.rowid', '>=', firstOfSecond(fromMs))
      .where('messages.timestamp', '>=', fromMs);
  }
  if (toMs !== undefined) {
    query = query
      .where('message_search.rowid', '<', firstOfSecond(toMs + 999))
      .where('messages.timestamp', '<', toMs);
  }
  if (filter.cursor !== undefined) {
    const last = readNumberCursor(filter.cursor);
    query = query.where('message_search.rowid', order === 'desc' ? '<' : '>', last);
  }
  const rows = await query
    .orderBy('message_search.rowid', order)
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    ids: page.map(({ id }) => id),
    nextCursor: rows.length > limit && last ? numberCursor(last.place) : null,
  };
}

function firstOfSecond(ms: number): number {
  return Math.floor(ms / 1000) * ROWS_PER_SECOND;
}

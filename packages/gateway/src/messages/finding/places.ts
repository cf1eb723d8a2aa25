/** Which messages a list shows, in the order of time: the queries, without the messages themselves. */
import type { Kysely } from 'kysely';
import { type Place, readPlaceCursor } from '../../storage/page-cursor.ts';
import type { Database } from '../../storage/schema.ts';
import type { MessageChoice } from '../../storage/search.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import { NOT_SHOWN } from '../shown-kinds.ts';

export interface MessageFilter extends MessageChoice {
  deviceId?: string | undefined;
}

/** Parts of one compound query: databases take only so many, and each is compiled. */
const MOST_PARTS = 100;

const PLACE = ['timestamp', 'created_at', 'id'] as const;

/**
 * The places of the devices' messages that fit the filter, one more than its limit if there are more. Throws
 * VALIDATION_ERROR for a cursor that is none.
 */
export async function placesOf(
  db: Kysely<Database>,
  tenantId: string,
  deviceIds: readonly string[],
  filter: MessageFilter,
): Promise<Place[]> {
  const sources = deviceIds.flatMap((deviceId) =>
    (filter.chat ?? [null]).map((chat) => ({ tenantId, deviceId, chat })),
  );
  const places: Place[] = [];
  for (let from = 0; from < sources.length; from += MOST_PARTS) {
    places.push(...(await merged(db, sources.slice(from, from + MOST_PARTS), filter)));
  }
  return places.sort(inOrder(filter.order)).slice(0, filter.limit + 1);
}

/** Each part stops at its own limit, so that none is read to its end. */
async function merged(db: Kysely<Database>, sources: Source[], filter: MessageFilter): Promise<Place[]> {
  const [first, ...others] = sources.map((source) =>
    db.selectFrom(placesIn(db, source, filter).as('part')).select(PLACE),
  );
  if (!first) return [];
  const all = others.reduce((union, part) => union.unionAll(part), first);
  return db
    .selectFrom(all.as('places'))
    .select(PLACE)
    .orderBy('timestamp', filter.order)
    .orderBy('created_at', filter.order)
    .orderBy('id', filter.order)
    .limit(filter.limit + 1)
    .execute();
}

/** One run through an index: the messages of a device, or of one chat on it. */
interface Source {
  tenantId: string;
  deviceId: string;
  chat: Jid | null;
}

function placesIn(db: Kysely<Database>, source: Source, filter: MessageFilter) {
  const { order, limit, direction, fromMs, toMs } = filter;
  let query = db
    .selectFrom('messages')
    .select(PLACE)
    .where('tenant_id', '=', source.tenantId)
    .where('device_id', '=', source.deviceId)
    .where('hidden_at', 'is', null);
  if (source.chat !== null) query = query.where('chat_jid', '=', source.chat);
  query = filter.kinds ? query.where('kind', 'in', filter.kinds) : query.where('kind', 'not in', NOT_SHOWN);
  if (direction) query = query.where('from_me', '=', direction === 'out' ? 1 : 0);
  if (filter.starred !== undefined) query = query.where('starred_at', filter.starred ? 'is not' : 'is', null);
  if (fromMs !== undefined) query = query.where('timestamp', '>=', fromMs);
  if (toMs !== undefined) query = query.where('timestamp', '<', toMs);
  if (filter.cursor !== undefined) {
    const { timestamp, created_at, id } = readPlaceCursor(filter.cursor);
    query = query.where((is) =>
      is(is.refTuple(...PLACE), order === 'desc' ? '<' : '>', is.tuple(timestamp, created_at, id)),
    );
  }
  return query
    .orderBy('timestamp', order)
    .orderBy('created_at', order)
    .orderBy('id', order)
    .limit(limit + 1);
}

function inOrder(order: MessageFilter['order']): (a: Place, b: Place) => number {
  const sign = order === 'asc' ? 1 : -1;
  return (a, b) =>
    sign * (a.timestamp - b.timestamp || a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
}

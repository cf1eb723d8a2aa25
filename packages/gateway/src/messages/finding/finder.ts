/** Lists and finds stored messages, page by page. */
import type { Kysely } from 'kysely';
import { AppError } from '../../errors.ts';
import type { MediaUrls } from '../../events/media-urls.ts';
import type { MessageName } from '../../identity/message-name.ts';
import { isOneLine } from '../../identity/phone-number.ts';
import { messageSearch } from '../../storage/database.ts';
import { checkedTenant } from '../../storage/narrowing.ts';
import { pageOf, placeCursor } from '../../storage/page-cursor.ts';
import type { Database } from '../../storage/schema.ts';
import type { Caller } from '../../tenancy/caller.ts';
import { seesWholeTenant } from '../../tenancy/visibility.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import type { MessageArchive } from '../archive.ts';
import { type MessageDevice, STORED_COLUMNS, storedMessage } from '../stored-message.ts';
import { type DeviceDirectory, findMessages } from '../visible.ts';
import { type DescribedMessage, describeMessages } from './described-message.ts';
import { type MessageFilter, placesOf } from './places.ts';
import { searchTerms } from './search-words.ts';
import type { WordIndex } from './word-index.ts';

export interface MessagePage {
  messages: DescribedMessage[];
  /** Null on the last page. */
  nextCursor: string | null;
}

export interface SearchPage extends MessagePage {
  /** False while messages are stored that cannot be found yet. */
  complete: boolean;
}

export interface SearchFilter extends MessageFilter {
  q: string;
}

export interface FinderParts {
  db: Kysely<Database>;
  archive: MessageArchive;
  devices: DeviceDirectory;
  words: Pick<WordIndex, 'caughtUp'>;
  mediaUrls?: MediaUrls;
}

export class MessageFinder {
  readonly #parts: FinderParts;

  constructor(parts: FinderParts) {
    this.#parts = parts;
  }

  /** A message that the caller may see, its first copy; MESSAGE_NOT_FOUND otherwise. */
  async get(caller: Caller, name: MessageName): Promise<DescribedMessage> {
    const [first] = await findMessages(this.#parts, caller, name);
    const devices = await this.#devices(caller, name.deviceId);
    const [described] = await describeMessages(this.#parts, devices, first ? [first] : []);
    if (!described) throw new AppError('MESSAGE_NOT_FOUND');
    return described;
  }

  /** In the order of time. Throws DEVICE_NOT_FOUND, and VALIDATION_ERROR for the cursor. */
  async list(caller: Caller, filter: MessageFilter): Promise<MessagePage> {
    const devices = await this.#devices(caller, filter.deviceId);
    const ids = devices.map((device) => device.id);
    const chat = filter.chat && (await this.#everyNameOf(filter.chat, caller, ids));
    const places = await placesOf(this.#parts.db, caller.tenantId, ids, { ...filter, chat });
    const { page, last } = pageOf(places, filter.limit);
    return {
      messages: await this.described(
        caller,
        devices,
        page.map(({ id }) => id),
      ),
      nextCursor: last && placeCursor(last),
    };
  }

  /** Those that contain every word of `q`, as `list`; VALIDATION_ERROR for a `q` without any. */
  async search(caller: Caller, filter: SearchFilter): Promise<SearchPage> {
    const { db, words } = this.#parts;
    const devices = await this.#devices(caller, filter.deviceId);
    const ids = devices.map((device) => device.id);
    const chat = filter.chat && (await this.#everyNameOf(filter.chat, caller, ids));
    const seesAll = filter.deviceId === undefined && seesWholeTenant(caller);
    if (!seesAll && ids.length === 0) return { messages: [], nextCursor: null, complete: true };
    const complete = await words.caughtUp();
    const found = await messageSearch(db).find({
      ...filter,
      tenantId: caller.tenantId,
      deviceIds: seesAll ? null : ids,
      terms: searchTerms(filter.q),
      chat,
    });
    return {
      messages: await this.described(caller, devices, found.ids),
      nextCursor: found.nextCursor,
      complete,
    };
  }

  async #devices(caller: Caller, deviceId: string | undefined): Promise<MessageDevice[]> {
    const { devices } = this.#parts;
    return deviceId === undefined
      ? devices.list(caller, 'visible')
      : [await devices.resolve(caller, deviceId)];
  }

  /** A person's chat may have been stored under the LID before the number was known, and since under that. */
  async #everyNameOf(asked: readonly Jid[], { tenantId }: Caller, deviceIds: string[]): Promise<Jid[]> {
    if (deviceIds.length === 0) return [...asked];
    const names = await this.#namesMeant(asked, tenantId, deviceIds);
    // One index each: asked for both at once, it would go through all chats.
    const by = (name: 'chat_jid' | 'chat_lid') =>
      this.#parts.db
        .selectFrom('messages')
        .select(['chat_jid', 'chat_lid'])
        .where(checkedTenant(tenantId))
        .where('device_id', 'in', deviceIds)
        // Null is no name, so this says that there are two; "not null" beside it would be an index's to find.
        .whereRef('chat_lid', '!=', 'chat_jid')
        .where(name, 'in', names)
        .limit(1)
        .executeTakeFirst();
    const known = (await by('chat_jid')) ?? (await by('chat_lid'));
    return [...new Set([...names, ...(known ? [known.chat_jid, known.chat_lid as Jid] : [])])];
  }

  /** Of spellings that may be two people's, the given one alone where it has a chat. */
  async #namesMeant(names: readonly Jid[], tenantId: string, deviceIds: string[]): Promise<readonly Jid[]> {
    const [given, ...others] = names;
    if (given === undefined || others.length === 0 || isOneLine(given)) return names;
    const stored = await this.#parts.db
      .selectFrom('messages')
      .select('id')
      .where(checkedTenant(tenantId))
      .where('device_id', 'in', deviceIds)
      .where('chat_jid', '=', given)
      .limit(1)
      .executeTakeFirst();
    return stored ? [given] : names;
  }

  /** Stored messages of the devices, all of them the caller's to see, in the order of our own ids. */
  async described(
    { tenantId }: Caller,
    devices: MessageDevice[],
    ids: readonly string[],
  ): Promise<DescribedMessage[]> {
    if (ids.length === 0) return [];
    const rows = await this.#parts.db
      .selectFrom('messages')
      .select(STORED_COLUMNS)
      .where(checkedTenant(tenantId))
      .where('id', 'in', ids)
      .execute();
    const byId = new Map(rows.map((row) => [row.id, storedMessage(row)]));
    return describeMessages(
      this.#parts,
      devices,
      ids.flatMap((id) => byId.get(id) ?? []),
    );
  }
}

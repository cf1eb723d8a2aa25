/** Which stored message an id names: of a tenant, by our own id, or in a chat of a device. */
import type { Kysely } from 'kysely';
import { canonicalJid, identityOf, sameIdentity } from '../identity/jid.ts';
import { mayBeRecordId } from '../identity/message-name.ts';
import type { MessageId, RecordId, TenantId } from '../ids.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { rowsOfTenant, rowsWithId } from './message-rows.ts';
import {
  chatIdentity,
  chatOf,
  type MessageDevice,
  STORED_COLUMNS,
  type StoredMessage,
  senderIdentity,
  storedMessage,
} from './stored-message.ts';

export class StoredMessages {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Everything with that message id among the tenant's devices, the first stored first. */
  async withId(tenantId: TenantId, messageId: MessageId): Promise<StoredMessage[]> {
    const rows = await rowsOfTenant(this.#db, tenantId, messageId);
    return rows.map(storedMessage);
  }

  /** The message with our own id. */
  async record(tenantId: TenantId, rowId: RecordId): Promise<StoredMessage | null> {
    const row = await this.#db
      .selectFrom('messages')
      .select(STORED_COLUMNS)
      .where(checkedTenant(tenantId))
      .where('id', '=', rowId)
      .executeTakeFirst();
    return row ? storedMessage(row) : null;
  }

  /**
   * The message of the device's chat that an id names, WhatsApp's or ours; null when we do not have it. Of several
   * authors with one id, `author` tells which is meant, else the first stored is.
   */
  async inChat(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    chat: Identity,
    id: string,
    author: Jid | null = null,
  ): Promise<StoredMessage | null> {
    const record = mayBeRecordId(id) ? await this.record(device.tenantId, id) : null;
    if (record?.deviceId === device.id && sameIdentity(chatOf(record), chat)) return record;
    const rows = await rowsWithId(this.#db, device, id);
    const inChat = rows.filter((each) => sameIdentity(chatIdentity(each), chat));
    const row =
      inChat.find((each) => author !== null && sameIdentity(senderIdentity(each), identityOf(author))) ??
      inChat[0];
    return row ? storedMessage(row) : null;
  }

  /** The message that a change of the account's state speaks of. */
  noticed(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    notice: { chat: Identity; messageId: MessageId; sender?: Identity | null },
  ): Promise<StoredMessage | null> {
    return this.inChat(device, notice.chat, notice.messageId, canonicalJid(notice.sender ?? NOBODY));
  }
}

const NOBODY: Identity = { jid: null, lid: null };

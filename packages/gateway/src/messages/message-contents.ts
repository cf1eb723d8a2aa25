/** What stored messages hold: decoded, their further files, what their kinds add, and as it was sent. */
import type { Kysely } from 'kysely';
import { sameIdentity } from '../identity/jid.ts';
import type { MessageId, TenantId } from '../ids.ts';
import { mayHaveSeveralFiles } from '../media/keys.ts';
import type { Database } from '../storage/schema.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import { rowsWithId } from './message-rows.ts';
import type { SealedContent } from './sealed-content.ts';
import { chatIdentity, type MessageDevice, type StoredMessage } from './stored-message.ts';

export class MessageContents {
  readonly #db: Kysely<Database>;
  readonly #sealed: SealedContent;

  constructor(db: Kysely<Database>, sealed: SealedContent) {
    this.#db = db;
    this.#sealed = sealed;
  }

  /** The content of a stored message, decoded; null when it was never decrypted. */
  async wire(message: Pick<StoredMessage, 'tenantId' | 'rowId'>): Promise<WireMessage | null> {
    return this.#sealed.decoded(message);
  }

  /** The files of a stored message beside its first. */
  async furtherFiles(
    message: Pick<StoredMessage, 'tenantId' | 'rowId'> & { kind?: MessageKind },
  ): Promise<readonly MediaDescriptor[]> {
    if (message.kind !== undefined && !mayHaveSeveralFiles(message.kind)) return [];
    return this.#sealed.furtherFiles(message);
  }

  /** What the kinds of the tenant's messages add, by row id; nothing for those that add nothing. */
  async details(
    tenantId: TenantId,
    messages: readonly Pick<StoredMessage, 'rowId' | 'kind' | 'context' | 'chatJid'>[],
  ): Promise<Map<string, Record<string, unknown>>> {
    const details = new Map<string, Record<string, unknown>>();
    for (const message of messages) {
      const found = await this.#sealed.details({ ...message, tenantId });
      if (found) details.set(message.rowId, found);
    }
    return details;
  }

  /**
   * Encoded waE2E.Message of a message that the device's account sent to `chat`, to answer a retry receipt.
   * Null where the chat is not known to be that one, for anybody may ask, and for a message that was revoked.
   * One that is `failed` may have left without an ack.
   */
  async sent(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    chat: Identity,
    messageId: MessageId,
  ): Promise<Uint8Array | null> {
    const rows = await rowsWithId(this.#db, device, messageId);
    const row = rows.find((each) => each.from_me === 1 && sameIdentity(chatIdentity(each), chat));
    if (!row || row.revoked_at !== null) return null;
    return this.#sealed.read({ tenantId: device.tenantId, rowId: row.id });
  }
}

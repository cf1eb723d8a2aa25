/** How a message of ours becomes a row, and what becomes of it: on its way, sent, refused, or not known. */
import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { contradicts, sameIdentity } from '../identity/jid.ts';
import type { RecordId, TenantId } from '../ids.ts';
import { deferred } from '../storage/database.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { SendAck } from '../whatsapp/port/messages.ts';
import { applyOwnAmendment } from './amendments.ts';
import type { Keepers } from './keepers.ts';
import type { MessageEvents } from './message-events.ts';
import { outboundRow } from './message-row.ts';
import { insertMedia, insertRow, rowsWithId } from './message-rows.ts';
import { concludeInterrupted, type RecoveryResult, uncertainSends } from './outbound-recovery.ts';
import { forgetPollOptions } from './polls/poll-votes.ts';
import type { SealedContent } from './sealed-content.ts';
import { moveSend } from './send-state.ts';
import {
  chatIdentity,
  type OutboundRecord,
  type StoredMessage,
  senderIdentity,
  storedMessage,
} from './stored-message.ts';

export class OutboundStoring {
  readonly #db: Kysely<Database>;
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #content: SealedContent;
  readonly #events: MessageEvents;
  readonly #keepers: Keepers;

  constructor(parts: {
    db: Kysely<Database>;
    vault: Vault;
    clock: Clock;
    content: SealedContent;
    events: MessageEvents;
    keepers: Keepers;
  }) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#content = parts.content;
    this.#events = parts.events;
    this.#keepers = parts.keepers;
  }

  /**
   * Writes a message of ours as `pending`, before the stanza leaves. A row that an earlier attempt with the
   * same id left behind in the chat is taken over; what receipts have told of it stays.
   */
  async create(record: OutboundRecord): Promise<StoredMessage> {
    const row = this.#row(record);
    // On the disk before the stanza leaves: the session holds frames back until then.
    await deferred(this.#db)
      .transaction()
      .execute(async (trx) => {
        const rows = await rowsWithId(trx, record.device, record.messageId);
        const earlier = rows.find(
          (each) =>
            each.from_me === 1 &&
            sameIdentity(chatIdentity(each), record.chat) &&
            !contradicts(senderIdentity(each), record.device),
        );
        if (!earlier) await insertRow(trx, row);
        else {
          row.id = earlier.id;
          row.raw = this.#content.encode(earlier.id, record.message);
          await trx.deleteFrom('media').where('message_row_id', '=', earlier.id).execute();
          await forgetPollOptions(trx, earlier.id);
          const { kind, text, context, target_id, raw, timestamp } = row;
          const moved = { tenantId: row.tenant_id, rowId: earlier.id };
          await moveSend(trx, moved, 'repeated', { kind, text, context, target_id, raw, timestamp });
        }
        if (!earlier) await this.#keepers.message(trx, record.device, storedMessage(row));
        const { media } = record.content;
        if (media) await insertMedia(trx, row, media, { vault: this.#vault });
      });
    return storedMessage(row);
  }

  /** Another attempt of a message that is stored: it goes out as it is there. */
  async repeat(message: StoredMessage): Promise<void> {
    await moveSend(this.#db, message, 'repeated');
  }

  /** The server acknowledged the message at `timestamp` (milliseconds, the server's time). */
  async markSent(
    message: Pick<StoredMessage, 'tenantId' | 'rowId' | 'kind'>,
    { timestamp, serverId }: SendAck,
  ): Promise<void> {
    const { tenantId, rowId, kind } = message;
    const said = { timestamp, ...(serverId === undefined ? {} : { server_id: serverId }) };
    await this.#db.transaction().execute(async (trx) => {
      if (await moveSend(trx, message, 'acknowledged', said)) {
        if (kind === 'edit' || kind === 'revoke') await applyOwnAmendment(trx, tenantId, rowId);
        return this.#events.sent(trx, tenantId, rowId);
      }
      // A receipt came before the ack and said so already; the ack has the better time.
      await trx
        .updateTable('messages')
        .set(said)
        .where('tenant_id', '=', tenantId)
        .where('id', '=', rowId)
        .execute();
    });
    this.#events.committed();
  }

  /** The message was not taken. A receipt that arrived all the same proves otherwise and wins. */
  async markFailed(tenantId: TenantId, rowId: RecordId, reason: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const moved = await moveSend(trx, { tenantId, rowId }, 'refused', { reason });
      if (moved) await this.#events.failed(trx, tenantId, rowId, this.#clock.now());
    });
    this.#events.committed();
  }

  /** Nobody knows whether WhatsApp has the message: it stays `pending` until a receipt or a copy proves it. */
  async markUncertain(message: Pick<StoredMessage, 'tenantId' | 'rowId'>, reason: string): Promise<void> {
    await moveSend(this.#db, message, 'lost', { reason });
  }

  /** Sends of a tenant whose end is not known, the oldest first. */
  uncertain(tenantId: TenantId, limit: number): Promise<StoredMessage[]> {
    return uncertainSends(this.#db, tenantId, limit);
  }

  /** See `concludeInterrupted`: once, before devices connect. */
  async concludeInterrupted(tenantId: TenantId): Promise<RecoveryResult> {
    const parts = { db: this.#db, outcomes: this.#events };
    const result = await concludeInterrupted(parts, tenantId);
    this.#events.committed();
    return result;
  }

  #row(record: OutboundRecord): MessagesTable {
    const id = randomUUID();
    const raw = this.#content.encode(id, record.message);
    return outboundRow(record, { id, raw, now: this.#clock.now() });
  }
}

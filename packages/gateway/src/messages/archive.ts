/** The archive: what was sent and received, stored once and found again. */
import { randomUUID } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { type EventRecorder, noEvents } from '../events/recorder.ts';
import { canonicalJid, contradicts, identityOf, sameIdentity } from '../identity/jid.ts';
import { mayBeRecordId } from '../identity/message-name.ts';
import type { MessageId, RecordId, TenantId } from '../ids.ts';
import { mayHaveSeveralFiles } from '../media/keys.ts';
import { deferred } from '../storage/database.ts';
import { checkedTenant, storingOrder } from '../storage/narrowing.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { ChatTimer } from '../whatsapp/port/chat-timers.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import type { InboundMessage, SendAck } from '../whatsapp/port/messages.ts';
import type { MessageReceipt } from '../whatsapp/port/receipts.ts';
import type { WireCodec, WireMessage } from '../whatsapp/port/wire-message.ts';
import { applyOwnAmendment } from './amendments.ts';
import type { BothNamesListener } from './chat-names.ts';
import { type KnownTimer, learnTimer, timerOf } from './chat-timers.ts';
import { InboundStoring } from './inbound-storing.ts';
import { recordReceipt } from './incoming-receipts.ts';
import { Keepers } from './keepers.ts';
import { hasChat, storedChat } from './known-chats.ts';
import { type Arrival, MessageEvents } from './message-events.ts';
import { outboundRow } from './message-row.ts';
import { insertMedia, insertRow, rowsWithId } from './message-rows.ts';
import { concludeInterrupted, type RecoveryResult, uncertainSends } from './outbound-recovery.ts';
import { forgetPollOptions } from './polls/poll-votes.ts';
import { SealedContent } from './sealed-content.ts';
import { moveSend } from './send-state.ts';
import {
  chatIdentity,
  chatOf,
  contextJson,
  type MessageDevice,
  type OutboundRecord,
  parseContext,
  STORED_COLUMNS,
  type StoredMessage,
  senderIdentity,
  storedMessage,
} from './stored-message.ts';

export interface ArchiveParts {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  codec: WireCodec;
  /** Takes the event of every change, in its transaction; without it nothing is reported. */
  events?: EventRecorder;
  /** Who keeps something of each message. */
  keepers?: Keepers;
  /** Called after the commit of a received message, for example to fetch its media. Must not throw. */
  onStored?: (message: StoredMessage) => void;
  /** Called when a message names a person by both names, in its transaction. */
  onBothNames?: BothNamesListener;
}

export class MessageArchive {
  readonly #db: Kysely<Database>;
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #onStored: ((message: StoredMessage) => void) | undefined;
  readonly #events: MessageEvents;
  readonly #content: SealedContent;
  readonly #inbound: InboundStoring;
  readonly #keepers: Keepers;

  constructor(parts: ArchiveParts) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#onStored = parts.onStored;
    const content = new SealedContent(parts);
    const events = new MessageEvents(parts.events ?? noEvents, (trx, row) => content.details(row, trx));
    this.#content = content;
    this.#events = events;
    this.#keepers = parts.keepers ?? new Keepers();
    this.#inbound = new InboundStoring({ ...parts, content, events, keepers: this.#keepers });
  }

  /**
   * Stores a message that the device received or that another device of its account sent, with its media
   * descriptor, in one commit; an edit or revoke changes its target in the same commit.
   * Idempotent on device, chat, sender and message id: null when it was there already, except that a
   * message stored as undecryptable is replaced by its readable copy.
   */
  async storeInbound(device: MessageDevice, message: InboundMessage): Promise<StoredMessage | null> {
    // Durable as a journal row already, and before an event of it leaves (events/event-store.ts, webhooks/queue.ts).
    const stored = await deferred(this.#db)
      .transaction()
      .execute((trx) =>
        this.#inbound.store(trx, device, message, (row, arrival) =>
          this.#events.arrived(trx, device, row, arrival),
        ),
      );
    // Also when the message was known: its copy may have proved that another one was sent.
    this.#events.committed();
    if (stored) this.#onStored?.(stored);
    return stored;
  }

  /**
   * As `storeInbound`, within the transaction of a piece of history: `stored` is called instead of an event,
   * and no media is fetched.
   */
  storePast(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
    stored: (row: StoredMessage, arrival: Arrival) => void,
  ): Promise<StoredMessage | null> {
    return this.#inbound.store(trx, device, message, async (row, arrival) => stored(row, arrival));
  }

  /**
   * Writes a message of ours as `pending`, before the stanza leaves. A row that an earlier attempt with the
   * same id left behind in the chat is taken over; what receipts have told of it stays.
   */
  async createOutbound(record: OutboundRecord): Promise<StoredMessage> {
    const row = this.#outboundRow(record);
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
  async repeatOutbound(message: StoredMessage): Promise<void> {
    await moveSend(this.#db, message, 'repeated');
  }

  /** The server acknowledged the message at `at` (milliseconds, the server's time). */
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

  /** Deletes a message for us alone; `at` in milliseconds. What the others see stays. */
  async hide(message: Pick<StoredMessage, 'tenantId' | 'rowId'>, at: number): Promise<void> {
    await this.#db
      .updateTable('messages')
      .set({ hidden_at: at })
      .where('tenant_id', '=', message.tenantId)
      .where('id', '=', message.rowId)
      .execute();
  }

  /** One more request for an undecryptable message; returns its number, the library's own first included. */
  async countRetry(message: StoredMessage): Promise<number> {
    const { retry } = message.context;
    const attempts = (retry?.attempts ?? 0) + 1;
    if (!retry) return attempts;
    await this.#db
      .updateTable('messages')
      .set({ context: contextJson({ ...message.context, retry: { ...retry, attempts } }) })
      .where('tenant_id', '=', message.tenantId)
      .where('id', '=', message.rowId)
      .where('kind', '=', 'undecryptable')
      .execute();
    return attempts;
  }

  /** Stores a receipt and moves the times of the messages it speaks of. Unknown messages are ignored. */
  async applyReceipt(device: MessageDevice, receipt: MessageReceipt): Promise<void> {
    await recordReceipt(deferred(this.#db), device, receipt, this.#events);
  }

  /** Everything with that message id among the tenant's devices, the first stored first. */
  async findForTenant(tenantId: TenantId, messageId: MessageId): Promise<StoredMessage[]> {
    const rows = await this.#db
      .selectFrom('messages')
      .select(STORED_COLUMNS)
      .where('tenant_id', '=', tenantId)
      .where('message_id', '=', messageId)
      .orderBy(storingOrder())
      .execute();
    return rows.map(storedMessage);
  }

  /** The message with our own id. */
  async findRecord(tenantId: TenantId, rowId: RecordId): Promise<StoredMessage | null> {
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
  async findInChat(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    chat: Identity,
    id: string,
    author: Jid | null = null,
  ): Promise<StoredMessage | null> {
    const record = mayBeRecordId(id) ? await this.findRecord(device.tenantId, id) : null;
    if (record?.deviceId === device.id && sameIdentity(chatOf(record), chat)) return record;
    const rows = await rowsWithId(this.#db, device, id);
    const inChat = rows.filter((each) => sameIdentity(chatIdentity(each), chat));
    const row =
      inChat.find((each) => author !== null && sameIdentity(senderIdentity(each), identityOf(author))) ??
      inChat[0];
    return row ? storedMessage(row) : null;
  }

  /** The message that a change of the account's state speaks of. */
  findNoticed(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    notice: { chat: Identity; messageId: MessageId; sender?: Identity | null },
  ): Promise<StoredMessage | null> {
    return this.findInChat(device, notice.chat, notice.messageId, canonicalJid(notice.sender ?? NOBODY));
  }

  /**
   * Whether a message that came from WhatsApp is stored as it was written. Of one that could not be read another copy
   * is wanted, also when its counter was used already: to take that for a repetition would be to acknowledge it.
   */
  async hasReceived(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    message: Pick<InboundMessage, 'id' | 'chat' | 'sender' | 'fromMe'>,
  ): Promise<boolean> {
    const known = await this.#inbound.known(this.#db, device, message);
    if (!known || known.kind === 'undecryptable') return false;
    return parseContext(known.context).sealed !== 'assistant_piece';
  }

  /** The stored copy of a message that came, if there is one. */
  async findKnown(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
  ): Promise<StoredMessage | null> {
    const row = await this.#inbound.known(trx, device, message);
    return row ? storedMessage(row) : null;
  }

  /** When messages of the chat disappear, as it was set last; null while nothing has told it. */
  timerOf(device: MessageDevice, chat: Identity): Promise<KnownTimer | null> {
    return timerOf(this.#db, device, chat);
  }

  /** Remembers the timer of a chat that the account has begun with it: nobody tells us what we have done. */
  keepTimer(device: MessageDevice, timer: ChatTimer): Promise<void> {
    return learnTimer(this.#db, device, timer);
  }

  /** Whether something was received in the chat, or sent with success, as far as is stored. */
  hasChat(device: MessageDevice, chat: Identity): Promise<boolean> {
    return hasChat(this.#db, device, chat);
  }

  /** The one chat of the device's account that goes by any of the names; null for none, and for several. */
  storedChat(device: MessageDevice, names: readonly Jid[]): Promise<Identity | null> {
    return storedChat(this.#db, device, names);
  }

  /** The content of a stored message, decoded; null when it was never decrypted. */
  async wireMessage(message: Pick<StoredMessage, 'tenantId' | 'rowId'>): Promise<WireMessage | null> {
    return this.#content.decoded(message);
  }

  /** The files of a stored message beside its first. */
  async furtherFiles(
    message: Pick<StoredMessage, 'tenantId' | 'rowId'> & { kind?: MessageKind },
  ): Promise<readonly MediaDescriptor[]> {
    if (message.kind !== undefined && !mayHaveSeveralFiles(message.kind)) return [];
    return this.#content.furtherFiles(message);
  }

  /** What the kinds of the tenant's messages add, by row id; nothing for those that add nothing. */
  async details(
    tenantId: TenantId,
    messages: readonly Pick<StoredMessage, 'rowId' | 'kind' | 'context' | 'chatJid'>[],
  ): Promise<Map<string, Record<string, unknown>>> {
    const details = new Map<string, Record<string, unknown>>();
    for (const message of messages) {
      const found = await this.#content.details({ ...message, tenantId });
      if (found) details.set(message.rowId, found);
    }
    return details;
  }

  /**
   * Encoded waE2E.Message of a message that the device's account sent to `chat`, to answer a retry receipt.
   * Null where the chat is not known to be that one, for anybody may ask, and for a message that was revoked.
   * One that is `failed` may have left without an ack.
   */
  async loadSentMessage(
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    chat: Identity,
    messageId: MessageId,
  ): Promise<Uint8Array | null> {
    const rows = await rowsWithId(this.#db, device, messageId);
    const row = rows.find((each) => each.from_me === 1 && sameIdentity(chatIdentity(each), chat));
    if (!row || row.revoked_at !== null) return null;
    return this.#content.read({ tenantId: device.tenantId, rowId: row.id });
  }

  #outboundRow(record: OutboundRecord): MessagesTable {
    const id = randomUUID();
    const raw = this.#content.encode(id, record.message);
    return outboundRow(record, { id, raw, now: this.#clock.now() });
  }
}

const NOBODY: Identity = { jid: null, lid: null };

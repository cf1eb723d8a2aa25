/** The archive: what was sent and received, stored once and found again. */
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { type EventRecorder, noEvents } from '../events/recorder.ts';
import { deferred } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { MessageReceipt } from '../whatsapp/port/receipts.ts';
import type { WireCodec } from '../whatsapp/port/wire-message.ts';
import type { BothNamesListener } from './chat-names.ts';
import { InboundStoring } from './inbound-storing.ts';
import { recordReceipt } from './incoming-receipts.ts';
import { Keepers } from './keepers.ts';
import { KnownChats } from './known-chats.ts';
import { MessageContents } from './message-contents.ts';
import { type Arrival, MessageEvents } from './message-events.ts';
import { OutboundStoring } from './outbound-storing.ts';
import { SealedContent } from './sealed-content.ts';
import {
  contextJson,
  type MessageDevice,
  parseContext,
  type StoredMessage,
  storedMessage,
} from './stored-message.ts';
import { StoredMessages } from './stored-messages.ts';

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

/** What came, each stored once; and, as parts of it, what was sent, and what is asked of both. */
export class MessageArchive {
  /** What we send. */
  readonly outbound: OutboundStoring;
  /** Which message an id names. */
  readonly stored: StoredMessages;
  /** What is in a message. */
  readonly contents: MessageContents;
  /** The chats that messages are in. */
  readonly chats: KnownChats;
  readonly #db: Kysely<Database>;
  readonly #onStored: ((message: StoredMessage) => void) | undefined;
  readonly #events: MessageEvents;
  readonly #inbound: InboundStoring;

  constructor(parts: ArchiveParts) {
    this.#db = parts.db;
    this.#onStored = parts.onStored;
    const content = new SealedContent(parts);
    const events = new MessageEvents(parts.events ?? noEvents, (trx, row) => content.details(row, trx));
    this.#events = events;
    const keepers = parts.keepers ?? new Keepers();
    this.#inbound = new InboundStoring({ ...parts, content, events, keepers });
    this.outbound = new OutboundStoring({ ...parts, content, events, keepers });
    this.stored = new StoredMessages(parts.db);
    this.contents = new MessageContents(parts.db, content);
    this.chats = new KnownChats(parts.db);
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
  async known(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
  ): Promise<StoredMessage | null> {
    const row = await this.#inbound.known(trx, device, message);
    return row ? storedMessage(row) : null;
  }
}

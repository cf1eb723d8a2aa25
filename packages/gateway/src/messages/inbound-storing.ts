/** How a message that came from WhatsApp becomes a row: with its media, and with what it changes in others. */
import { randomUUID } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { contradicts, sameIdentity } from '../identity/jid.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { WireCodec } from '../whatsapp/port/wire-message.ts';
import { applyAmendment, earlierAmendments, mayBeTarget } from './amendments.ts';
import { boundedMessage } from './bounds.ts';
import { type BothNamesListener, ChatNames } from './chat-names.ts';
import { learnFromMessage } from './chat-timers.ts';
import { detailsInContext, wireDetails } from './details/wire-details.ts';
import { filesOf } from './event-message.ts';
import type { Keepers } from './keepers.ts';
import type { Arrival, MessageEvents } from './message-events.ts';
import { inboundRow } from './message-row.ts';
import { insertMedia, insertNewRow, rowsWithId } from './message-rows.ts';
import { confirmSent } from './outbound-recovery.ts';
import { applyAddedOption, earlierOptions } from './polls/poll-options.ts';
import { forgetPollOptions, PollVotes } from './polls/poll-votes.ts';
import { SealedChanges } from './sealed-changes.ts';
import type { SealedContent } from './sealed-content.ts';
import {
  chatIdentity,
  contextJson,
  type MessageDevice,
  parseContext,
  type StoredMessage,
  type StoredRow,
  senderIdentity,
  storedMessage,
} from './stored-message.ts';

export class InboundStoring {
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #codec: WireCodec;
  readonly #content: SealedContent;
  readonly #events: MessageEvents;
  readonly #votes: PollVotes;
  readonly #sealed: SealedChanges;
  readonly #keepers: Keepers;
  readonly #names: ChatNames;

  constructor(parts: {
    vault: Vault;
    clock: Clock;
    codec: WireCodec;
    content: SealedContent;
    events: MessageEvents;
    onBothNames?: BothNamesListener;
    keepers: Keepers;
  }) {
    const { codec, content } = parts;
    this.#names = new ChatNames(parts.onBothNames);
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#codec = codec;
    this.#content = content;
    this.#events = parts.events;
    this.#keepers = parts.keepers;
    this.#sealed = new SealedChanges({ codec, content });
    this.#votes = new PollVotes({
      codec,
      vault: parts.vault,
      unseal: (rowId, sealed) => content.open(rowId, sealed),
    });
  }

  /**
   * Stores the message, and calls `announce` with what is new, within `trx`. Null when it was there already:
   * idempotent on device, chat, sender and message id, except that a readable copy takes the place of an
   * undecryptable one, and what a sealed one says its own. Columns and events keep a bounded part of it (`bounds.ts`).
   */
  async store(
    trx: Transaction<Database>,
    device: MessageDevice,
    given: InboundMessage,
    announce: (row: StoredMessage, arrival: Arrival) => Promise<void>,
  ): Promise<StoredMessage | null> {
    const message = boundedMessage(given);
    if (!message.isGroup) await this.#names.join(trx, device, message.chat);
    await this.#names.renameSender(trx, device, message.sender);
    const stored = await this.#store(trx, device, message, announce);
    if (!stored) return null;
    if (stored.awaited) {
      // Each is stored over its own sealed row, and announced after the message that it speaks of.
      for (const change of await this.#sealed.waitingFor(trx, device, message)) {
        await this.#store(trx, device, change, announce);
      }
    }
    return stored.row;
  }

  /** `awaited`: sealed changes of it came before. */
  async #store(
    trx: Transaction<Database>,
    device: MessageDevice,
    given: InboundMessage,
    announce: (row: StoredMessage, arrival: Arrival) => Promise<void>,
  ): Promise<{ row: StoredMessage; awaited: boolean } | null> {
    const message = await this.#sealed.opened(trx, device, given);
    const row = this.#rowOf(device, message);
    if (message.fromMe) await confirmSent(trx, device, message, this.#events);
    const known = await this.known(trx, device, message);
    if (known && !replaces(row, known)) return null;
    const awaited = await this.#readWhatCameBefore(trx, device, message, row);
    if (known) await this.#replace(trx, device, known, { row, message });
    else if (!(await insertNewRow(trx, row))) return null;
    const { media } = message.content;
    if (media) {
      const { lidAddressed, fromMe, content } = message;
      const broadcastList = fromMe ? null : (content.broadcast?.list ?? null);
      await insertMedia(trx, row, media, { vault: this.#vault, lidAddressed, broadcastList });
    }
    await learnFromMessage(trx, device, message);
    const stored = storedMessage(row);
    if (!known) await this.#keepers.message(trx, device, stored);
    const poll = row.kind === 'poll_option' ? await this.#addOption(trx, device, message) : null;
    const applied = poll ? true : await applyAmendment(trx, device, message, stored.context.editedDetails);
    const details = detailsInContext(stored.context) ?? wireDetails(ofRow(row), message.raw, this.#codec);
    await announce(stored, { files: filesOf(message.content), applied, details });
    if (poll) await this.#events.votesRead(trx, device, await this.#votes.readWithOption(trx, device, poll));
    if (row.kind === 'poll') {
      await this.#events.votesRead(trx, device, await this.#votes.readEarlier(trx, device, message));
    }
    return { row: stored, awaited };
  }

  #addOption(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
  ): Promise<StoredRow | null> {
    return applyAddedOption(trx, device, message, async (poll) => {
      const raw = await this.#content.read({ tenantId: poll.tenant_id, rowId: poll.id }, trx);
      return raw && wireDetails({ kind: 'poll', chat: poll.chat_jid }, raw, this.#codec);
    });
  }

  async #replace(
    trx: Transaction<Database>,
    device: MessageDevice,
    known: StoredRow,
    { row, message }: { row: MessagesTable; message: InboundMessage },
  ): Promise<void> {
    row.id = known.id;
    row.raw = this.#content.seal(known.id, message.raw);
    await forgetPollOptions(trx, known.id);
    await trx
      .updateTable('messages')
      .set({
        kind: row.kind,
        text: row.text,
        context: row.context,
        raw: row.raw,
        push_name: row.push_name,
        source: row.source,
        target_id: row.target_id,
        edited_at: row.edited_at,
        revoked_at: row.revoked_at,
        server_id: row.server_id,
      })
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', known.id)
      .execute();
  }

  /**
   * The stored copy of a message that came.
   * The unique index compares canonical names, and the name of a LID-only contact changes once the phone
   * number is known. A redelivery across that change is still the same message.
   */
  async known(
    db: Kysely<Database>,
    device: Pick<MessageDevice, 'id' | 'tenantId'>,
    message: Pick<InboundMessage, 'id' | 'chat' | 'sender' | 'fromMe'>,
  ): Promise<StoredRow | undefined> {
    const rows = await rowsWithId(db, device, message.id);
    return rows.find((row) => {
      if (contradicts(chatIdentity(row), message.chat)) return false;
      if (row.from_me === 1 && message.fromMe) return true;
      return sameIdentity(senderIdentity(row), message.sender);
    });
  }

  /**
   * Completes the row of a new message by what is stored already: its edits, or the poll it votes in. Returns
   * whether sealed changes wait for it.
   */
  async #readWhatCameBefore(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
    row: MessagesTable,
  ): Promise<boolean> {
    if (row.kind === 'poll_vote') {
      const pollVote = await this.#votes.read(trx, device, message);
      row.context = contextJson({ ...message.content, pollVote });
      return false;
    }
    if (row.kind === 'edit' && !message.content.sealed) {
      const editedDetails = wireDetails(ofRow(row), message.raw, this.#codec);
      row.context = contextJson({ ...message.content, editedDetails });
      return false;
    }
    if (!mayBeTarget(message.content.kind)) return false;
    const { amended, sealed } = await earlierAmendments(trx, device, message, row.context);
    Object.assign(row, amended);
    if (row.kind === 'poll') {
      const made = wireDetails(ofRow(row), message.raw, this.#codec);
      row.context = await earlierOptions(trx, device, message, { row, made });
    }
    return sealed;
  }

  #rowOf(device: MessageDevice, message: InboundMessage): MessagesTable {
    const id = randomUUID();
    const raw = this.#content.seal(id, message.raw);
    return inboundRow(device, message, { id, raw, now: this.#clock.now() });
  }
}

/**
 * Whether a message takes the place of a stored copy of it: of one that could not be read or opened, and of one from
 * history: a message that arrives is news, even when a piece of history that was on its way contained it first. What
 * another member told of it counts less than anything.
 */
function replaces(row: MessagesTable, known: StoredRow): boolean {
  if (row.kind === 'undecryptable') return false;
  if (isSealed(known)) return !isSealed(row);
  if (row.source === 'shared') return false;
  if (known.kind === 'undecryptable' || known.source === 'shared') return true;
  return known.source === 'history' && row.source === 'phone';
}

const ofRow = ({ kind, chat_jid }: MessagesTable) => ({ kind, chat: chat_jid });

function isSealed({ context }: Pick<MessagesTable, 'context'>): boolean {
  return parseContext(context).sealed !== null;
}

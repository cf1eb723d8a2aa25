import type { Clock } from '../../../clock.ts';
import type { CredentialStore, JournalEntry, SealedEntry } from '../../port/credentials.ts';
import type { SessionReporter } from '../../port/events.ts';
import type { SessionParts } from '../../port/session.ts';
import { type SharedHistory, sharedHistory } from '../account/shared-history.ts';
import { storedLids } from '../account/stored-lids.ts';
import type { LogSink } from '../connection/quiet-logger.ts';
import { cut } from '../connection/socket.ts';
import { type BinaryNode, isJidNewsletter, type SignalKeyStore, type Socket } from '../library.ts';
import { chatTimer } from '../parse/chat-timer.ts';
import {
  inboundMessage,
  sealedMessage,
  undecryptableMessage,
  unknownMessage,
} from '../parse/inbound-message.ts';
import { sealedRetryAnswer } from '../parse/media-retry-stanza.ts';
import type { LidDirectory, OwnAccount } from '../parse/message-source.ts';
import { noteNewsletterChange } from '../parse/newsletter-change.ts';
import { causeOf, StanzaNotices } from '../parse/notices/stanza-notices.ts';
import { ownReadIn, receiptsIn } from '../parse/receipt-stanza.ts';
import { resentMessages } from '../parse/resent-messages.ts';
import { takeAssistantAnswers } from './assistant-answers.ts';
import { assistantEntry, DecryptionTap, isOpenedByTap, unopenedId, unreadEntry } from './decryption-tap.ts';
import { InboundQueue } from './inbound-queue.ts';
import { Journal } from './journal.ts';
import { followLiveStanzas } from './live-stanzas.ts';
import { mayPass } from './may-pass.ts';
import { keepMessageOrder } from './message-order.ts';
import { OwnAnswers } from './own-answers.ts';
import type { SetAside } from './set-aside.ts';
import { followStaleLids } from './stale-lids.ts';
import { gateStanzas } from './stanza-gate.ts';
import { answerUnwritable } from './unwritable-names.ts';

export interface InboundParts {
  credentials: CredentialStore;
  clock: Clock;
  report: SessionReporter;
  own(): OwnAccount;
  /** A ping and its answer: what was written before it has been taken by the server. */
  roundTrip(): Promise<void>;
  /** Takes the rows that are about the account instead of a message. */
  account: {
    take(entry: JournalEntry, done: () => void): boolean;
    takeShared(shared: SharedHistory, entry: JournalEntry, done: () => void): void;
    readonly keys: SignalKeyStore;
  };
  hasReceived: SessionParts['hasReceived'];
  setAside: SetAside;
  log: LogSink;
  /** Counts ciphertexts that were refused because the tap had not seen them. */
  unseen: { inc(): void };
}

/**
 * The way in: from a stanza on the socket to a reported event, with nothing acknowledged before it is kept.
 * The library's own `messages.upsert` is not used: it is emitted after the receipt, and held back by up to
 * 20 s on a first connection (chats.js, AwaitingInitialSync).
 */
export class Inbound {
  readonly tap: DecryptionTap;
  readonly #parts: InboundParts;
  readonly #queue: InboundQueue;
  readonly #journal: Journal;
  readonly #notices = new StanzaNotices();
  #directory: LidDirectory | null = null;
  #keeping: Promise<void> = Promise.resolve();
  #answers: OwnAnswers | null = null;
  #socket: Socket | null = null;

  constructor(parts: InboundParts) {
    this.#parts = parts;
    this.#queue = new InboundQueue((error) => this.#warn('message not stored yet', error));
    this.#journal = new Journal({
      store: parts.credentials,
      clock: parts.clock,
      roundTrip: parts.roundTrip,
      onFailure: (error) => this.#parts.log.debug({ reason: (error as Error).message }, 'journal kept'),
    });
    this.tap = new DecryptionTap(this.#journal, {
      decrypted: (entry, stanza) => this.#kept(entry, stanza, { opened: true }),
      failed: (entry, stanza) => this.#kept(entry, stanza, { opened: false }),
      hasReceived: (stanza, row) => this.#hasReceived(stanza, row),
      unseen: () => this.#refuseUnseen(),
    });
  }

  /**
   * Queues what an earlier process had decrypted but not stored, before all that comes now. Call before the
   * socket opens, which waits for none of it.
   */
  async recover(): Promise<void> {
    const { entries, sealed } = await this.#journal.load();
    for (const row of sealed) this.#enqueueSealed(row);
    for (const entry of entries) this.#enqueue(entry);
  }

  /** Resolves when nothing that came is on its way to the journal; rejects when it did not get there. */
  async kept(): Promise<void> {
    await this.#keeping;
  }

  attach(socket: Socket): void {
    this.#socket = socket;
    this.#directory = socket.signalRepository.lidMapping;
    this.#answers = new OwnAnswers({
      socket,
      own: () => this.#parts.own(),
      onFailure: (error) => this.#warn('an acknowledgement was not sent', error),
    });
    takeAssistantAnswers(socket.ws, (stanza) => this.#onAssistantAnswer(stanza));
    answerUnwritable(
      socket,
      (node, error) => this.#parts.setAside.stanza(node, error),
      (node, error) => this.#warn(`${node.tag} not set aside`, error),
    );
    keepMessageOrder(socket.ws);
    socket.ws.prependListener('CB:message', (stanza: BinaryNode) => this.#onMessage(stanza));
    socket.ws.on('CB:ib,,offline', () => this.#journal.caughtUp());
    this.#gate(socket, 'CB:receipt', (node) => this.#onReceipt(node));
    this.#gate(socket, 'CB:notification', (node) => this.#onNotification(node, socket));
    this.#gate(socket, 'CB:call', (node) => this.#reportNotices(node));
    followStaleLids(socket, (error) => this.#warn('the new LID of a contact was not found out', error));
    followLiveStanzas(
      socket.ws,
      (node) => this.#reportNotices(node),
      (node, error) => this.#warn(`${node.tag} not reported`, error),
    );
  }

  /** Finishes what is in hand while the connection is still there. What fails now stays in the journal. */
  async finish(): Promise<void> {
    const finished = this.#queue.drained();
    this.#queue.stopRetrying();
    await finished;
    await this.#journal.flush();
  }

  /** The connection has ended. */
  async stop(): Promise<void> {
    this.tap.stop();
    this.#journal.close();
    this.#queue.stopRetrying();
    await this.#queue.drained();
  }

  #onMessage(stanza: BinaryNode): void {
    noteNewsletterChange(stanza);
    this.tap.noteStanza(stanza);
    const { from = '', category } = stanza.attrs;
    // Channels tell of reactions and counts in messages without content.
    if (isOpenedByTap(stanza) || category === 'peer' || isJidNewsletter(from)) return;
    const entry = unreadEntry(unopenedId(stanza), stanza);
    // The library acknowledges it without asking anybody: see `kept`.
    this.#keep(entry, () => this.#kept(entry, stanza, { opened: false }));
  }

  /** An answer of an assistant: sealed under a message that the archive has, or has not. */
  #onAssistantAnswer(stanza: BinaryNode): void {
    const entry = assistantEntry(stanza);
    this.#keep(entry, () => {
      this.#journal.committed(entry);
      this.#queue.push({
        store: async () => {
          await this.#report(entry);
          const opened = await this.#isOpen(entry);
          this.#answers?.stored(stanza, opened);
          this.#journal.done(entry.id);
        },
        setAside: async (error) => {
          await this.#parts.setAside.row(entry.id, error);
          this.#answers?.stored(stanza, false);
        },
      });
    });
  }

  /** Writes a row that no ciphertext was opened for. */
  #keep(entry: JournalEntry, then: () => void): void {
    const written = this.#parts.credentials.write([], [entry]).then(then);
    this.#keeping = Promise.all([this.#keeping, written]).then(() => undefined);
    this.#keeping.catch(() => undefined);
  }

  async #isOpen(entry: JournalEntry): Promise<boolean> {
    const message = await inboundMessage(entry, this.#parts.own(), this.#lids(), this.#stored());
    return message !== null && this.#parts.hasReceived(message);
  }

  /** The connection ends with it: to a failed decryption the library answers with an ack, and the message is gone. */
  #refuseUnseen(): void {
    const { log, unseen } = this.#parts;
    unseen.inc();
    log.error({}, 'a message was refused: its ciphertext did not come past the decryption tap');
    if (this.#socket) cut(this.#socket);
  }

  #kept(entry: JournalEntry, stanza: BinaryNode, { opened }: { opened: boolean }): void {
    this.#answers?.kept(stanza, opened);
    this.#enqueue(entry);
  }

  #enqueue(entry: JournalEntry): void {
    const done = () => this.#journal.done(entry.id);
    const setAside = (error: unknown) => this.#parts.setAside.row(entry.id, error);
    try {
      if (this.#parts.account.take(entry, done)) return;
    } catch {
      // It looks into messages of our own account alone; what cannot be read is a message like others.
    }
    this.#queue.push({ store: () => this.#store(entry, done), setAside });
  }

  /** Calls `done` once nothing of the entry is left to be stored. */
  async #store(entry: JournalEntry, done: () => void): Promise<void> {
    const shared = await this.#report(entry);
    if (shared) this.#parts.account.takeShared(shared, entry, done);
    else done();
  }

  async #report(entry: JournalEntry): Promise<SharedHistory | null> {
    try {
      const message = await inboundMessage(entry, this.#parts.own(), this.#lids(), this.#stored());
      if (!message) return await this.#reportUnshown(entry);
      await this.#parts.report({ type: 'message', message });
    } catch (error) {
      if (mayPass(error)) throw error;
      const message = await unknownMessage(entry, this.#parts.own(), this.#lids());
      if (!message) throw error;
      await this.#parts.report({ type: 'message', message });
      this.#parts.setAside.storedAsUnknown(error);
    }
    return null;
  }

  /** The row is out of the way before its message is reported, as one that cannot be read. */
  #enqueueSealed(row: SealedEntry): void {
    const error = new SealedPlaintext();
    this.#queue.push({
      store: async () => {
        await this.#parts.setAside.row(row.id, error);
        const message = await sealedMessage(row, this.#parts.own(), this.#lids());
        await this.#parts.report({ type: 'message', message });
      },
      setAside: (again) => this.#parts.setAside.row(row.id, again),
    });
  }

  /** What no user sees, but somebody here has to know. Gives what of it takes longer. */
  async #reportUnshown(entry: JournalEntry): Promise<SharedHistory | null> {
    const timer = await chatTimer(entry, this.#parts.own(), this.#lids());
    if (timer) await this.#parts.report({ type: 'chat_timer', timer });
    for (const message of await resentMessages(entry, this.#parts.own(), this.#stored())) {
      await this.#parts.report({ type: 'message', message });
    }
    return sharedHistory(entry, this.#parts.own(), this.#lids());
  }

  async #hasReceived(stanza: BinaryNode, row: string): Promise<boolean> {
    const known = this.#journal.hasRow(row) || (await this.#isStored(stanza));
    if (known) this.#answers?.repeated(stanza);
    return known;
  }

  async #isStored(stanza: BinaryNode): Promise<boolean> {
    return this.#parts.hasReceived(await undecryptableMessage(stanza, this.#parts.own(), this.#lids()));
  }

  /** What the server keeps until it is acknowledged: stored first, or set aside when no try will help. */
  #gate(socket: Socket, event: string, store: (node: BinaryNode) => Promise<unknown>): void {
    gateStanzas(
      socket.ws,
      event,
      async (node) => {
        try {
          return await store(node);
        } catch (error) {
          if (mayPass(error)) throw error;
          return this.#parts.setAside.stanza(node, error);
        }
      },
      (node, error) => this.#warn(`${node.tag} not stored`, error),
    );
  }

  async #onReceipt(stanza: BinaryNode): Promise<void> {
    const read = await ownReadIn(stanza, this.#parts.own(), this.#lids());
    if (read) await this.#parts.report({ type: 'own_read', read });
    for (const receipt of await receiptsIn(stanza, this.#parts.own(), this.#lids())) {
      await this.#parts.report({ type: 'receipt', receipt });
    }
  }

  async #onNotification(stanza: BinaryNode, socket: Socket): Promise<'answered' | undefined> {
    // The library names itself in its acknowledgements, and has no name before it is linked.
    if (!socket.authState.creds.me) {
      this.#answers?.acknowledge(stanza);
      return 'answered';
    }
    await this.#reportNotices(stanza);
    if (stanza.attrs.type !== 'mediaretry') return;
    const answer = sealedRetryAnswer(stanza);
    if (answer) await this.#parts.report({ type: 'media_retry', answer });
  }

  async #reportNotices(stanza: BinaryNode): Promise<void> {
    const notices = await this.#notices.noticesIn(stanza, this.#parts.own(), this.#lids());
    for (const [index, notice] of notices.entries()) {
      const cause = causeOf(stanza);
      await this.#parts.report({
        type: 'notice',
        notice,
        ...(cause ? { cause: `${cause}|${index}` } : {}),
      });
    }
  }

  /**
   * Before the socket exists (recovery) the stanza's own attributes have to do, and also when a name cannot
   * be looked up because of what it is.
   */
  #lids(): LidDirectory {
    const directory = this.#directory;
    if (!directory) return { getLIDForPN: async () => null, getPNForLID: async () => null };
    return forgiving(directory);
  }

  /** The same without asking the server. */
  #stored(): LidDirectory {
    return forgiving(storedLids(this.#parts.account.keys));
  }

  #warn(text: string, error: unknown): void {
    this.#parts.log.warn({ reason: (error as Error).message }, text);
  }
}

/** The store cannot open what it keeps: encrypted with another key, or damaged. */
class SealedPlaintext extends Error {
  override name = 'SealedPlaintext';
}

function forgiving(directory: LidDirectory): LidDirectory {
  return {
    getLIDForPN: (pn) => directory.getLIDForPN(pn).catch(nullUnlessItMayPass),
    getPNForLID: (lid) => directory.getPNForLID(lid).catch(nullUnlessItMayPass),
  };
}

function nullUnlessItMayPass(error: unknown): null {
  if (mayPass(error)) throw error;
  return null;
}

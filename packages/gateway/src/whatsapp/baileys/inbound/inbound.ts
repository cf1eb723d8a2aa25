import type { CredentialStore, JournalEntry } from '../../port/credentials.ts';
import type { SessionReporter } from '../../port/events.ts';
import type { LogSink } from '../connection/quiet-logger.ts';
import { cut } from '../connection/socket.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';
import { inboundMessage, undecryptableMessage } from '../parse/inbound-message.ts';
import { mediaRetryNotice } from '../parse/media-retry-stanza.ts';
import type { LidDirectory, OwnAccount } from '../parse/message-source.ts';
import { causeOf, StanzaNotices } from '../parse/notices/stanza-notices.ts';
import { receiptsIn } from '../parse/receipt-stanza.ts';
import { resentMessages } from '../parse/resent-messages.ts';
import { DecryptionTap } from './decryption-tap.ts';
import { InboundQueue } from './inbound-queue.ts';
import { Journal } from './journal.ts';
import { followLiveStanzas } from './live-stanzas.ts';
import { keepMessageOrder } from './message-order.ts';
import { gateStanzas } from './stanza-gate.ts';

export interface InboundOptions {
  credentials: CredentialStore;
  report: SessionReporter;
  own(): OwnAccount;
  /** A ping and its answer: what was written before it has been taken by the server. */
  roundTrip(): Promise<void>;
  /** Takes the rows that are about the account instead of a message. */
  account: { take(entry: JournalEntry, settled: () => void): boolean };
  log: LogSink;
  /** Counts ciphertexts that were refused because the tap had not seen them. */
  unseen: { inc(): void };
}

/** A ratchet that has moved past this ciphertext: the message came before and was stored then (libsignal). */
const ALREADY_DECRYPTED = /Key used already or never filled|MessageCounterError|Old counter/i;

/**
 * The way in: from a stanza on the socket to a reported event, with nothing acknowledged before it is kept.
 * The library's own `messages.upsert` is not used: it is emitted after the receipt, and held back by up to
 * 20 s on a first connection (chats.js, AwaitingInitialSync).
 */
export class Inbound {
  readonly tap: DecryptionTap;
  readonly #options: InboundOptions;
  readonly #queue: InboundQueue;
  readonly #journal: Journal;
  readonly #notices = new StanzaNotices();
  #directory: LidDirectory | null = null;
  #socket: Socket | null = null;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.#queue = new InboundQueue((error) => this.#warn('message not stored yet', error));
    this.#journal = new Journal({
      store: options.credentials,
      roundTrip: options.roundTrip,
      onFailure: (error) => this.#options.log.debug({ reason: (error as Error).message }, 'journal kept'),
    });
    this.tap = new DecryptionTap(this.#journal, {
      decrypted: (entry) => this.#enqueue(entry),
      failed: (stanza, error) => this.#enqueueUndecryptable(stanza, error),
      unseen: () => this.#refuseUnseen(),
    });
  }

  /** Stores what an earlier process had decrypted but not stored. Call before the socket opens. */
  async recover(): Promise<void> {
    for (const entry of await this.#journal.load()) this.#enqueue(entry);
    await this.#queue.drained();
  }

  attach(socket: Socket): void {
    this.#socket = socket;
    this.#directory = socket.signalRepository.lidMapping;
    keepMessageOrder(socket.ws);
    socket.ws.prependListener('CB:message', (stanza: BinaryNode) => this.#onMessage(stanza));
    socket.ws.on('CB:ib,,offline', () => this.#journal.caughtUp());
    gateStanzas(
      socket.ws,
      'CB:receipt',
      (node) => this.#onReceipt(node),
      (_node, error) => this.#warn('receipt not stored', error),
    );
    gateStanzas(
      socket.ws,
      'CB:notification',
      (node) => this.#onNotification(node),
      (_node, error) => this.#warn('notification not stored', error),
    );
    gateStanzas(
      socket.ws,
      'CB:call',
      (node) => this.#reportNotices(node),
      (_node, error) => this.#warn('call not stored', error),
    );
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
    this.tap.noteStanza(stanza);
    if (getBinaryNodeChild(stanza, 'unavailable') && !getBinaryNodeChild(stanza, 'enc')) {
      this.#enqueueUndecryptable(stanza, new Error('unavailable'));
    }
  }

  /** The connection ends with it: to a failed decryption the library answers with an ack, and the message is gone. */
  #refuseUnseen(): void {
    const { log, unseen } = this.#options;
    unseen.inc();
    log.error({}, 'a message was refused: its ciphertext did not come past the decryption tap');
    if (this.#socket) cut(this.#socket);
  }

  #enqueue(entry: JournalEntry): void {
    const settled = () => this.#journal.settled(entry.id);
    if (this.#options.account.take(entry, settled)) return;
    this.#queue.push(async () => {
      const message = await inboundMessage(entry, this.#options.own(), this.#lids());
      if (message) await this.#options.report({ type: 'message', message });
      else await this.#reportResent(entry);
      settled();
    });
  }

  async #reportResent(entry: JournalEntry): Promise<void> {
    for (const message of await resentMessages(entry, this.#options.own(), this.#lids())) {
      await this.#options.report({ type: 'message', message });
    }
  }

  #enqueueUndecryptable(stanza: BinaryNode, error: unknown): void {
    if (stanza.attrs.category === 'peer') return;
    if (error instanceof Error && ALREADY_DECRYPTED.test(`${error.name} ${error.message}`)) return;
    this.#queue.push(async () => {
      const message = await undecryptableMessage(stanza, this.#options.own(), this.#lids());
      await this.#options.report({ type: 'message', message });
    });
  }

  async #onReceipt(stanza: BinaryNode): Promise<void> {
    for (const receipt of await receiptsIn(stanza, this.#options.own(), this.#lids())) {
      await this.#options.report({ type: 'receipt', receipt });
    }
  }

  async #onNotification(stanza: BinaryNode): Promise<void> {
    await this.#reportNotices(stanza);
    if (stanza.attrs.type !== 'mediaretry') return;
    const notice = mediaRetryNotice(stanza);
    if (notice) await this.#options.report({ type: 'media_retry', notice });
  }

  async #reportNotices(stanza: BinaryNode): Promise<void> {
    const notices = await this.#notices.noticesIn(stanza, this.#options.own(), this.#lids());
    for (const [index, notice] of notices.entries()) {
      const cause = causeOf(stanza);
      await this.#options.report({
        type: 'notice',
        notice,
        ...(cause ? { cause: `${cause}|${index}` } : {}),
      });
    }
  }

  /** Before the socket exists (recovery) the stanza's own attributes have to do. */
  #lids(): LidDirectory {
    return this.#directory ?? { getLIDForPN: async () => null, getPNForLID: async () => null };
  }

  #warn(text: string, error: unknown): void {
    this.#options.log.warn({ reason: (error as Error).message }, text);
  }
}

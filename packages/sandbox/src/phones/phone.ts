import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import { AccountChanges } from './account-changes.ts';
import { AddressBook, deviceOf, toJid } from './address-book.ts';
import { PhoneAppState } from './app-state.ts';
import { CallClient } from './calls.ts';
import { PhoneConnection } from './connection.ts';
import { DeviceSigner } from './device-identity.ts';
import { type Group, GroupClient } from './groups.ts';
import { CompanionSync } from './history.ts';
import type { PhoneHost } from './host.ts';
import { type ConversationMessage, Inbox, type PhoneMessage } from './inbox.ts';
import { CompanionLinker, type LinkedCompanion } from './link-companion.ts';
import { MediaClient } from './media-client.ts';
import { MediaRetry, type MediaRetryPolicy, type MediaRetryRequest } from './media-retry.ts';
import { mediaOf } from './message-content.ts';
import { PairCodeLinking } from './pair-code.ts';
import { Past } from './past.ts';
import { PhoneLife } from './phone-life.ts';
import { ProfileClient } from './profile.ts';
import { type ReceiptPolicy, Receipts, type ReceivedReceipt } from './receipts.ts';
import { Receiver } from './receiving.ts';
import { type PhoneIdentity, Sender } from './sending.ts';
import { SignalClient } from './signal.ts';

export interface PhoneOptions {
  /** Phone number, digits. */
  number: string;
  /** Push name. */
  name: string;
  /** LID, digits or `…@lid`; made up when left out. */
  lid?: string;
}

/** A chat: a phone number, a user JID, a group or another phone. */
export type ChatTarget = string | Group | Phone;

/** Enough for tests, and made in some tens of milliseconds; a real phone uploads 812. */
const PRE_KEY_BATCH = 100;
const WAIT_TIMEOUT_MS = 10_000;
const MAX_BOOTSTRAP_ATTEMPTS = 20;

interface Parts {
  readonly host: PhoneHost;
  readonly connection: PhoneConnection;
  readonly signal: SignalClient;
  readonly book: AddressBook;
  readonly inbox: Inbox;
  readonly receipts: Receipts;
  readonly groups: GroupClient;
  readonly calls: CallClient;
  readonly profile: ProfileClient;
  readonly sender: Sender;
  readonly media: MediaClient;
  readonly mediaRetry: MediaRetry;
  readonly linker: CompanionLinker;
  readonly byCode: PairCodeLinking;
  readonly sync: CompanionSync;
  readonly account: AccountChanges;
  readonly past: Past;
  readonly problems: Error[];
}

/**
 * A scripted primary phone: device 0 of its account, a Signal client attached to the network in this
 * process. It answers by itself what a phone answers (receipts, retries, media retries, key requests) and
 * does on call what a person would do.
 */
export class Phone extends PhoneLife {
  readonly number: string;
  /** `5511999990001@s.whatsapp.net` */
  readonly jid: string;
  /** `…@lid` */
  readonly lid: string;
  readonly name: string;
  readonly #policy: ReceiptPolicy;
  readonly #parts: Parts;
  readonly #companions = new Set<number>();
  readonly #awaitingBootstrap = new Set<number>();
  readonly #bootstraps = new Map<number, Promise<void>>();

  private constructor(self: PhoneIdentity, policy: ReceiptPolicy, parts: Parts) {
    super(self, parts);
    this.number = self.number;
    this.jid = self.jid;
    this.lid = self.lid;
    this.name = self.name;
    this.#policy = policy;
    this.#parts = parts;
  }

  /** Registers the number, attaches the phone and uploads its keys. Rejects when the number exists. */
  static async create(host: PhoneHost, options: PhoneOptions): Promise<Phone> {
    const signal = new SignalClient();
    const lidDigits = options.lid?.split('@', 1)[0];
    const account = host.createAccount({
      user: options.number,
      ...(lidDigits === undefined ? {} : { lid: lidDigits }),
      name: options.name,
      identityPublic: signal.identity.public,
      registrationId: signal.registrationId,
    });
    const self: PhoneIdentity = {
      number: options.number,
      jid: `${options.number}@s.whatsapp.net`,
      lid: `${account.lid}@lid`,
      name: options.name,
    };
    return Phone.#install(host, self, signal);
  }

  /**
   * The same number on a new installation, as after a lost phone: new keys, an empty inbox, no companions.
   * Contacts are told that the identity changed. The former phone is switched off for good.
   */
  static async reinstall(host: PhoneHost, former: Phone): Promise<Phone> {
    const { number, jid, lid, name } = former;
    await former.stop();
    return Phone.#install(host, { number, jid, lid, name }, new SignalClient());
  }

  static async #install(host: PhoneHost, self: PhoneIdentity, signal: SignalClient): Promise<Phone> {
    const problems: Error[] = [];
    const connection = new PhoneConnection(host.network, { user: self.number, device: 0 }, (error) =>
      problems.push(error),
    );
    const book = new AddressBook(connection);
    book.learn(self.jid, self.lid);
    const inbox = new Inbox();
    const receipts = new Receipts(connection, book);
    const groups = new GroupClient(connection, book);
    const calls = new CallClient(connection, book, self.lid);
    const profile = new ProfileClient(connection, book);
    const sender = new Sender(self, { connection, signal, book, groups, inbox });
    const media = new MediaClient(connection, host.cdn.caPem);
    const mediaRetry = new MediaRetry({ connection, media, inbox, book, cdn: host.cdn });
    const signer = new DeviceSigner(signal.identity);
    const byCode = new PairCodeLinking(connection, signal.identity, self.jid);
    const linker = new CompanionLinker(host, self.number, signer, byCode);
    const appState = new PhoneAppState(connection);
    const account = new AccountChanges({ state: appState, connection, book, inbox });
    const past = new Past(self, { inbox, book });
    const sync = new CompanionSync(self, { sender, inbox, book, media, appState, rawId: signer.rawId });
    const policy: ReceiptPolicy = { delivered: true, read: 'manual' };
    const parts: Parts = {
      host,
      connection,
      signal,
      book,
      inbox,
      receipts,
      groups,
      calls,
      profile,
      sender,
      media,
      mediaRetry,
      linker,
      byCode,
      sync,
      account,
      past,
      problems,
    };
    const phone = new Phone(self, policy, parts);
    phone.#listen(self);
    connection.goOnline();
    await connection.query(await signal.preKeyUpload(PRE_KEY_BATCH));
    return phone;
  }

  // --- companions ---

  /** Device ids of the companions linked now. */
  get companions(): number[] {
    return [...this.#companions].sort((a, b) => a - b);
  }

  /** Links the companion that shows this QR text. Rejects with `LinkError`. */
  async scanQr(qrText: string): Promise<LinkedCompanion> {
    return this.#linked(await this.#parts.linker.scanQr(qrText));
  }

  /** Links by the eight-character code a companion shows, with or without a dash. Rejects with `LinkError`. */
  async enterPairCode(code: string): Promise<LinkedCompanion> {
    return this.#linked(await this.#parts.linker.enterCode(code));
  }

  /** Resolves when the companion was given keys and history after its first login. */
  async bootstrapped(device: number): Promise<void> {
    await this.#bootstraps.get(device);
  }

  /** Logs a companion out: its stream ends with 401 `device_removed`. */
  async unlink(device: number): Promise<void> {
    await this.#parts.host.unlink({ user: this.number, device });
    this.#companions.delete(device);
  }

  /** What is done on the phone and told to companions: pins, mutes, labels, contacts, channels… */
  get account(): AccountChanges {
    return this.#parts.account;
  }

  /** Messages from before the simulation, for companions to sync. */
  get past(): Past {
    return this.#parts.past;
  }

  // --- what came in ---

  /** Decrypted messages in order of arrival; messages that own companions sent are among them. */
  get inbox(): readonly PhoneMessage[] {
    return this.#parts.inbox.received;
  }

  /** The chat as a person sees it, edits and revokes applied. */
  conversation(chat: ChatTarget): ConversationMessage[] {
    const wanted = this.#parts.book.canonical(targetJid(chat));
    return this.#parts.inbox.conversation((jid) => this.#parts.book.canonical(jid) === wanted);
  }

  /** Looks at the inbox, then waits. Rejects after `timeoutMs` (10 000). */
  waitForMessage(
    matches: (message: PhoneMessage) => boolean,
    options: { timeoutMs?: number } = {},
  ): Promise<PhoneMessage> {
    return this.#parts.inbox.waitFor(matches, options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  /** Receipts for messages of this account, in order of arrival. */
  get receivedReceipts(): readonly ReceivedReceipt[] {
    return this.#parts.receipts.received;
  }

  /** Looks at the receipts that came, then waits. Rejects after `timeoutMs` (10 000). */
  waitForReceipt(
    matches: (receipt: ReceivedReceipt) => boolean,
    options: { timeoutMs?: number } = {},
  ): Promise<ReceivedReceipt> {
    return this.#parts.receipts.waitFor(matches, options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  /** Errors of the phone's own handling of stanzas; empty in a healthy run. */
  get problems(): readonly Error[] {
    return this.#parts.problems;
  }

  /** Resolves when every stanza that arrived so far was handled. */
  settled(): Promise<void> {
    return this.#parts.connection.settled();
  }

  // --- receipts ---

  /** What the phone answers to messages by itself; change fields or assign at any time. */
  get receipts(): ReceiptPolicy {
    return this.#policy;
  }

  set receipts(policy: Partial<ReceiptPolicy>) {
    Object.assign(this.#policy, policy);
  }

  // --- media ---

  /** Downloads the file of a message from the CDN and verifies it. */
  async downloadMedia(message: PhoneMessage): Promise<Buffer> {
    const media = mediaOf(message.message);
    if (!media) throw new Error(`message ${message.id} has no media`);
    return this.#parts.media.download(media.type, media.content);
  }

  get mediaRetry(): MediaRetryPolicy {
    return this.#parts.mediaRetry.policy;
  }

  set mediaRetry(policy: MediaRetryPolicy) {
    this.#parts.mediaRetry.policy = policy;
  }

  get mediaRetryRequests(): readonly MediaRetryRequest[] {
    return this.#parts.mediaRetry.requests;
  }

  /** Deletes the phone's own copy of a file: a media retry for it is then answered with NOT_FOUND. */
  deleteMedia(messageId: string): void {
    this.#parts.mediaRetry.forget(messageId);
  }

  // --- presence on the network ---

  get online(): boolean {
    return this.#parts.connection.online;
  }

  goOffline(): Promise<void> {
    return this.#parts.connection.goOffline();
  }

  async goOnline(): Promise<void> {
    if (this.online) return;
    this.#parts.connection.goOnline();
    for (const device of this.#awaitingBootstrap) this.#bootstraps.set(device, this.#bootstrap(device));
  }

  /** Takes the phone off the network for good and frees its keys' caches. */
  async stop(): Promise<void> {
    await this.goOffline();
    this.#parts.signal.close();
  }

  // --- inside ---

  #linked(companion: LinkedCompanion): LinkedCompanion {
    const { device } = companion;
    this.#companions.add(device);
    this.#awaitingBootstrap.add(device);
    this.#bootstraps.set(device, this.#bootstrap(device));
    return companion;
  }

  /**
   * A companion may take its time to come back after linking: it is waited for while it is linked. A phone
   * that is offline by then makes up for it when it is back.
   */
  async #bootstrap(device: number): Promise<void> {
    const { host, sync } = this.#parts;
    for (let attempt = 0; attempt < MAX_BOOTSTRAP_ATTEMPTS; attempt += 1) {
      if (!this.#companions.has(device) || !this.online) return;
      try {
        await host.whenReady({ user: this.number, device });
      } catch {
        continue;
      }
      if (!this.online || !this.#awaitingBootstrap.delete(device)) return;
      await sync.bootstrap(device).catch((error: unknown) => this.#problem(error));
      return;
    }
  }

  #problem(error: unknown): void {
    this.#parts.problems.push(error instanceof Error ? error : new Error(String(error)));
  }

  #listen(self: PhoneIdentity): void {
    const { connection, signal, book, calls, inbox, receipts, mediaRetry, sender, sync } = this.#parts;
    const receiver = new Receiver(self, {
      connection,
      signal,
      book,
      inbox,
      receipts,
      policy: this.#policy,
      onMessage: (message) => mediaRetry.keep(message.id, message.message),
      onPeerMessage: (message, device, id) => {
        sync.answer(deviceOf(device), message, id).catch((error: unknown) => this.#problem(error));
      },
    });
    connection.on('message', (node) => receiver.take(node));
    connection.on('receipt', async (node) => {
      connection.acknowledge(node);
      receipts.take(node);
      const { type } = node.attrs;
      // Both need answers of the network; the phone goes on handling stanzas meanwhile.
      const work =
        type === 'retry'
          ? sender.sendAgain(node)
          : type === 'server-error'
            ? mediaRetry.answer(node)
            : undefined;
      work?.catch((error: unknown) => this.#problem(error));
    });
    connection.on('notification', async (node) => {
      connection.acknowledge(node);
      await this.#notified(node);
    });
    connection.on('call', async (node) => {
      connection.acknowledge(node);
      calls.take(node);
    });
    connection.on('iq', async (node) => {
      if (node.attrs.xmlns !== 'urn:xmpp:ping') return;
      connection.send({
        tag: 'iq',
        attrs: { to: 's.whatsapp.net', type: 'result', id: node.attrs.id ?? '' },
      });
    });
  }

  async #notified(node: BinaryNode): Promise<void> {
    const { book, byCode, connection, signal, sender } = this.#parts;
    switch (node.attrs.type) {
      case 'link_code_companion_reg':
        byCode.take(node);
        return;
      case 'encrypt':
        if (getBinaryNodeChild(node, 'count'))
          await connection.query(await signal.preKeyUpload(PRE_KEY_BATCH));
        // A contact registered again: the next message to it starts a new session.
        if (getBinaryNodeChild(node, 'identity'))
          await signal.forgetSession(await book.lid(node.attrs.from ?? ''));
        return;
      case 'devices': {
        if (toJid(node.attrs.from ?? '') !== this.jid) return;
        const removed = getBinaryNodeChildren(getBinaryNodeChild(node, 'remove'), 'device');
        for (const { attrs } of removed) this.#companions.delete(deviceOf(attrs.jid ?? ''));
        return;
      }
      case 'w:gp2':
        if (getBinaryNodeChild(node, 'remove')) await sender.membersLeft(node.attrs.from ?? '');
        return;
      default:
    }
  }
}

function targetJid(target: ChatTarget): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}

/** Registers a number and switches its primary phone on. Rejects when the number exists. */
export function createPhone(host: PhoneHost, options: PhoneOptions): Promise<Phone> {
  return Phone.create(host, options);
}

/** Puts the number of `former` on a new installation; see {@link Phone.reinstall}. */
export function reinstallPhone(host: PhoneHost, former: Phone): Promise<Phone> {
  return Phone.reinstall(host, former);
}

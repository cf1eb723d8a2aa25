import type { proto } from 'baileys';
import type { PasskeyPolicy } from '../link.ts';
import type { AccountChanges } from './account/account-changes.ts';
import type { Past } from './account/past.ts';
import { toJid } from './address-book.ts';
import type { AssistantClient } from './assistant.ts';
import type { ChannelClient } from './channels.ts';
import type { GroupPast } from './group-past.ts';
import type { Group } from './groups.ts';
import type { HostilePhone } from './hostile.ts';
import type { ConversationMessage, PhoneMessage } from './inbox.ts';
import type { Hosting } from './linking/device-identity.ts';
import type { PhoneHost } from './linking/host.ts';
import type { LinkedCompanion } from './linking/link-companion.ts';
import type { CodeAnswer, ShownCode } from './linking/passkey-linking.ts';
import { type PasskeyCredential, SoftwareAuthenticator } from './linking/software-authenticator.ts';
import type { MediaRetryPolicy, MediaRetryRequest } from './media/media-retry.ts';
import { mediaOf } from './message-content.ts';
import { type KeptParts, type PhoneParts, phoneParts } from './parts.ts';
import { PhoneLife } from './phone-life.ts';
import type { ReceiptPolicy, ReceivedReceipt } from './receipts.ts';
import { PRE_KEY_BATCH, startReflexes } from './reflexes.ts';
import type { PhoneIdentity } from './sending.ts';
import { SignalClient } from './signal.ts';
import type { StoryClient } from './stories.ts';

export interface PhoneOptions {
  /** Phone number, digits. */
  number: string;
  /** Push name. */
  name: string;
  /** LID, digits or `…@lid`; made up when left out, null: the account has none. */
  lid?: string | null;
  /** One-time keys of its first upload; 100 when left out. */
  preKeys?: number;
}

export interface KeptPhone {
  readonly self: PhoneIdentity;
  readonly parts: KeptParts;
}

/** A chat: a phone number, a user JID, a group or another phone. */
export type ChatTarget = string | Group | Phone;

const WAIT_TIMEOUT_MS = 30_000;

/**
 * A scripted primary phone: device 0 of its account, a Signal client attached to the network in this
 * process. It answers by itself what a phone answers (receipts, retries, media retries, key requests) and
 * does on call what a person would do.
 */
export class Phone extends PhoneLife {
  readonly number: string;
  /** `5511999990001@s.whatsapp.net` */
  readonly jid: string;
  /** `…@lid`; the number's JID, by which stanzas name it then, of an account without a LID. */
  readonly lid: string;
  readonly name: string;
  readonly #parts: PhoneParts;
  readonly #host: PhoneHost;
  #authenticator: SoftwareAuthenticator | undefined;

  private constructor(self: PhoneIdentity, parts: PhoneParts, host: PhoneHost) {
    super(self, parts);
    this.number = self.number;
    this.jid = self.jid;
    this.lid = self.lid;
    this.name = self.name;
    this.#parts = parts;
    this.#host = host;
  }

  /** Registers the number, attaches the phone and uploads its keys. Rejects when the number exists. */
  static async create(host: PhoneHost, options: PhoneOptions): Promise<Phone> {
    const signal = new SignalClient();
    const lid = options.lid === undefined ? {} : { lid: options.lid?.split('@', 1)[0] ?? null };
    const account = host.createAccount({
      user: options.number,
      ...lid,
      name: options.name,
      identityPublic: signal.identity.public,
      registrationId: signal.registrationId,
    });
    const jid = `${options.number}@s.whatsapp.net`;
    const self: PhoneIdentity = {
      number: options.number,
      jid,
      lid: account.lid === null ? jid : `${account.lid}@lid`,
      name: options.name,
    };
    return Phone.#install(host, self, signal, options.preKeys);
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

  static async #install(
    host: PhoneHost,
    self: PhoneIdentity,
    signal: SignalClient,
    preKeys = PRE_KEY_BATCH,
  ): Promise<Phone> {
    const parts = phoneParts(host, self, signal);
    startReflexes(self, parts);
    parts.connection.goOnline();
    await parts.connection.query(await signal.preKeyUpload(preKeys));
    return new Phone(self, parts, host);
  }

  /** The phone of a network that has ended, on the one that goes on. Its account is there already. */
  static revive(host: PhoneHost, { self, parts: kept }: KeptPhone): Phone {
    const parts = phoneParts(host, self, new SignalClient({ kept: kept.signal }), kept);
    startReflexes(self, parts);
    parts.connection.goOnline();
    parts.companions.restore(kept.companions);
    return new Phone(self, parts, host);
  }

  /** What {@link Phone.revive} needs. */
  kept(): KeptPhone {
    const { number, jid, lid, name } = this;
    return { self: { number, jid, lid, name }, parts: this.#parts.kept() };
  }

  // --- companions ---

  /** Device ids of the companions linked now. */
  get companions(): number[] {
    return this.#parts.companions.devices;
  }

  /** Links the companion that shows this QR text. Rejects with `LinkError`. */
  async scanQr(qrText: string): Promise<LinkedCompanion> {
    return this.#parts.companions.linked(await this.#parts.linker.scanQr(qrText));
  }

  /** Links by the eight-character code a companion shows, with or without a dash. Rejects with `LinkError`. */
  async enterPairCode(code: string): Promise<LinkedCompanion> {
    return this.#parts.companions.linked(await this.#parts.linker.enterCode(code));
  }

  /** What Meta hosts of the business, as those are told who are linked from now on. */
  set hosting(hosting: Hosting) {
    this.#parts.linker.hosting = hosting;
  }

  /** What the server demands of those who want to be linked; change fields at any time. */
  get passkey(): PasskeyPolicy & { readonly codes: CodeAnswer } {
    return { ...this.#host.passkeyPolicy(this.number), codes: this.#parts.passkey.codes };
  }

  set passkey(change: Partial<PasskeyPolicy & { readonly codes: CodeAnswer }>) {
    const { codes, ...policy } = change;
    this.#host.setPasskeyPolicy(this.number, { ...this.#host.passkeyPolicy(this.number), ...policy });
    this.#parts.passkey.codes = codes ?? this.#parts.passkey.codes;
  }

  /** The account's own passkey, without a browser; made when it is first asked for. */
  get authenticator(): SoftwareAuthenticator {
    if (!this.#authenticator) {
      this.#authenticator = new SoftwareAuthenticator();
      this.registerPasskey(this.#authenticator.credential);
    }
    return this.#authenticator;
  }

  /** The owner has made a passkey for the account somewhere else, such as in a browser. */
  registerPasskey(credential: PasskeyCredential): void {
    this.#host.addPasskey(this.number, credential);
  }

  /** The code of the linking that is under way, as the phone shows it. Rejects after `timeoutMs` (30 000). */
  passkeyCode(options: { timeoutMs?: number } = {}): Promise<ShownCode> {
    return this.#parts.passkey.waitForCode(options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  /** With `codes: 'ask'`: the owner says whether the companion shows the same code. */
  answerPasskeyCode(same: boolean): void {
    this.#parts.passkey.decide(same);
  }

  /** Resolves when the companion was given keys and history after its first login. */
  async bootstrapped(device: number): Promise<void> {
    await this.#parts.companions.bootstrapped(device);
  }

  /** What companions asked this phone for (history, messages, keys), as they encrypted it. */
  get requests(): readonly proto.IMessage[] {
    return this.#parts.sync.requests;
  }

  /** Logs a companion out: its stream ends with 401 `device_removed`. */
  async unlink(device: number): Promise<void> {
    await this.#parts.companions.unlink(device);
  }

  /** What is done on the phone and told to companions: pins, mutes, labels, contacts, channels… */
  get account(): AccountChanges {
    return this.#parts.account;
  }

  /** Channels: posts, views, reactions. */
  get channels(): ChannelClient {
    return this.#parts.channels;
  }

  /** What the person posts for a day. */
  get stories(): StoryClient {
    return this.#parts.stories;
  }

  /** What the person asks Meta AI, and what it answers. */
  get assistant(): AssistantClient {
    return this.#parts.assistant;
  }

  /** What the person shares of a group's past with new members. */
  get groupPast(): GroupPast {
    return this.#parts.groupPast;
  }

  /** Messages from before the simulation, for companions to sync. */
  get past(): Past {
    return this.#parts.past;
  }

  /** What a phone with altered software can do to others. */
  get hostile(): HostilePhone {
    return this.#parts.hostile;
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

  /** Looks at the inbox, then waits. Rejects after `timeoutMs` (30 000). */
  waitForMessage(
    matches: (message: PhoneMessage) => boolean,
    options: { timeoutMs?: number } = {},
  ): Promise<PhoneMessage> {
    return this.#parts.inbox.waitFor(matches, options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  /** The pictures and videos of an album, in order, once all that it announced are there. */
  async waitForAlbum(id: string, options: { timeoutMs?: number } = {}): Promise<PhoneMessage[]> {
    const album = await this.waitForMessage((message) => message.id === id, options);
    await this.waitForMessage(
      () => this.#parts.inbox.albumItems(id).length >= (album.albumSize ?? 0),
      options,
    );
    return this.#parts.inbox.albumItems(id);
  }

  /** Receipts for messages of this account, in order of arrival. */
  get receivedReceipts(): readonly ReceivedReceipt[] {
    return this.#parts.receipts.received;
  }

  /** Looks at the receipts that came, then waits. Rejects after `timeoutMs` (30 000). */
  waitForReceipt(
    matches: (receipt: ReceivedReceipt) => boolean,
    options: { timeoutMs?: number } = {},
  ): Promise<ReceivedReceipt> {
    return this.#parts.receipts.waitFor(matches, options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  /** Errors of the phone's own handling of stanzas; empty in a healthy run. */
  get problems(): readonly Error[] {
    return this.#parts.problems.all;
  }

  /** Resolves when every stanza that arrived so far was handled. */
  idle(): Promise<void> {
    return this.#parts.connection.idle();
  }

  /**
   * As after going back to an old backup: no session with a device of that person is left, and no sender key of it.
   * What comes from there cannot be read and is asked for again.
   */
  async loseKeysOf(contact: ChatTarget): Promise<void> {
    await this.#parts.signal.forgetUser(toJid(await this.#parts.book.lid(targetJid(contact))));
  }

  // --- receipts ---

  /** What the phone answers to messages by itself; change fields or assign at any time. */
  get receipts(): ReceiptPolicy {
    return this.#parts.policy;
  }

  set receipts(policy: Partial<ReceiptPolicy>) {
    Object.assign(this.#parts.policy, policy);
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
    this.#parts.companions.phoneIsBack();
  }

  /** Takes the phone off the network for good and frees its keys' caches. */
  async stop(): Promise<void> {
    await this.goOffline();
    this.#parts.signal.close();
  }
}

function targetJid(target: ChatTarget): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}

/** Registers a number and switches its primary phone on. Rejects when the number exists. */
export function createPhone(host: PhoneHost, options: PhoneOptions): Promise<Phone> {
  return Phone.create(host, options);
}

/** Switches a phone on again that was kept; see {@link Phone.revive}. */
export function revivePhone(host: PhoneHost, kept: KeptPhone): Phone {
  return Phone.revive(host, kept);
}

/** Puts the number of `former` on a new installation; see {@link Phone.reinstall}. */
export function reinstallPhone(host: PhoneHost, former: Phone): Promise<Phone> {
  return Phone.reinstall(host, former);
}

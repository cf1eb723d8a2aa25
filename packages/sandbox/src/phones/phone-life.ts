import type { BusinessDetails } from './account/business.ts';
import type { ProfileClient } from './account/profile.ts';
import { toJid } from './address-book.ts';
import type { CallClient, CallSignal } from './calls.ts';
import { PhoneGroups } from './phone-groups.ts';
import type { Recipient } from './phone-messages.ts';
import type { PresenceSeen, PresencesSeen } from './presences.ts';
import type { Receipts } from './receipts.ts';
import { type PhoneIdentity, STORIES } from './sending.ts';

type LifeParts = ConstructorParameters<typeof PhoneGroups>[1] & {
  readonly calls: CallClient;
  readonly presences: PresencesSeen;
  readonly profile: ProfileClient;
  readonly receipts: Receipts;
};

const WAIT_TIMEOUT_MS = 30_000;

/** What a person does with a phone beside writing: read, be there, type, call, and keep a profile. */
export class PhoneLife extends PhoneGroups {
  readonly #self: PhoneIdentity;
  readonly #calls: CallClient;
  readonly #profile: ProfileClient;
  readonly #parts: LifeParts;

  constructor(self: PhoneIdentity, parts: LifeParts) {
    super(self, parts);
    this.#self = self;
    this.#calls = parts.calls;
    this.#profile = parts.profile;
    this.#parts = parts;
  }

  // --- reading ---

  /** Marks messages of one chat as read; in groups one receipt per author. */
  async markRead(chat: Recipient, ids: readonly string[]): Promise<void> {
    this.#mark('read', chat, ids);
  }

  /** Marks voice messages as listened to. */
  async markPlayed(chat: Recipient, ids: readonly string[]): Promise<void> {
    this.#mark('played', chat, ids);
  }

  // --- presence ---

  /** Who subscribed to this account is told, once per change. */
  setPresence(state: 'available' | 'unavailable'): void {
    this.#profile.setPresence(state, this.#self.name);
  }

  /** Typing (`text`) or recording (`audio`) in a chat, or neither any more; seen by who is online. */
  async typing(
    chat: Recipient,
    state: 'composing' | 'paused' = 'composing',
    media: 'text' | 'audio' = 'text',
  ): Promise<void> {
    await this.#profile.typing(jidOf(chat), state, media);
  }

  /** Asks to be told of the contact's presence. */
  async subscribePresence(contact: Recipient): Promise<void> {
    await this.#profile.subscribe(jidOf(contact));
  }

  /** The next that the phone shows of somebody's presence or typing, each told once. Rejects after `timeoutMs` (30 000). */
  nextPresence(
    matches: (seen: PresenceSeen) => boolean = () => true,
    options: { timeoutMs?: number } = {},
  ): Promise<PresenceSeen> {
    return this.#parts.presences.next(matches, options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  // --- calls ---

  /** Rings a contact or a group; no media flows. */
  async call(to: Recipient, options: { video?: boolean } = {}): Promise<{ id: string }> {
    return { id: await this.#calls.offer(jidOf(to), options.video ?? false) };
  }

  /** What a phone does with a call it was offered. */
  answerCall(callId: string, answer: 'preaccept' | 'accept' | 'reject'): void {
    this.#calls.send(callId, answer);
  }

  hangUp(callId: string, reason?: string): void {
    this.#calls.send(callId, 'terminate', reason === undefined ? {} : { reason });
  }

  sendRelayLatency(callId: string, latencyMs: number): void {
    this.#calls.relayLatency(callId, latencyMs);
  }

  /** Any other signal of a call: `transport`, `mute_v2`, or one that no client knows. */
  signalCall(callId: string, signal: string, attrs: Record<string, string> = {}): void {
    this.#calls.send(callId, signal, attrs);
  }

  /** Call signals in order of arrival. */
  get callSignals(): readonly CallSignal[] {
    return this.#calls.received;
  }

  /** Looks at the signals that came, then waits. Rejects after `timeoutMs` (30 000). */
  waitForCall(
    matches: (signal: CallSignal) => boolean,
    options: { timeoutMs?: number } = {},
  ): Promise<CallSignal> {
    return this.#calls.waitFor(matches, options.timeoutMs ?? WAIT_TIMEOUT_MS);
  }

  // --- profile ---

  async setAbout(text: string): Promise<void> {
    await this.#profile.setAbout(text);
  }

  /** Sets the picture of the account, or of a group; it is kept on the CDN. */
  async setPicture(picture: Uint8Array, group?: { readonly jid: string }): Promise<void> {
    await this.#profile.setPicture(group?.jid ?? this.#self.jid, picture);
  }

  async removePicture(group?: { readonly jid: string }): Promise<void> {
    await this.#profile.setPicture(group?.jid ?? this.#self.jid, undefined);
  }

  /** A privacy category and its value, such as `last` and `contacts` (whatsmeow types/user.go). */
  async setPrivacy(category: string, value: string): Promise<void> {
    await this.#profile.setPrivacy(category, value);
  }

  /** The phone runs WhatsApp Business from now on, with this profile. */
  async becomeBusiness(details: BusinessDetails): Promise<void> {
    await this.#profile.setBusiness(details);
  }

  async block(contact: Recipient): Promise<void> {
    await this.#profile.setBlocked(jidOf(contact), true);
  }

  async unblock(contact: Recipient): Promise<void> {
    await this.#profile.setBlocked(jidOf(contact), false);
  }

  #mark(type: 'read' | 'played', chat: Recipient, ids: readonly string[]): void {
    const { book, inbox, receipts } = this.#parts;
    const jid = jidOf(chat);
    const byAuthor = new Map<string, string[]>();
    for (const id of ids) {
      const { fromDevice: author = jid, list } = inbox.find(id) ?? {};
      // What came by a list is read there (whatsapp-rust receipt.rs build_read_receipt_node).
      if (list !== undefined) receipts.mark(type, list, [id], toJid(author));
      else byAuthor.set(author, [...(byAuthor.get(author) ?? []), id]);
    }
    for (const [author, authored] of byAuthor) {
      if (jid.endsWith('@g.us') || jid === STORIES) receipts.mark(type, jid, authored, author);
      // The address the chat was written under, as clients answer in the addressing of the message.
      else receipts.mark(type, toJid(author === jid ? (book.knownLid(jid) ?? jid) : author), authored);
    }
  }
}

function jidOf(target: Recipient): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}

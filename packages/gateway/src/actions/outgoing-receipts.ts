/** Receipts that a user sends: read, delivered, and the request to send a message again. */

import type { Clock } from '../clock.ts';
import { AppError, invalidField } from '../errors.ts';
import { identityOf, isGroupJid, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import {
  chatOf,
  listOf,
  type MessageDevice,
  type StoredMessage,
  senderOf,
} from '../messages/stored-message.ts';
import { lookUpMessages } from '../messages/visible.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { RetryAddress } from '../whatsapp/port/messages.ts';
import type { OutboundReceipt } from '../whatsapp/port/receipts.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { STORIES } from '../whatsapp/port/stories.ts';
import { mayBe, namesMeant } from './names-meant.ts';

export interface ReceiptRequest {
  kind: 'delivered' | 'read' | 'retry';
  /** As the caller names it: a phone number or JID. */
  chat: string;
  /** The author; needed in a group for messages that we do not have. */
  sender?: string | undefined;
  messageIds: string[];
  deviceId?: string | undefined;
  /** Milliseconds; default now. */
  at?: number | undefined;
}

export interface SentReceipt {
  chatJid: Jid;
  senderJid: Jid | null;
  messageIds: string[];
  /** Of a retry: those that are readable, so that nothing was asked for. */
  skipped: string[];
  /** Milliseconds. */
  at: number;
}

/** The names that the caller may mean, the given one first. */
interface Meant {
  chat: [Jid, ...Jid[]];
  sender: [Jid, ...Jid[]] | null;
}

/** A message that a receipt is about; what was never stored is known by the caller's words alone. */
interface Subject {
  id: string;
  chat: Identity;
  isGroup: boolean;
  sender: Identity | null;
  stored: StoredMessage | null;
}

export class OutgoingReceipts {
  readonly #devices: SendingDevices;
  readonly #archive: MessageArchive;
  readonly #recipients: Recipients;
  readonly #clock: Clock;

  constructor(parts: {
    devices: SendingDevices;
    archive: MessageArchive;
    recipients: Recipients;
    clock: Clock;
  }) {
    this.#devices = parts.devices;
    this.#archive = parts.archive;
    this.#recipients = parts.recipients;
    this.#clock = parts.clock;
  }

  /**
   * Sends the receipt over the device that holds the messages, else over the one the caller means. WhatsApp
   * does not answer receipts: that it left is all there is to know. Throws VALIDATION_ERROR,
   * DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS, DEVICE_NOT_READY; for a retry MESSAGE_NOT_FOUND.
   */
  async send(caller: Caller, request: ReceiptRequest): Promise<SentReceipt> {
    const meant = {
      chat: namesMeant(request.chat, 'chat_jid'),
      sender: request.sender ? namesMeant(request.sender, 'sender_jid') : null,
    };
    const named = await this.#received(caller, request, meant);
    const device = await this.#device(caller, request.deviceId, [...named.values()].flat());
    const session = this.#devices.session(device);
    const stored = request.messageIds.map((id) => named.get(id)?.find((copy) => copy.deviceId === device.id));
    const unknown = stored.some((copy) => !copy);
    const { chat, sender } = await this.#who(unknown ? session : null, device, meant);
    const subjects = request.messageIds.map((id, index) =>
      subjectOf(id, stored[index] ?? null, chat, sender),
    );
    const at = request.at ?? this.#clock.now();
    const skipped =
      request.kind === 'retry'
        ? await this.#askAgain(session, subjects)
        : await this.#mark(session, request.kind, subjects, at);
    const [first] = subjects;
    const names = (who: Identity | null | undefined): Jid | null => who?.jid ?? who?.lid ?? null;
    return {
      chatJid: names(first?.chat) ?? request.chat,
      senderJid: names(first?.sender),
      messageIds: subjects.map(({ id }) => id),
      skipped,
      at,
    };
  }

  /** Who is meant by the names; without a session, as far as is known here. */
  async #who(
    session: WhatsAppSession | null,
    device: MessageDevice,
    { chat: [chatName], sender: senderNames }: Meant,
  ): Promise<{ chat: Identity; sender: Identity | null }> {
    const [chat = identityOf(chatName)] = await this.#recipients.people({ session, device, chat: null }, [
      chatName,
    ]);
    if (!senderNames) return { chat, sender: null };
    const [senderName] = senderNames;
    const here = { to: chatName, chat, isGroup: isGroupJid(chatName) };
    const [sender = identityOf(senderName)] = await this.#recipients.people({ session, device, chat: here }, [
      senderName,
    ]);
    return { chat, sender };
  }

  /** What was received in that chat under each of the ids, among what the caller may see. */
  async #received(
    caller: Caller,
    { messageIds, deviceId }: ReceiptRequest,
    { chat, sender }: Meant,
  ): Promise<Map<string, StoredMessage[]>> {
    const parts = { archive: this.#archive, devices: this.#devices };
    const isMeant = (copy: StoredMessage): boolean => {
      const own = copy.fromMe && copy.kind !== 'undecryptable';
      const list = listOf(copy);
      const here = mayBe(chatOf(copy), chat) || (list !== null && chat.includes(list));
      if (own || !here) return false;
      return sender === null || !copy.isGroup || mayBe(senderOf(copy), sender);
    };
    const found = new Map<string, StoredMessage[]>();
    for (const id of new Set(messageIds)) {
      found.set(id, await lookUpMessages(parts, caller, { id, deviceId }, isMeant));
    }
    return found;
  }

  async #device(
    caller: Caller,
    deviceId: string | undefined,
    copies: StoredMessage[],
  ): Promise<MessageDevice> {
    const holders = new Set(copies.map((copy) => copy.deviceId));
    if (deviceId !== undefined || holders.size !== 1) return this.#devices.resolve(caller, deviceId);
    const [holder] = holders;
    return this.#devices.resolve(caller, holder);
  }

  /** One stanza per author and broadcast list: a receipt names one. */
  async #mark(
    session: WhatsAppSession,
    kind: 'delivered' | 'read',
    subjects: Subject[],
    at: number,
  ): Promise<string[]> {
    const batches: Omit<OutboundReceipt, 'kind' | 'at'>[] = [];
    for (const { id, chat, isGroup, sender, stored } of subjects) {
      const isShared = isGroup || chat.jid === STORIES;
      if (isShared && !sender) {
        throw invalidField('sender_jid', 'is needed in a group, and of a story: who wrote the message');
      }
      const author = isShared ? sender : null;
      const list = stored && listOf(stored);
      const batch = batches.find(
        (each) => each.list === list && (!author || (each.sender && sameIdentity(each.sender, author))),
      );
      if (batch) batch.messageIds.push(id);
      else batches.push({ chat, sender: author, list, messageIds: [id] });
    }
    for (const batch of batches) await onSession(() => session.receipts.send({ kind, at, ...batch }));
    return [];
  }

  async #askAgain(session: WhatsAppSession, subjects: Subject[]): Promise<string[]> {
    const skipped: string[] = [];
    // Nothing is asked for unless all of it can be: what never arrived has nobody to be asked of.
    if (subjects.some(({ stored }) => stored === null)) throw new AppError('MESSAGE_NOT_FOUND');
    for (const { id, stored } of subjects) {
      if (stored?.kind !== 'undecryptable') {
        skipped.push(id);
        continue;
      }
      const attempt = await this.#archive.countRetry(stored);
      const address = stored.context.retry ?? phoneOf(stored);
      await onSession(() => session.messages.requestRetry({ messageId: id, address, attempt }));
    }
    return skipped;
  }
}

function subjectOf(
  id: string,
  stored: StoredMessage | null,
  chat: Identity,
  sender: Identity | null,
): Subject {
  if (stored) {
    return {
      id: stored.messageId,
      chat: chatOf(stored),
      isGroup: stored.isGroup,
      sender: senderOf(stored),
      stored,
    };
  }
  const isGroup = chat.jid !== null && isGroupJid(chat.jid);
  const isShared = isGroup || chat.jid === STORIES;
  return { id, chat, isGroup, sender: sender ?? (isShared ? null : chat), stored: null };
}

/** Stored before the sender's device was kept: its account's phone is asked. */
function phoneOf(message: StoredMessage): RetryAddress {
  const author = message.senderLid ?? message.senderJid;
  return {
    from: message.isGroup ? message.chatJid : author,
    participant: message.isGroup ? author : null,
    recipient: message.fromMe && !message.isGroup ? (message.chatLid ?? message.chatJid) : null,
    t: String(Math.floor(message.timestamp / 1000)),
  };
}

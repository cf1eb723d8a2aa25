/** The stored message that an operation speaks of, and the device that acts on it. */
import { AppError, type ErrorCode } from '../errors.ts';
import { identityOf, sameIdentity } from '../identity/jid.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import {
  accountOfMessage,
  chatOf,
  type MessageDevice,
  type StoredMessage,
} from '../messages/stored-message.ts';
import { type Fits, findMessages, messagesNamed, visibleCopiesOfFirst } from '../messages/visible.ts';
import { holdsAccount } from '../sending/account.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { namesOf, type Recipient, type RecipientAddress, type Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** How looking for a message to act on can end. */
export const COPY_FAILURES = [
  'MESSAGE_NOT_FOUND',
  'ACCOUNT_CHANGED',
  'DEVICE_NOT_FOUND',
  'DEVICE_NOT_READY',
] as const satisfies readonly ErrorCode[];

/** The same, and sending the change of it; in a chat that the caller names. */
export const CHANGE_FAILURES = [
  ...COPY_FAILURES,
  ...SESSION_FAILURES,
  'INVALID_RECIPIENT',
  'NOT_ON_WHATSAPP',
  'IDEMPOTENCY_CONFLICT',
] as const satisfies readonly ErrorCode[];

/** A copy of a message, and the device that has it. */
export interface CopyOnDevice {
  target: StoredMessage;
  device: MessageDevice;
  /** Null while the device is not connected, and for a former account's message. */
  session: WhatsAppSession | null;
  /** Why there is no session. */
  obstacle: AppError | null;
  /** The device held another account when it had the message: with the one of today nothing can be done to it. */
  former: boolean;
}

export class MessageCopies {
  readonly #devices: SendingDevices;
  readonly #archive: MessageArchive;
  readonly #recipients: Recipients;

  constructor(parts: { devices: SendingDevices; archive: MessageArchive; recipients: Recipients }) {
    this.#devices = parts.devices;
    this.#archive = parts.archive;
    this.#recipients = parts.recipients;
  }

  /** Copies of what was sent or received; MESSAGE_NOT_FOUND when there is none. */
  any(caller: Caller, name: MessageName): Promise<StoredMessage[]> {
    return findMessages({ archive: this.#archive, devices: this.#devices }, caller, name);
  }

  /**
   * The copies of the message with this name that are in the chat of the address and that fit; none when the
   * message is in another chat. Throws MESSAGE_NOT_FOUND when there is no such message, DEVICE_NOT_READY when only
   * WhatsApp knows which chat the address means, and what its look-up throws.
   */
  async inChat(
    caller: Caller,
    name: MessageName,
    address: RecipientAddress,
    fits: Fits = () => true,
  ): Promise<CopyOnDevice[]> {
    const parts = { archive: this.#archive, devices: this.#devices };
    const named = (await messagesNamed(parts, caller, name)).filter(fits);
    const sure = named.filter((each) => isNamedBy(each, address));
    const meant = sure.length > 0 ? sure : await this.#foundInChat(caller, named, address);
    const copies = await visibleCopiesOfFirst(this.#devices, caller, meant);
    const hidden = (each: StoredMessage): boolean => each.hiddenAt !== null;
    if (copies.length === 0 && (meant.length > 0 || named.every(hidden))) {
      throw new AppError('MESSAGE_NOT_FOUND');
    }
    return Promise.all(copies.map((copy) => this.holder(caller, copy)));
  }

  /** The device that holds the copy, connected or not. */
  async holder(caller: Caller, target: StoredMessage): Promise<CopyOnDevice> {
    const device = await this.#devices.resolve(caller, target.deviceId);
    if (!holdsAccount(device, accountOfMessage(target))) {
      const obstacle = new AppError('ACCOUNT_CHANGED');
      return { target, device, session: null, obstacle, former: true };
    }
    try {
      return { target, device, session: this.#devices.session(device), obstacle: null, former: false };
    } catch (error) {
      if (error instanceof AppError && error.code === 'DEVICE_NOT_READY') {
        return { target, device, session: null, obstacle: error, former: false };
      }
      throw error;
    }
  }

  async #foundInChat(
    caller: Caller,
    messages: readonly StoredMessage[],
    address: RecipientAddress,
  ): Promise<StoredMessage[]> {
    const found: StoredMessage[] = [];
    for (const message of messages) {
      if (await this.#isInChat(await this.holder(caller, message), address)) found.push(message);
    }
    return found;
  }

  /**
   * The first copy on a connected device, else the first of all. MESSAGE_NOT_FOUND without copies,
   * ACCOUNT_CHANGED when all are former accounts'.
   */
  async reachable(caller: Caller, copies: readonly StoredMessage[]): Promise<CopyOnDevice> {
    const all: CopyOnDevice[] = [];
    for (const target of copies) {
      const found = await this.holder(caller, target);
      if (found.session) return found;
      all.push(found);
    }
    return firstUsable(all);
  }

  /**
   * Whether the address names the chat of the message. Throws DEVICE_NOT_READY when only WhatsApp could
   * tell, and what its look-up throws.
   */
  async #isInChat(copy: CopyOnDevice, address: RecipientAddress): Promise<boolean> {
    const { target, device } = copy;
    const chat = chatOf(target);
    if (isNamedBy(target, address)) return true;
    // The chat is known by its LID alone, and the caller gives a number.
    if (address.kind !== 'number' || chat.jid !== null) return false;
    const recipient = await this.#recipients.resolve(sessionOf(copy), device, address);
    return sameIdentity(recipient.chat, chat);
  }
}

function isNamedBy(message: StoredMessage, address: RecipientAddress): boolean {
  return namesOf(address).some((name) => sameIdentity(identityOf(name), chatOf(message)));
}

/** The first that is not a former account's, on a connected device if there is one; else as `reachable`. */
export function firstUsable(all: readonly CopyOnDevice[]): CopyOnDevice {
  const found = all.find(({ session }) => session) ?? all.find(({ former }) => !former);
  if (found) return found;
  throw new AppError(all.length === 0 ? 'MESSAGE_NOT_FOUND' : 'ACCOUNT_CHANGED');
}

/** The session of the device that has the copy. Throws DEVICE_NOT_READY, or ACCOUNT_CHANGED. */
export function sessionOf({ session, obstacle }: CopyOnDevice): WhatsAppSession {
  if (session) return session;
  throw obstacle ?? new AppError('INTERNAL_ERROR');
}

/** The chat of a stored message, as somewhere to send to. */
export function chatToSendTo(target: StoredMessage): Recipient {
  return { to: target.chatJid, chat: chatOf(target), isGroup: target.isGroup };
}

/** The stored message that an operation speaks of, and the device that acts on it. */
import { AppError } from '../errors.ts';
import { identityOf, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { chatOf, type MessageDevice, type StoredMessage } from '../messages/stored-message.ts';
import { findMessages, findOwnMessages } from '../messages/visible.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { namesOf, type Recipient, type RecipientAddress, type Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** A copy of a message, and the device that has it. */
export interface HeldMessage {
  target: StoredMessage;
  device: MessageDevice;
  /** Null while the device is not connected. */
  session: WhatsAppSession | null;
}

export class HeldMessages {
  readonly #devices: SendingDevices;
  readonly #archive: MessageArchive;
  readonly #recipients: Recipients;

  constructor(parts: { devices: SendingDevices; archive: MessageArchive; recipients: Recipients }) {
    this.#devices = parts.devices;
    this.#archive = parts.archive;
    this.#recipients = parts.recipients;
  }

  /** Copies of what the account of a device of the caller's sent; MESSAGE_NOT_FOUND when there is none. */
  own(caller: Caller, messageId: string, deviceId?: string): Promise<StoredMessage[]> {
    return findOwnMessages({ archive: this.#archive, devices: this.#devices }, caller, messageId, deviceId);
  }

  /** Copies of what was sent or received; MESSAGE_NOT_FOUND when there is none. */
  any(caller: Caller, messageId: string, deviceId?: string): Promise<StoredMessage[]> {
    return findMessages({ archive: this.#archive, devices: this.#devices }, caller, messageId, deviceId);
  }

  /** The device that holds the copy, connected or not. */
  async holder(caller: Caller, target: StoredMessage): Promise<HeldMessage> {
    const device = await this.#devices.resolve(caller, target.deviceId);
    try {
      return { target, device, session: this.#devices.session(device) };
    } catch (error) {
      if (error instanceof AppError && error.code === 'DEVICE_NOT_READY') {
        return { target, device, session: null };
      }
      throw error;
    }
  }

  /** The first copy on a connected device, else the first of all. MESSAGE_NOT_FOUND without copies. */
  async reachable(caller: Caller, copies: readonly StoredMessage[]): Promise<HeldMessage> {
    let fallback: HeldMessage | null = null;
    for (const target of copies) {
      const held = await this.holder(caller, target);
      if (held.session) return held;
      fallback ??= held;
    }
    if (!fallback) throw new AppError('MESSAGE_NOT_FOUND');
    return fallback;
  }

  /**
   * Whether the address names the chat of the message. Throws DEVICE_NOT_READY when only WhatsApp could
   * tell, and what its look-up throws.
   */
  async isInChat({ target, device, session }: HeldMessage, address: RecipientAddress): Promise<boolean> {
    const chat = chatOf(target);
    if (namesOf(address).some((name) => sameIdentity(identityOf(name), chat))) return true;
    // The chat is known by its LID alone, and the caller gives a number.
    if (address.kind !== 'number' || chat.jid !== null) return false;
    if (!session) throw new AppError('DEVICE_NOT_READY');
    const recipient = await this.#recipients.resolve(session, device, address);
    return sameIdentity(recipient.chat, chat);
  }
}

/** The chat of a stored message, as somewhere to send to. */
export function chatToSendTo(target: StoredMessage): Recipient {
  return { to: target.chatJid, chat: chatOf(target), isGroup: target.isGroup };
}

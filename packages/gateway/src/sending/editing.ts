/** Editing a message that was sent. */
import type { Clock } from '../clock.ts';
import { AppError, invalidField } from '../errors.ts';
import { identityOf, sameIdentity } from '../identity/jid.ts';
import { lookUpSpellings } from '../identity/phone-number.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { assertEditable, hasCaption } from '../messages/edit-rules.ts';
import { chatIdentity, type MessageDevice, type StoredMessage } from '../messages/stored-message.ts';
import { findOwnMessages } from '../messages/visible.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { WhatsAppSession } from '../whatsapp/session.ts';
import { editMessage } from './content/edit.ts';
import { checkedCaption, checkedText } from './content.ts';
import { type Delivered, deliver, earlierDelivery, type SendAttempt } from './delivery.ts';
import type { SendingDevices } from './pipeline.ts';
import type { RecipientAddress, Recipients } from './recipients.ts';

export interface EditRequest {
  messageId: string;
  address: RecipientAddress;
  text: string;
  deviceId?: string | undefined;
  attempt?: SendAttempt | undefined;
}

export class Editing {
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
   * Replaces the text or caption of a message of ours and resolves once WhatsApp's server has the edit.
   * Answers with the id of the edit. Throws MESSAGE_NOT_FOUND (unknown, received, or another tenant's),
   * VALIDATION_ERROR, NOT_EDITABLE, EDIT_WINDOW_EXPIRED, and what sending throws.
   */
  async edit(caller: Caller, request: EditRequest): Promise<Delivered> {
    checkedText('message', request.text);
    const parts = { archive: this.#archive, devices: this.#devices };
    const copies = await findOwnMessages(parts, caller, request.messageId, request.deviceId);
    const { target, device, session } = await this.#reachable(caller, copies);
    await this.#assertSameChat(request.address, target, device, session);
    assertEditable(target, this.#clock.now());
    if (hasCaption(target.kind)) checkedCaption(request.text, 'message');
    if (!session) throw new AppError('DEVICE_NOT_READY');
    const original = (await this.#archive.wireMessage(target)) ?? {};
    const composed = editMessage({ target, original, text: request.text, now: this.#clock.now() });
    const recipient = {
      to: target.chatJid,
      chat: chatIdentity({ chat_jid: target.chatJid, chat_lid: target.chatLid }),
      isGroup: target.isGroup,
    };
    const delivered =
      (await earlierDelivery(this.#archive, device, request.attempt)) ??
      (await deliver(this.#archive, { session, device, recipient, composed, attempt: request.attempt }));
    await this.#archive.markEdited(target.tenantId, target.rowId, request.text, delivered.timestamp);
    return delivered;
  }

  /** The copy on a connected device, else any, whose session is then null. */
  async #reachable(
    caller: Caller,
    copies: StoredMessage[],
  ): Promise<{ target: StoredMessage; device: MessageDevice; session: WhatsAppSession | null }> {
    let fallback: { target: StoredMessage; device: MessageDevice; session: null } | null = null;
    for (const target of copies) {
      const device = await this.#devices.resolve(caller, target.deviceId);
      try {
        return { target, device, session: this.#devices.session(device) };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'DEVICE_NOT_READY') throw error;
        fallback ??= { target, device, session: null };
      }
    }
    if (!fallback) throw new AppError('MESSAGE_NOT_FOUND');
    return fallback;
  }

  async #assertSameChat(
    address: RecipientAddress,
    target: StoredMessage,
    device: MessageDevice,
    session: WhatsAppSession | null,
  ): Promise<void> {
    const chat = chatIdentity({ chat_jid: target.chatJid, chat_lid: target.chatLid });
    const names =
      address.kind === 'chat'
        ? [address.jid]
        : lookUpSpellings(address.digits).map((digits) => `${digits}@s.whatsapp.net`);
    if (names.some((name) => sameIdentity(identityOf(name), chat))) return;
    // The chat is known by its LID alone, and the caller gives a number: only WhatsApp can tell.
    if (address.kind === 'number' && chat.jid === null) {
      if (!session) throw new AppError('DEVICE_NOT_READY');
      const recipient = await this.#recipients.resolve(session, device, address);
      if (sameIdentity(recipient.chat, chat)) return;
    }
    throw invalidField('to', 'is not the chat of this message');
  }
}

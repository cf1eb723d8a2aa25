/** Deleting a message: for everyone in the chat, or for us alone. */
import { AppError, invalidField } from '../errors.ts';
import { isNewsletter, sameIdentity } from '../identity/jid.ts';
import type { MessageName } from '../identity/message-name.ts';
import { assertDeletable, withinDeleteWindow } from '../messages/rules/delete-rules.ts';
import type { MessageDevice, StoredMessage } from '../messages/stored-message.ts';
import { claimedName, earlierDelivery, type SendAttempt } from '../sending/delivery.ts';
import type { RecipientAddress } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { type ChangingParts, sendChange } from './changing.ts';
import { revokeMessage } from './content/revoke.ts';
import { type CopyOnDevice, firstUsable, sessionOf } from './message-copies.ts';

export type DeleteType = 'for_everyone' | 'for_me';

export interface DeleteRequest {
  name: MessageName;
  /** The chat of the message. */
  address: RecipientAddress;
  type: DeleteType;
  /** Refuse what the account did not send, even where its role in the group would permit it. */
  ownOnly: boolean;
  attempt?: SendAttempt | undefined;
}

export interface DeletedMessage {
  target: StoredMessage;
  /** Milliseconds. */
  deletedAt: number;
  /** Whole minutes between the message and its deletion. */
  elapsedMinutes: number;
  withinWindow: boolean;
}

export class Deleting {
  readonly #parts: ChangingParts;

  constructor(parts: ChangingParts) {
    this.#parts = parts;
  }

  /**
   * Resolves once WhatsApp's server has the revoke, or the message is hidden here. Throws
   * MESSAGE_NOT_FOUND, VALIDATION_ERROR (another chat), DEVICE_AMBIGUOUS (several devices in one group),
   * FORBIDDEN (another's message), NOT_DELETABLE, DELETE_WINDOW_EXPIRED, and what sending throws.
   */
  async delete(caller: Caller, request: DeleteRequest): Promise<DeletedMessage> {
    const found = await this.#find(caller, request);
    const { target } = found;
    if (request.ownOnly && !target.fromMe) {
      throw new AppError('FORBIDDEN', {
        message:
          'the account of this device did not send the message; leave validateOwnership out to delete it',
      });
    }
    const asked = this.#parts.clock.now();
    if (request.type === 'for_me') await this.#parts.archive.hide(target, asked);
    return {
      target,
      deletedAt: request.type === 'for_me' ? asked : await this.#revoke(found, request.attempt),
      elapsedMinutes: Math.max(0, Math.floor((asked - target.timestamp) / 60_000)),
      withinWindow: withinDeleteWindow(target, asked),
    };
  }

  /** The copy in the chat that is meant: our own first, then one on a connected device. */
  async #find(caller: Caller, request: DeleteRequest): Promise<CopyOnDevice> {
    const name = claimedName(request.name, request.attempt);
    const inChat = await this.#parts.copies.inChat(caller, name, request.address);
    const own = inChat.filter((copy) => copy.target.fromMe);
    const candidates = own.length > 0 ? own : inChat;
    const [first, second] = candidates;
    if (!first) throw invalidField('chatJid', 'is not the chat of this message');
    if (request.type === 'for_me' && second) throw new AppError('DEVICE_AMBIGUOUS');
    return firstUsable(candidates);
  }

  async #revoke(found: CopyOnDevice, attempt: SendAttempt | undefined): Promise<number> {
    const { target, device } = found;
    const { archive, clock } = this.#parts;
    const earlier = await earlierDelivery(archive, target.tenantId, attempt);
    if (earlier) return earlier.timestamp;
    // In a channel the server knows who runs it.
    const post = isNewsletter(target.chatJid);
    if (!target.fromMe && !target.isGroup && !post) {
      throw new AppError('FORBIDDEN', {
        message: 'only its author can delete this message for everyone; for_me takes it out of this device',
      });
    }
    assertDeletable(target, clock.now());
    const session = sessionOf(found);
    if (!target.fromMe && !post) await assertAdmin(session, device, target);
    const composed = revokeMessage(target);
    return (await sendChange(archive, session, { found, composed, attempt })).timestamp;
  }
}

/** The server refuses the revoke of a member who is no admin with a bare 403: better to say so first. */
async function assertAdmin(
  session: WhatsAppSession,
  device: MessageDevice,
  target: StoredMessage,
): Promise<void> {
  const members = await onSession(() => session.groups.members(target.chatJid));
  if (members.some((member) => member.admin && sameIdentity(member, device))) return;
  throw new AppError('FORBIDDEN', {
    message:
      "only the group's admins can delete another's message for everyone; for_me takes it out of this device",
  });
}

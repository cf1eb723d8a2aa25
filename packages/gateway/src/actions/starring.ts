/** Starring a message, on all devices of the account. */
import { AppError } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import { NOT_SHOWN } from '../messages/shown-kinds.ts';
import { chatOf, type StoredMessage, senderOf } from '../messages/stored-message.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import { type MessageCopies, sessionOf } from './message-copies.ts';

export interface StarRequest {
  name: MessageName;
  starred: boolean;
}

export class Starring {
  readonly #copies: MessageCopies;

  constructor(copies: MessageCopies) {
    this.#copies = copies;
  }

  /** Resolves once WhatsApp has it. Throws MESSAGE_NOT_FOUND, NOT_STARRABLE, DEVICE_NOT_READY, WHATSAPP_TIMEOUT. */
  async star(caller: Caller, { name, starred }: StarRequest): Promise<StoredMessage> {
    const copies = await this.#copies.any(caller, name);
    const found = await this.#copies.reachable(caller, copies);
    const { target } = found;
    if (target.revokedAt !== null) {
      throw new AppError('NOT_STARRABLE', { message: 'the message was deleted' });
    }
    if (NOT_SHOWN.includes(target.kind)) {
      throw new AppError('NOT_STARRABLE', { message: `a message of kind ${target.kind} cannot be starred` });
    }
    const session = sessionOf(found);
    const { messageId, fromMe, isGroup } = target;
    const sender = isGroup && !fromMe ? senderOf(target) : null;
    const star = {
      name: 'message.starred',
      chat: chatOf(target),
      messageId,
      fromMe,
      sender,
      starred,
    } as const;
    await onSession(() => session.account.change(star));
    return target;
  }
}

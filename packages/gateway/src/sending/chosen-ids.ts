/** Message ids that callers choose: each may be used once per device. */
import { AppError } from '../errors.ts';
import { contradicts, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { isUncertain } from '../messages/send-state.ts';
import { chatOf, type MessageDevice, senderOf } from '../messages/stored-message.ts';
import type { SendId } from './delivery.ts';
import type { Recipient } from './recipients.ts';

/** Requests are matched within this process; their rows tell of earlier ones. */
export class ChosenIds {
  readonly #archive: MessageArchive;
  readonly #sending = new Set<string>();

  constructor(archive: MessageArchive) {
    this.#archive = archive;
  }

  /**
   * Runs `send` while no other one may take its id. Throws ALREADY_EXISTS when the id belongs to another
   * message of the device. What failed in the same chat, or has no known
   * end, may be sent again under its id.
   */
  async holding<T>(
    device: MessageDevice,
    { chat }: Pick<Recipient, 'chat'>,
    { chosen, attempt }: SendId,
    send: () => Promise<T>,
  ): Promise<T> {
    if (chosen === undefined) return send();
    const key = `${device.id} ${chosen}`;
    if (this.#sending.has(key)) throw usedAlready();
    this.#sending.add(key);
    try {
      // An attempt that claimed the id is the message itself.
      if (chosen !== attempt?.claimed?.messageId) await this.#assertUnused(device, chat, chosen);
      return await send();
    } finally {
      this.#sending.delete(key);
    }
  }

  async #assertUnused(device: MessageDevice, chat: Recipient['chat'], id: string): Promise<void> {
    for (const message of await this.#archive.stored.withId(device.tenantId, id)) {
      if (message.deviceId !== device.id) continue;
      const mayRepeat = message.sendState === 'failed' || isUncertain(message);
      const same = sameIdentity(chatOf(message), chat) && !contradicts(senderOf(message), device);
      if (!mayRepeat || !same) throw usedAlready();
    }
  }
}

function usedAlready(): AppError {
  return new AppError('ALREADY_EXISTS', {
    message:
      'message_id: a message of this device has this id already; GET /messages/{id}/status says how it went',
  });
}

/** Asking the phone for messages that came before those that are stored. */
import { canonicalJid, identityOf } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { chatOf, type MessageDevice, type StoredMessage } from '../messages/stored-message.ts';
import { lookUpMessages } from '../messages/visible.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import { mayBe, namesMeant } from './names-meant.ts';

export interface HistoryRequest {
  /** As the caller names it: a phone number or JID. */
  chat: string;
  /** The oldest message that the caller has: what came before it is asked for. */
  oldest: {
    id: string;
    /** Undefined: as stored, else false. */
    fromMe: boolean | undefined;
    /** Milliseconds. */
    timestamp: number;
  };
  count: number;
  deviceId?: string | undefined;
}

export class HistoryRequests {
  readonly #devices: SendingDevices;
  readonly #archive: MessageArchive;
  readonly #recipients: Recipients;

  constructor(parts: { devices: SendingDevices; archive: MessageArchive; recipients: Recipients }) {
    this.#devices = parts.devices;
    this.#archive = parts.archive;
    this.#recipients = parts.recipients;
  }

  /**
   * Sends the request to the phone, which answers when it can: with `history.sync` events of the kind
   * `on_demand`. Returns the chat. Throws VALIDATION_ERROR, DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS, DEVICE_NOT_READY.
   */
  async request(caller: Caller, request: HistoryRequest): Promise<Jid> {
    const meant = namesMeant(request.chat, 'chat_jid');
    const device = await this.#devices.resolve(caller, request.deviceId);
    const stored = await this.#copy(caller, device, request.oldest.id, meant);
    const session = this.#devices.session(device);
    const [chat] = stored
      ? [chatOf(stored)]
      : await this.#recipients.people({ session, device, chat: null }, [meant[0]]);
    const names = chat ?? identityOf(meant[0]);
    await onSession(() =>
      session.history.request({
        // Phones file chats with people under their LID since the migration to LIDs.
        chat: names.lid ?? names.jid ?? meant[0],
        oldest: {
          ...request.oldest,
          id: stored?.messageId ?? request.oldest.id,
          fromMe: request.oldest.fromMe ?? stored?.fromMe ?? false,
        },
        count: request.count,
      }),
    );
    return canonicalJid(names) ?? meant[0];
  }

  async #copy(
    caller: Caller,
    device: MessageDevice,
    id: string,
    names: readonly Jid[],
  ): Promise<StoredMessage | null> {
    const parts = { archive: this.#archive, devices: this.#devices };
    const name = { id, deviceId: device.id };
    const [copy] = await lookUpMessages(parts, caller, name, (each) => mayBe(chatOf(each), names));
    return copy ?? null;
  }
}

/** How far a message of ours has come. */
import type { Kysely } from 'kysely';
import type { MessageName } from '../identity/message-name.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { MessageArchive } from './archive.ts';
import {
  type DeliveryStatus,
  receiptsOf,
  STATUS_ORDER,
  type StoredReceipt,
  statusOf,
} from './incoming-receipts.ts';
import type { StoredMessage } from './stored-message.ts';
import { type DeviceDirectory, findOwnMessages } from './visible.ts';

export interface MessageStatus {
  message: StoredMessage;
  status: DeliveryStatus;
}

export class MessageStatuses {
  readonly #db: Kysely<Database>;
  readonly #parts: { archive: MessageArchive; devices: DeviceDirectory };

  constructor(parts: { db: Kysely<Database>; archive: MessageArchive; devices: DeviceDirectory }) {
    this.#db = parts.db;
    this.#parts = { archive: parts.archive, devices: parts.devices };
  }

  /**
   * The status of a message that the caller's devices sent; throws MESSAGE_NOT_FOUND otherwise. When two
   * devices of one account hold it, the copy that is furthest along answers.
   */
  async status(caller: Caller, name: MessageName): Promise<MessageStatus> {
    const messages = await findOwnMessages(this.#parts, caller, name);
    const ranked = messages
      .map((message) => ({ message, status: statusOf(message) }))
      .sort((a, b) => STATUS_ORDER.indexOf(b.status) - STATUS_ORDER.indexOf(a.status));
    return ranked[0] as MessageStatus;
  }

  /** Every receipt of that message, oldest first. */
  async receipts(
    caller: Caller,
    name: MessageName,
  ): Promise<{ message: StoredMessage; receipts: StoredReceipt[] }> {
    const { message } = await this.status(caller, name);
    return { message, receipts: await receiptsOf(this.#db, message) };
  }
}

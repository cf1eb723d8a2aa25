/** Rooms that keep something of what is stored, in the commit that stores it. */
import type { Transaction } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { HistoryBatch } from '../whatsapp/port/history.ts';
import type { MessageDevice, StoredMessage } from './stored-message.ts';

/** Called once for each message that was not there before, whoever wrote it. */
export type MessageKeeper = (
  trx: Transaction<Database>,
  device: MessageDevice,
  message: StoredMessage,
) => Promise<void>;

/** Called for each piece of history, before its messages. A piece may come again. */
export type HistoryKeeper = (
  trx: Transaction<Database>,
  device: MessageDevice,
  batch: HistoryBatch,
) => Promise<void>;

export class Keepers {
  readonly #ofMessages: MessageKeeper[] = [];
  readonly #ofHistory: HistoryKeeper[] = [];

  /** Call before the first message comes. */
  add(keepers: { message?: MessageKeeper; history?: HistoryKeeper }): void {
    if (keepers.message) this.#ofMessages.push(keepers.message);
    if (keepers.history) this.#ofHistory.push(keepers.history);
  }

  async message(...stored: Parameters<MessageKeeper>): Promise<void> {
    for (const keep of this.#ofMessages) await keep(...stored);
  }

  async history(...told: Parameters<HistoryKeeper>): Promise<void> {
    for (const keep of this.#ofHistory) await keep(...told);
  }
}

/** Stores the account's past, which its phone sends piece by piece. */
import type { Kysely } from 'kysely';
import type { MessageData } from '../events/catalogue/message-data.ts';
import { person } from '../events/payloads/parts.ts';
import type { EventRecorder } from '../events/recorder.ts';
import type { Database } from '../storage/schema.ts';
import type { HistoryBatch } from '../whatsapp/port/history.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { MessageArchive } from './archive.ts';
import { boundedMessage } from './bounds.ts';
import { learnTimer } from './chat-timers.ts';
import { Keepers } from './keepers.ts';
import { pastMessageData, retoldMessageData } from './message-events.ts';
import { NOT_SHOWN } from './shown-kinds.ts';
import type { MessageDevice } from './stored-message.ts';

/** Pieces of one device keep their order among themselves; no chat's events wait for them. */
const ORDER_KEY = 'history';

export class MessageHistory {
  readonly #db: Kysely<Database>;
  readonly #archive: MessageArchive;
  readonly #events: EventRecorder;
  readonly #keepers: Keepers;

  constructor(parts: {
    db: Kysely<Database>;
    archive: MessageArchive;
    events: EventRecorder;
    keepers?: Keepers;
  }) {
    this.#db = parts.db;
    this.#archive = parts.archive;
    this.#events = parts.events;
    this.#keepers = parts.keepers ?? new Keepers();
  }

  /**
   * Stores a piece of history in one commit, with one `history.sync` event. A message that is there already
   * stays as it is. A piece that brings nothing new is a repetition after a crash and no event, unless
   * somebody waits for the answer: the first one of a file is reported even when it is empty.
   */
  async store(device: MessageDevice, batch: HistoryBatch): Promise<void> {
    const asked = batch.kind === 'on_demand';
    await this.#db.transaction().execute(async (trx) => {
      const messages: MessageData[] = [];
      let stored = 0;
      await this.#keepers.history(trx, device, batch);
      for (const timer of batch.timers) await learnTimer(trx, device, timer);
      for (const message of shownOf(batch).map(boundedMessage)) {
        const row = await this.#archive.storePast(trx, device, message, (past, arrival) => {
          messages.push(pastMessageData(device, past, arrival));
        });
        if (row) stored += 1;
        else if (asked) {
          const known = await this.#archive.known(trx, device, message);
          if (known) messages.push(retoldMessageData(device, message, known.rowId));
        }
      }
      if (batch.messages.length > 0 && stored === 0 && !asked) return;
      await this.#events.record(trx, device, {
        name: 'history.sync',
        orderKey: ORDER_KEY,
        data: {
          kind: batch.kind,
          group_jid: batch.shared?.group ?? null,
          shared_by: batch.shared ? person(batch.shared.by) : null,
          progress: batch.progress,
          chats: batch.chats.length,
          contacts: batch.contacts,
          count: batch.messages.length,
          stored,
          messages,
        },
      });
    });
    this.#events.committed();
  }
}

/** A member who shares what others wrote changes nothing that is here by it. */
function shownOf({ kind, messages }: HistoryBatch): readonly InboundMessage[] {
  return kind === 'shared' ? messages.filter(({ content }) => !NOT_SHOWN.includes(content.kind)) : messages;
}

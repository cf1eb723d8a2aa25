/** Every notice of a session becomes one event, and what it tells is kept by the rooms whose matter it is. */
import type { Kysely, Transaction } from 'kysely';
import { deferred } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import type { AccountState, StateCollection } from '../whatsapp/port/account.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import { type NoticedMessage, noticeData, noticeOrderKey } from './payloads/notice.ts';
import type { EventDevice, EventRecorder } from './recorder.ts';

/** The device, with the names of its account. */
export type NoticedDevice = EventDevice & Identity;

/** Stores what a notice tells, in the commit of its event. A notice that came before is not given again. */
export type NoticeKeeper = (
  trx: Transaction<Database>,
  device: NoticedDevice,
  notice: SessionNotice,
) => Promise<void>;

/** Forgets what a collection of the account's state told before: all of it is told again. */
export type StateForgetter = (
  trx: Transaction<Database>,
  device: NoticedDevice,
  collection: StateCollection,
) => Promise<void>;

export class NoticeEvents {
  readonly #db: Kysely<Database>;
  readonly #events: EventRecorder;
  readonly #keepers: NoticeKeeper[] = [];
  readonly #forgetters: StateForgetter[] = [];

  constructor(parts: { db: Kysely<Database>; events: EventRecorder }) {
    this.#db = parts.db;
    this.#events = parts.events;
  }

  /** Call before the first notice comes. */
  keep(keeper: NoticeKeeper): void {
    this.#keepers.push(keeper);
  }

  /** As `keep`, for a room in which something stays that a later state no longer tells. */
  forget(forgetter: StateForgetter): void {
    this.#forgetters.push(forgetter);
  }

  /** Keeps a piece of what the account's state holds, in one commit and without events. */
  async describe(device: NoticedDevice, { collection, begins, notices }: AccountState): Promise<void> {
    // Durable as a journal row until it is committed here.
    await deferred(this.#db)
      .transaction()
      .execute(async (trx) => {
        if (begins) for (const forget of this.#forgetters) await forget(trx, device, collection);
        for (const notice of notices) for (const keep of this.#keepers) await keep(trx, device, notice);
      });
  }

  /**
   * Resolves when the event is committed: only then may its stanza be acknowledged. A `cause` that was
   * recorded before is the same event, and nothing happens. `about`: what is known of the message that it speaks of.
   */
  async record(
    device: NoticedDevice,
    notice: SessionNotice,
    { cause, about }: { cause?: string | undefined; about?: NoticedMessage } = {},
  ): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const isNew = await this.#events.record(trx, device, {
        name: notice.name,
        data: noticeData(notice, about),
        orderKey: noticeOrderKey(notice),
        ...(cause === undefined ? {} : { cause }),
      });
      if (isNew) for (const keep of this.#keepers) await keep(trx, device, notice);
    });
    this.#events.committed();
  }
}

/** Every notice of a session becomes one event, and what it tells is kept by the rooms whose matter it is. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../storage/schema.ts';
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

export class NoticeEvents {
  readonly #db: Kysely<Database>;
  readonly #events: EventRecorder;
  readonly #keepers: NoticeKeeper[] = [];

  constructor(parts: { db: Kysely<Database>; events: EventRecorder }) {
    this.#db = parts.db;
    this.#events = parts.events;
  }

  /** Call before the first notice comes. */
  keep(keeper: NoticeKeeper): void {
    this.#keepers.push(keeper);
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

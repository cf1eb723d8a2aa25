/** Every notice of a session becomes one event. */
import type { Kysely } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import { type NoticedMessage, noticeData, noticeOrderKey } from './payloads/notice.ts';
import type { EventDevice, EventRecorder } from './recorder.ts';

export class NoticeEvents {
  readonly #db: Kysely<Database>;
  readonly #events: EventRecorder;

  constructor(parts: { db: Kysely<Database>; events: EventRecorder }) {
    this.#db = parts.db;
    this.#events = parts.events;
  }

  /**
   * Resolves when the event is committed: only then may its stanza be acknowledged. A `cause` that was
   * recorded before is the same event, and nothing happens. `about`: what is known of the message that it speaks of.
   */
  async record(
    device: EventDevice,
    notice: SessionNotice,
    { cause, about }: { cause?: string | undefined; about?: NoticedMessage } = {},
  ): Promise<void> {
    await this.#db.transaction().execute((trx) =>
      this.#events.record(trx, device, {
        name: notice.name,
        data: noticeData(notice, about),
        orderKey: noticeOrderKey(notice),
        ...(cause === undefined ? {} : { cause }),
      }),
    );
    this.#events.committed();
  }
}

/** How the list of chats follows what the account's devices do, and what is written in the chats. */
import type { Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import type { NoticeKeeper, StateForgetter } from '../events/notice-events.ts';
import { holderOf } from '../identity/holder.ts';
import { sameIdentity } from '../identity/jid.ts';
import type { HistoryKeeper, MessageKeeper } from '../messages/keepers.ts';
import { chatIdentity } from '../messages/stored-message.ts';
import { checked } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { OwnRead } from '../whatsapp/port/receipts.ts';
import { type ChatDevice, LISTED } from './chat.ts';
import { type ChatWrites, LONGEST_NAME } from './chat-writes.ts';

/** App state names times to the second: what was written within it counts. */
const REST_OF_SECOND = 999;
/** So far the clock of the server may be ahead of ours; what is told of later times would hold for ever. */
const AHEAD_MS = 24 * 3600_000;

export interface ChatKeeperParts {
  writes: ChatWrites;
  clock: Clock;
  /** Messages of a chat are to be hidden. */
  cleared(tenantId: string): void;
}

export class ChatKeeper {
  readonly #parts: ChatKeeperParts;

  constructor(parts: ChatKeeperParts) {
    this.#parts = parts;
  }

  readonly message: MessageKeeper = (trx, device, message) =>
    this.#parts.writes.message(trx, device, message);

  readonly history: HistoryKeeper = async (trx, device, { chats }) => {
    const now = this.#parts.clock.now();
    for (const chat of chats) await this.#parts.writes.past(trx, device, chat, now);
  };

  readonly notice: NoticeKeeper = async (trx, device, notice) => {
    const { writes } = this.#parts;
    const now = this.#parts.clock.now();
    switch (notice.name) {
      case 'chat.pin':
        return writes.set(trx, device, notice.chat, { pinned_at: notice.pinned ? now : null });
      case 'chat.mute': {
        const { muted, mutedUntil } = notice;
        return writes.set(trx, device, notice.chat, { muted: muted ? 1 : 0, muted_until: mutedUntil });
      }
      case 'chat.archive':
        return writes.set(trx, device, notice.chat, {
          archived_at: notice.archived ? upTo(notice, now) : null,
        });
      case 'chat.mark_as_read':
        if (notice.read) return writes.read(trx, device, notice.chat, upTo(notice, now));
        return writes.set(trx, device, notice.chat, { marked_unread: 1 });
      case 'chat.clear':
        return this.#clear(trx, device, notice, notice.keepsStarred);
      case 'chat.delete':
        await writes.remove(trx, device, notice.chat, upTo(notice, now));
        return this.#clear(trx, device, notice, false);
      case 'contact.changed': {
        const name = (notice.fullName ?? notice.firstName)?.slice(0, LONGEST_NAME) ?? null;
        if (name === null) return writes.change(trx, device, notice.contact, { name });
        return writes.set(trx, device, notice.contact, { name, listed: LISTED });
      }
      case 'settings.user_status_mute':
        return writes.set(trx, device, notice.contact, { stories_muted: notice.muted ? 1 : 0 });
      case 'settings.unarchive_chats':
        return keepSetting(trx, device, notice.unarchiveChats);
    }
  };

  readonly forget: StateForgetter = async (trx, device, collection) => {
    const { writes } = this.#parts;
    if (collection === 'regular_low') {
      await writes.changeAll(trx, device, { pinned_at: null, archived_at: null, marked_unread: 0 });
    }
    if (collection === 'regular_high') {
      await writes.changeAll(trx, device, { muted: 0, muted_until: null, stories_muted: 0 });
    }
    if (collection === 'critical_unblock_low') await writes.changeAll(trx, device, { name: null });
  };

  /** Another device of the account, or ours, read messages: everything up to them is read. */
  async ownRead(
    trx: Transaction<Database>,
    device: ChatDevice,
    { chat, messageIds }: OwnRead,
  ): Promise<void> {
    const named = await trx
      .selectFrom('messages')
      .select(['chat_jid', 'chat_lid', 'timestamp'])
      .where('tenant_id', '=', device.tenantId)
      .where('message_id', 'in', messageIds.slice(0, MOST_IDS))
      .where(checked('device_id', device.id))
      .execute();
    const times = named
      .filter((row) => sameIdentity(chatIdentity(row), chat))
      .map(({ timestamp }) => timestamp);
    if (times.length > 0) await this.#parts.writes.read(trx, device, chat, Math.max(...times));
  }

  async #clear(
    trx: Transaction<Database>,
    device: ChatDevice,
    notice: Extract<SessionNotice, { name: 'chat.clear' | 'chat.delete' }>,
    keepsStarred: boolean,
  ): Promise<void> {
    const { writes, clock, cleared } = this.#parts;
    const at = upTo(notice, clock.now());
    await writes.read(trx, device, notice.chat, at);
    const clear_keeps_starred = keepsStarred ? 1 : 0;
    await writes.set(trx, device, notice.chat, { clear_to: at, clear_keeps_starred });
    cleared(device.tenantId);
  }
}

/** A receipt names as many as it likes; the newest are the first. */
const MOST_IDS = 500;

function upTo({ upTo: at }: { upTo: number | null }, now: number): number {
  return at === null ? now : Math.min(at + REST_OF_SECOND, now + AHEAD_MS);
}

async function keepSetting(
  trx: Transaction<Database>,
  device: ChatDevice,
  unarchives: boolean,
): Promise<void> {
  const unarchive = unarchives ? 1 : 0;
  await trx
    .insertInto('chat_settings')
    .values({ ...holderOf(device), unarchive })
    .onConflict((conflict) => conflict.columns(['device_id', 'account']).doUpdateSet({ unarchive }))
    .execute();
}

/** How long messages of each chat stay before they disappear: learnt from whatever tells it. */
import type { Kysely } from 'kysely';
import { holderOf } from '../identity/holder.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { ChatTimer } from '../whatsapp/port/chat-timers.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { MessageDevice } from './stored-message.ts';

export type KnownTimer = Omit<ChatTimer, 'chat'>;

/** Longer ones are nothing that a client sets (the apps offer 90 days). */
const LONGEST_SECONDS = 366 * 24 * 3600;

/**
 * Remembers the timer of a chat, unless a later one is known. `told`: when it was set is not known, only that it
 * was so then; that changes nothing where the same is known already.
 */
export async function learnTimer(
  db: Kysely<Database>,
  device: MessageDevice,
  { chat, seconds, setAt }: ChatTimer,
  { told = false }: { told?: boolean } = {},
): Promise<void> {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LONGEST_SECONDS) return;
  // Under either name, so that it is found by whichever is known when a message is sent.
  for (const name of [chat.jid, chat.lid]) {
    if (name === null) continue;
    await db
      .insertInto('chat_timers')
      .values({
        ...holderOf(device),
        chat: name,
        seconds,
        set_at: setAt,
      })
      .onConflict((conflict) => {
        const update = conflict
          .columns(['device_id', 'account', 'chat'])
          .doUpdateSet({ seconds, set_at: setAt });
        const later = update.where('chat_timers.set_at', '<=', setAt);
        return told ? later.where('chat_timers.seconds', '!=', seconds) : later;
      })
      .execute();
  }
}

/**
 * What a message that came says of its chat's timer. One that says nothing changes nothing: bots never do; nor does one
 * by a broadcast list, which says the same to all members, whatever the timers of their chats.
 */
export async function learnFromMessage(
  db: Kysely<Database>,
  device: MessageDevice,
  { chat, content, timestamp }: InboundMessage,
): Promise<void> {
  const { ephemeralSeconds: seconds, ephemeralSetAt, broadcast } = content;
  if (seconds === null || broadcast) return;
  // Whoever claims a time to come would have the last word for ever.
  const setAt = Math.min(ephemeralSetAt ?? timestamp, timestamp);
  await learnTimer(db, device, { chat, seconds, setAt }, { told: ephemeralSetAt == null });
}

/** Asked for every message that is sent. */
const TIMERS = new HotQuery<
  { tenantId: string; deviceId: string; account: string; jid: string; lid: string },
  { seconds: number; set_at: number }
>((db, { tenantId, deviceId, account, jid, lid }) =>
  db
    .selectFrom('chat_timers')
    .select(['seconds', 'set_at'])
    .where(checkedTenant(tenantId))
    .where('device_id', '=', deviceId)
    .where('account', '=', account)
    .where((is) => is('chat', 'in', [jid, lid])),
);

/** The timer of the account's chat, as it was set last; null while nothing has told it. */
export async function timerOf(
  db: Kysely<Database>,
  device: Pick<MessageDevice, 'id' | 'tenantId' | 'jid' | 'lid'>,
  chat: Identity,
): Promise<KnownTimer | null> {
  const rows = await TIMERS.rows(db, {
    tenantId: device.tenantId,
    deviceId: device.id,
    account: holderOf(device).account,
    jid: chat.jid ?? '',
    lid: chat.lid ?? '',
  });
  const [first, second] = rows;
  const last = first && second && second.set_at > first.set_at ? second : first;
  return last ? { seconds: last.seconds, setAt: last.set_at } : null;
}

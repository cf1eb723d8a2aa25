/** One person is one chat: what was stored under the LID alone goes under the number once that is known. */

import type { Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { MessageDevice } from './stored-message.ts';

/** Chats under whose LID nothing is stored, as far as was looked. */
const MOST_REMEMBERED = 50_000;

/** Hears of both names of a person, in the transaction that brings them; now and then again. */
export type BothNamesListener = (
  trx: Transaction<Database>,
  device: MessageDevice,
  person: Identity,
) => Promise<void>;

export class ChatNames {
  readonly #heard: BothNamesListener;
  readonly #joined = new LRUCache<string, true>({ max: MOST_REMEMBERED });

  constructor(heard: BothNamesListener = async () => undefined) {
    this.#heard = heard;
  }

  /**
   * Moves what is stored of the chat under its LID, messages and receipts, in the transaction that brings the
   * number. What is stored under both already stays where it is: it is the same message.
   */
  async join(trx: Transaction<Database>, device: MessageDevice, { jid, lid }: Identity): Promise<void> {
    if (!lid || !jid?.endsWith('@s.whatsapp.net')) return;
    const key = `${device.id} ${device.jid} ${lid}`;
    if (this.#joined.has(key)) return;
    await this.#heard(trx, device, { jid, lid });
    const [stored] = await UNDER_LID.rows(trx, { tenantId: device.tenantId, deviceId: device.id, lid });
    if (!stored) {
      this.#joined.set(key, true);
      return;
    }
    await moveMessages(trx, device, { jid, lid });
    await moveReceipts(trx, device, { jid, lid });
  }
}

interface BothNames {
  jid: string;
  lid: string;
}

async function moveMessages(
  trx: Transaction<Database>,
  device: Pick<MessageDevice, 'id' | 'tenantId'>,
  { jid, lid }: BothNames,
): Promise<void> {
  await trx
    .updateTable('messages')
    .set((eb) => ({
      chat_jid: jid,
      chat_lid: lid,
      sender_jid: eb.case().when('sender_jid', '=', lid).then(jid).else(eb.ref('sender_jid')).end(),
      sender_lid: eb.case().when('sender_jid', '=', lid).then(lid).else(eb.ref('sender_lid')).end(),
    }))
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('chat_jid', '=', lid)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('messages as other')
            .select('other.id')
            .where('other.device_id', '=', device.id)
            .where('other.chat_jid', '=', jid)
            .whereRef('other.message_id', '=', 'messages.message_id'),
        ),
      ),
    )
    .execute();
}

async function moveReceipts(
  trx: Transaction<Database>,
  device: Pick<MessageDevice, 'id' | 'tenantId'>,
  { jid, lid }: BothNames,
): Promise<void> {
  await trx
    .updateTable('receipts')
    .set((eb) => ({
      chat_jid: jid,
      recipient_jid: eb.case().when('recipient_jid', '=', lid).then(jid).else(eb.ref('recipient_jid')).end(),
      recipient_lid: lid,
    }))
    .where(checkedTenant(device.tenantId))
    .where('device_id', '=', device.id)
    .where('chat_jid', '=', lid)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('receipts as other')
            .select('other.id')
            .where('other.device_id', '=', device.id)
            .where('other.chat_jid', '=', jid)
            .whereRef('other.message_id', '=', 'receipts.message_id'),
        ),
      ),
    )
    .execute();
}

const UNDER_LID = new HotQuery<{ tenantId: string; deviceId: string; lid: string }, { id: string }>(
  (db, { tenantId, deviceId, lid }) =>
    db
      .selectFrom('messages')
      .select('id')
      .where(checkedTenant(tenantId))
      .where('device_id', '=', deviceId)
      .where('chat_jid', '=', lid)
      .limit(1),
);

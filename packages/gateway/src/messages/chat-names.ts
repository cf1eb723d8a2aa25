/** One person is one chat and one sender: what was stored under the LID alone goes under the number once that is known. */

import { sql, type Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { MessageDevice } from './stored-message.ts';

/** LIDs under which nothing is stored, as far as was looked. */
const MOST_REMEMBERED = 50_000;

type OfDevice = Pick<MessageDevice, 'id' | 'tenantId'>;

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
  async join(trx: Transaction<Database>, device: MessageDevice, chat: Identity): Promise<void> {
    const both = this.#unseen(device, chat, 'chat');
    if (!both) return;
    await this.#heard(trx, device, both);
    if (!(await this.#isStored(trx, device, both, 'chat'))) return;
    await moveChat(trx, 'messages', device, both);
    await moveChat(trx, 'receipts', device, both);
  }

  /** The same of what a person wrote in groups. */
  async renameSender(trx: Transaction<Database>, device: MessageDevice, sender: Identity): Promise<void> {
    const both = this.#unseen(device, sender, 'sender');
    if (!both || !(await this.#isStored(trx, device, both, 'sender'))) return;
    const { jid, lid } = both;
    await trx
      .updateTable('messages')
      .set({ sender_jid: jid, sender_lid: lid })
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where('sender_jid', '=', lid)
      .where(byLid)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('messages as other')
              .select('other.id')
              .where('other.device_id', '=', device.id)
              .where('other.sender_jid', '=', jid)
              .whereRef('other.chat_jid', '=', 'messages.chat_jid')
              .whereRef('other.message_id', '=', 'messages.message_id'),
          ),
        ),
      )
      .execute();
  }

  /** Both names, where they are known and something may be stored under the LID. */
  #unseen(device: MessageDevice, { jid, lid }: Identity, as: keyof typeof UNDER_LID): BothNames | null {
    if (!lid || !jid?.endsWith('@s.whatsapp.net')) return null;
    return this.#joined.has(rememberedAs(device, lid, as)) ? null : { jid, lid };
  }

  async #isStored(
    trx: Transaction<Database>,
    device: MessageDevice,
    { lid }: BothNames,
    as: keyof typeof UNDER_LID,
  ): Promise<boolean> {
    const [stored] = await UNDER_LID[as].rows(trx, { tenantId: device.tenantId, deviceId: device.id, lid });
    if (!stored) this.#joined.set(rememberedAs(device, lid, as), true);
    return stored !== undefined;
  }
}

/** Another account of the device has chats of its own. */
function rememberedAs(device: MessageDevice, lid: string, as: string): string {
  return `${as} ${device.id} ${device.jid} ${lid}`;
}

interface BothNames {
  jid: string;
  lid: string;
}

/** Whom the rows of a chat name beside the chat. */
const PERSON = { messages: 'sender', receipts: 'recipient' } as const;

async function moveChat(
  trx: Transaction<Database>,
  table: keyof typeof PERSON,
  device: OfDevice,
  { jid, lid }: BothNames,
): Promise<void> {
  const rows = sql.table(table);
  const [personJid, personLid] = [sql.ref(`${PERSON[table]}_jid`), sql.ref(`${PERSON[table]}_lid`)];
  const chatLid = table === 'messages' ? sql`chat_lid = ${lid},` : sql``;
  await sql`
    update ${rows} set
      chat_jid = ${jid},
      ${chatLid}
      ${personJid} = case when ${personJid} = ${lid} then ${jid} else ${personJid} end,
      ${personLid} = case when ${personJid} = ${lid} then ${lid} else ${personLid} end
    where ${checkedTenant(device.tenantId)} and device_id = ${device.id} and chat_jid = ${lid}
      and not exists (
        select 1 from ${rows} as other
        where other.device_id = ${device.id} and other.chat_jid = ${jid} and other.message_id = ${rows}.message_id
      )`.execute(trx);
}

/** As the index on those senders says it; see migration 0060. */
const byLid = sql<boolean>`sender_jid like '%@lid'`;

interface Key {
  tenantId: string;
  deviceId: string;
  lid: string;
}

const UNDER_LID = {
  chat: new HotQuery<Key, { id: string }>((db, { tenantId, deviceId, lid }) =>
    db
      .selectFrom('messages')
      .select('id')
      .where(checkedTenant(tenantId))
      .where('device_id', '=', deviceId)
      .where('chat_jid', '=', lid)
      .limit(1),
  ),
  sender: new HotQuery<Key, { id: string }>((db, { tenantId, deviceId, lid }) =>
    db
      .selectFrom('messages')
      .select('id')
      .where(checkedTenant(tenantId))
      .where('device_id', '=', deviceId)
      .where('sender_jid', '=', lid)
      .where(byLid)
      .limit(1),
  ),
};

/** The statements on labels and what they are on; every one of a device and the account that it holds. */
import type { Kysely } from 'kysely';
import { holderOf } from '../identity/holder.ts';
import { canonicalJid } from '../identity/jid.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';

/** Whose labels: a device with the names of its account. `Device` and `MessageDevice` fit. */
export interface LabelOwner extends Identity {
  id: string;
  tenantId: string;
}

export interface Label {
  id: string;
  name: string;
  /** 0 to 19. */
  color: number;
}

/** A label with how many chats and messages it is on. */
export interface CountedLabel extends Label {
  chats: number;
  messages: number;
}

/** A chat, or a message in it, that has a label. */
export interface LabelMark {
  /** Ascends in the order in which we heard of them. */
  place: number;
  chatJid: Jid;
  chatLid: Jid | null;
  /** Null: the label is on the chat. */
  messageId: string | null;
  /** Our own id of the message; null for one that is not stored. */
  recordId: string | null;
  markedAt: number;
}

/** What a label is on: a chat, or with `messageId` a message in it. */
export interface Marked {
  chat: Identity;
  messageId?: string;
}

const CHAT_ITSELF = '';

export class LabelStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Those that are there, in the order of their ids. */
  async list(owner: LabelOwner): Promise<CountedLabel[]> {
    const labels = await this.#labels(owner).where('deleted_at', 'is', null).execute();
    const counts = await this.#db
      .selectFrom('label_marks')
      .select(({ fn, eb }) => [
        'label_id',
        fn.countAll<number>().as('all'),
        fn.sum<number>(eb.case().when('message_id', '=', CHAT_ITSELF).then(1).else(0).end()).as('chats'),
      ])
      .where(checkedTenant(owner.tenantId))
      .where('device_id', '=', owner.id)
      .where('account', '=', holderOf(owner).account)
      .groupBy('label_id')
      .execute();
    const byLabel = new Map(counts.map((each) => [each.label_id, each]));
    return labels
      .map(({ label_id: id, name, color }) => {
        const count = byLabel.get(id);
        const chats = Number(count?.chats ?? 0);
        return { id, name, color, chats, messages: Number(count?.all ?? 0) - chats };
      })
      .sort((a, b) => numberOf(a.id) - numberOf(b.id));
  }

  /** Null for one that is not there, or was deleted. */
  async find(owner: LabelOwner, id: string): Promise<Label | null> {
    const row = await this.#labels(owner)
      .where('label_id', '=', id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return row ? { id, name: row.name, color: row.color } : null;
  }

  /** An id that no label of the account has or had. */
  async freeId(owner: LabelOwner): Promise<string> {
    const labels = await this.#labels(owner).execute();
    return String(labels.reduce((highest, { label_id }) => Math.max(highest, numberOf(label_id)), 0) + 1);
  }

  /** What has the label, in the order of `place`, behind `after`. */
  async marks(
    owner: LabelOwner,
    id: string,
    on: 'chats' | 'messages',
    page: { after: number; limit: number | null },
  ): Promise<LabelMark[]> {
    const rows = await this.#db
      .selectFrom('label_marks')
      .select(({ selectFrom }) => [
        'id as place',
        'chat_jid',
        'chat_lid',
        'message_id',
        'marked_at',
        // The first that was stored under the id, as everywhere.
        selectFrom('messages')
          .select('messages.id')
          .where('messages.tenant_id', '=', owner.tenantId)
          .where('messages.device_id', '=', owner.id)
          .whereRef('messages.chat_jid', '=', 'label_marks.chat_jid')
          .whereRef('messages.message_id', '=', 'label_marks.message_id')
          .orderBy('messages.created_at')
          .limit(1)
          .as('record_id'),
      ])
      .where(checkedTenant(owner.tenantId))
      .where('device_id', '=', owner.id)
      .where('account', '=', holderOf(owner).account)
      .where('label_id', '=', id)
      .where('message_id', on === 'chats' ? '=' : '!=', CHAT_ITSELF)
      .where('id', '>', page.after)
      .orderBy('id')
      .$if(page.limit !== null, (query) => query.limit(page.limit ?? 0))
      .execute();
    return rows.map((row) => ({
      place: row.place,
      chatJid: row.chat_jid,
      chatLid: row.chat_lid,
      messageId: row.message_id === CHAT_ITSELF ? null : row.message_id,
      recordId: row.record_id,
      markedAt: row.marked_at,
    }));
  }

  #labels(owner: LabelOwner) {
    return this.#db
      .selectFrom('labels')
      .select(['label_id', 'name', 'color'])
      .where(checkedTenant(owner.tenantId))
      .where('device_id', '=', owner.id)
      .where('account', '=', holderOf(owner).account);
  }
}

/** Ids are numbers; what is none comes first and is counted past. */
function numberOf(id: string): number {
  const number = Number(id);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/** How rows name what has a label. */
export function markColumns({ chat, messageId }: Marked) {
  return { chat_jid: canonicalJid(chat) ?? '', chat_lid: chat.lid, message_id: messageId ?? CHAT_ITSELF };
}

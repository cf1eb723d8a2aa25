/** Keeps labels and what they are on, as the account's state tells of them. */
import type { Transaction } from 'kysely';
import { holderOf } from '../identity/holder.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import { HIGHEST_COLOR, LONGEST_NAME } from './label.ts';
import { type LabelOwner, type Marked, markColumns } from './label-store.ts';

/** Longer ones are nothing that WhatsApp gives out. */
const LONGEST_ID = 40;

type LabelNotice = Extract<
  SessionNotice,
  { name: 'label.edit' | 'label.association_chat' | 'label.association_message' }
>;

/** Keeps what the notice tells of labels; `at` in milliseconds. Of other notices nothing. */
export async function keepLabels(
  trx: Transaction<Database>,
  owner: LabelOwner,
  notice: SessionNotice,
  at: number,
): Promise<void> {
  if (!isLabelNotice(notice) || notice.labelId === '' || notice.labelId.length > LONGEST_ID) return;
  if (notice.name === 'label.edit') {
    await keepLabel(trx, owner, notice, at);
    return;
  }
  const { labelId, chat } = notice;
  const what = notice.name === 'label.association_message' ? { chat, messageId: notice.messageId } : { chat };
  if (!chat.jid && !chat.lid) return;
  await joinNames(trx, owner, chat);
  await (notice.labeled ? mark(trx, owner, { labelId, what, at }) : unmark(trx, owner, { labelId, what }));
}

function isLabelNotice(notice: SessionNotice): notice is LabelNotice {
  return notice.name.startsWith('label.');
}

async function keepLabel(
  trx: Transaction<Database>,
  owner: LabelOwner,
  { labelId, labelName, color, deleted }: Extract<LabelNotice, { name: 'label.edit' }>,
  at: number,
): Promise<void> {
  const row = {
    name: (labelName ?? '').slice(0, LONGEST_NAME),
    color: color !== null && color >= 0 && color <= HIGHEST_COLOR ? Math.trunc(color) : 0,
    deleted_at: deleted ? at : null,
    changed_at: at,
  };
  await trx
    .insertInto('labels')
    .values({
      ...holderOf(owner),
      label_id: labelId,
      ...row,
    })
    .onConflict((conflict) => conflict.columns(['device_id', 'account', 'label_id']).doUpdateSet(row))
    .execute();
  if (!deleted) return;
  await trx
    .deleteFrom('label_marks')
    .where(checkedTenant(owner.tenantId))
    .where('device_id', '=', owner.id)
    .where('account', '=', holderOf(owner).account)
    .where('label_id', '=', labelId)
    .execute();
}

async function mark(
  trx: Transaction<Database>,
  owner: LabelOwner,
  { labelId, what, at }: { labelId: string; what: Marked; at: number },
): Promise<void> {
  await trx
    .insertInto('label_marks')
    .values({
      ...holderOf(owner),
      label_id: labelId,
      ...markColumns(what),
      marked_at: at,
    })
    .onConflict((conflict) =>
      conflict.columns(['device_id', 'account', 'chat_jid', 'label_id', 'message_id']).doNothing(),
    )
    .execute();
}

async function unmark(
  trx: Transaction<Database>,
  owner: LabelOwner,
  { labelId, what }: { labelId: string; what: Marked },
): Promise<void> {
  const { chat_jid, message_id } = markColumns(what);
  await trx
    .deleteFrom('label_marks')
    .where(checkedTenant(owner.tenantId))
    .where('device_id', '=', owner.id)
    .where('account', '=', holderOf(owner).account)
    .where('chat_jid', '=', chat_jid)
    .where('label_id', '=', labelId)
    .where('message_id', '=', message_id)
    .execute();
}

/** Forgets all labels of the account: what there is of them is told again. */
export async function forgetLabels(trx: Transaction<Database>, owner: LabelOwner): Promise<void> {
  for (const table of ['label_marks', 'labels'] as const) {
    await trx
      .deleteFrom(table)
      .where(checkedTenant(owner.tenantId))
      .where('device_id', '=', owner.id)
      .where('account', '=', holderOf(owner).account)
      .execute();
  }
}

/** What was kept under the LID alone goes under the number, once that is known beside it: one person is one chat. */
export async function joinNames(
  trx: Transaction<Database>,
  owner: LabelOwner,
  { jid, lid }: Identity,
): Promise<void> {
  if (!lid || !jid?.endsWith('@s.whatsapp.net')) return;
  const underLid = trx
    .selectFrom('label_marks')
    .select(['id', 'label_id', 'message_id', 'marked_at'])
    .where(checkedTenant(owner.tenantId))
    .where('device_id', '=', owner.id)
    .where('account', '=', holderOf(owner).account)
    .where('chat_jid', '=', lid);
  for (const { id, label_id, message_id, marked_at } of await underLid.execute()) {
    await trx.deleteFrom('label_marks').where(checkedTenant(owner.tenantId)).where('id', '=', id).execute();
    const what = { chat: { jid, lid }, ...(message_id ? { messageId: message_id } : {}) };
    await mark(trx, owner, { labelId: label_id, what, at: marked_at });
  }
}

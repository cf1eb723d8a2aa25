/** What WhatsApp tells of whole groups, written as it is told. Members are compared, so that only changes are written. */
import type { Transaction } from 'kysely';
import { type Holder, holderOf } from '../identity/holder.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import { chunks } from '../storage/row-chunks.ts';
import type { Database } from '../storage/schema.ts';
import type { GroupInfo } from '../whatsapp/port/groups.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { GroupDevice, Membership } from './group.ts';
import { groupRow, memberRow, roleOf } from './group-rows.ts';

/** The group as it is at `at`, with exactly these members. */
export async function saveGroup(
  trx: Transaction<Database>,
  device: GroupDevice,
  info: GroupInfo,
  at: number,
): Promise<void> {
  const row = groupRow(device, info, at);
  const { tenant_id, device_id, account, jid, ...told } = row;
  await trx
    .insertInto('groups')
    .values(row)
    .onConflict((conflict) => conflict.columns(['device_id', 'account', 'jid']).doUpdateSet(told))
    .execute();
  await saveMembers(trx, holderOf(device), info);
}

async function saveMembers(trx: Transaction<Database>, holder: Holder, info: GroupInfo): Promise<void> {
  const told = new Map(
    info.members.map((each) => {
      const row = memberRow(holder, info.jid, each, roleOf(each));
      return [row.member, row];
    }),
  );
  told.delete('');
  const known = await trx
    .selectFrom('group_members')
    .select(['member', 'lid', 'role'])
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('group_jid', '=', info.jid)
    .execute();
  const gone: string[] = [];
  for (const { member, lid, role } of known) {
    const now = told.get(member);
    if (!now) gone.push(member);
    else if (now.lid === lid && now.role === role) told.delete(member);
  }
  for (const part of chunks(gone)) await deleteMembers(trx, holder, info.jid, part);
  for (const part of chunks([...told.values()])) {
    await trx
      .insertInto('group_members')
      .values(part)
      .onConflict((conflict) =>
        conflict
          .columns(['device_id', 'account', 'group_jid', 'member'])
          .doUpdateSet(({ ref }) => ({ lid: ref('excluded.lid'), role: ref('excluded.role') })),
      )
      .execute();
  }
}

/** Returns how many there were. */
export async function deleteMembers(
  trx: Transaction<Database>,
  holder: Holder,
  group: Jid,
  members: readonly string[],
): Promise<number> {
  if (members.length === 0) return 0;
  const { numDeletedRows } = await trx
    .deleteFrom('group_members')
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('group_jid', '=', group)
    .where('member', 'in', members)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** The account is not in the group any more: what it was is kept, who is in it now is not known. */
export async function endMembership(
  trx: Transaction<Database>,
  device: GroupDevice,
  group: Jid,
  end: { membership: Exclude<Membership, 'member'>; leftAt: number | null; asOf: number },
): Promise<void> {
  const holder = holderOf(device);
  await trx
    .updateTable('groups')
    .set({ membership: end.membership, own_role: 0, left_at: end.leftAt, as_of: end.asOf })
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('jid', '=', group)
    .where('membership', '=', 'member')
    .execute();
  await trx
    .deleteFrom('group_members')
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('group_jid', '=', group)
    .execute();
}

/** All groups of the account were told at `at`. */
export async function saveListTime(
  trx: Transaction<Database>,
  device: GroupDevice,
  at: number,
): Promise<void> {
  await trx
    .insertInto('group_lists')
    .values({ ...holderOf(device), as_of: at })
    .onConflict((conflict) => conflict.columns(['device_id', 'account']).doUpdateSet({ as_of: at }))
    .execute();
}

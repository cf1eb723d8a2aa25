/** Keeps the stored groups up with what WhatsApp tells of their changes, in the commit of the event, in its order. */
import type { Transaction, UpdateObject } from 'kysely';
import { type Holder, holderOf } from '../identity/holder.ts';
import { canonicalJid, sameIdentity } from '../identity/jid.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { GroupDevice } from './group.ts';
import { memberRow } from './group-rows.ts';
import { deleteMembers, endMembership, saveGroup } from './group-writes.ts';

type GroupChange = Extract<SessionNotice, { name: 'group.info' }>;
type MemberChange = GroupChange['participants'][number];
type Columns = UpdateObject<Database, 'groups'>;

/** Stores what the notice says of a group; a group that is not known stays unknown until it is asked for. */
export async function keepGroupNotice(
  trx: Transaction<Database>,
  device: GroupDevice,
  notice: SessionNotice,
  now: number,
): Promise<void> {
  if (notice.name === 'group.joined') await saveGroup(trx, device, notice.info, now);
  if (notice.name !== 'group.info') return;
  const changed = columnsOf(notice);
  const known = await update(trx, holderOf(device), notice.group, { ...changed, as_of: now });
  if (!known) return;
  for (const change of notice.participants) await changeMember(trx, device, { notice, change, now });
  if (notice.change === 'delete') {
    const end = { membership: 'deleted', leftAt: notice.timestamp, asOf: now } as const;
    await endMembership(trx, device, notice.group, end);
  }
}

/** Changes of the group itself; those that it has no column for change nothing. */
function columnsOf({ change, value, linkType }: GroupChange): Columns {
  switch (change) {
    case 'subject':
      return typeof value === 'string' ? { subject: value } : {};
    case 'description':
      return { description: typeof value === 'string' ? value : null };
    case 'announcement':
      return { announce: Number(value === true) };
    case 'locked':
      return { locked: Number(value === true) };
    case 'suspended':
      return { suspended: Number(value === true) };
    case 'ephemeral':
      return { ephemeral_seconds: typeof value === 'number' ? value : 0 };
    case 'member_add_mode':
      return { member_add_mode: value === 'all_member_add' ? 'all' : 'admin' };
    case 'membership_approval_mode':
      return { join_approval: Number(value === true) };
    // A community is told as well which group was linked to it (`sub_group`), and groups of their siblings.
    case 'link':
      return linkType === 'parent_group' && typeof value === 'string' ? { parent: value } : {};
    case 'unlink':
      return linkType === 'parent_group' ? { parent: null } : {};
    default:
      return {};
  }
}

async function changeMember(
  trx: Transaction<Database>,
  device: GroupDevice,
  told: { notice: GroupChange; change: MemberChange; now: number },
): Promise<void> {
  const { group, timestamp } = told.notice;
  const { id, change } = told.change;
  const holder = holderOf(device);
  const own = sameIdentity(id, device);
  if (change === 'add') return add(trx, holder, group, id);
  if (change === 'promote' || change === 'demote') {
    const role = change === 'promote' ? 1 : 0;
    await setRole(trx, holder, { group, who: id, role });
    if (own) await update(trx, holder, group, { own_role: role });
    return;
  }
  if (own) {
    const membership = change === 'leave' ? 'left' : 'removed';
    return endMembership(trx, device, group, { membership, leftAt: timestamp, asOf: told.now });
  }
  const gone = await deleteMembers(trx, holder, group, namesOf(id));
  await grow(trx, holder, group, -gone);
}

async function add(trx: Transaction<Database>, holder: Holder, group: Jid, who: Identity): Promise<void> {
  const row = memberRow(holder, group, who, 0);
  if (row.member === '') return;
  // Somebody who was known by the LID alone; whoever is in it already keeps what they may do.
  const before = await deleteMembers(trx, holder, group, otherNames(who));
  const { numInsertedOrUpdatedRows: added } = await trx
    .insertInto('group_members')
    .values(row)
    .onConflict((conflict) => conflict.columns(['device_id', 'account', 'group_jid', 'member']).doNothing())
    .executeTakeFirstOrThrow();
  await grow(trx, holder, group, Number(added ?? 0n) - before);
}

async function setRole(
  trx: Transaction<Database>,
  holder: Holder,
  { group, who, role }: { group: Jid; who: Identity; role: number },
): Promise<void> {
  const row = memberRow(holder, group, who, role);
  const renamed = await deleteMembers(trx, holder, group, otherNames(who));
  if (renamed > 0) {
    await trx
      .insertInto('group_members')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['device_id', 'account', 'group_jid', 'member']).doUpdateSet({ role }),
      )
      .execute();
    return;
  }
  await trx
    .updateTable('group_members')
    .set({ role })
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('group_jid', '=', group)
    .where('member', '=', row.member)
    .execute();
}

async function grow(trx: Transaction<Database>, holder: Holder, group: Jid, by: number): Promise<void> {
  if (by === 0) return;
  await update(trx, holder, group, { size: (eb) => eb.fn('max', [eb('size', '+', by), eb.val(0)]) });
}

/** False when the group is not stored. */
async function update(
  trx: Transaction<Database>,
  holder: Holder,
  group: Jid,
  changed: Columns,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('groups')
    .set(changed)
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('jid', '=', group)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

function namesOf(who: Identity): string[] {
  const name = canonicalJid(who);
  return name === null ? [] : [name, ...otherNames(who)];
}

/** What somebody may be stored under who was known by the LID alone. */
function otherNames({ jid, lid }: Identity): string[] {
  return jid !== null && lid !== null ? [lid] : [];
}

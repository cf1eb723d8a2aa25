/** Who was in a group and is not any more, as far as the account saw them go. */
import type { Kysely, Transaction } from 'kysely';
import { type Holder, holderOf } from '../identity/holder.ts';
import { canonicalJid, sameIdentity, storedIdentity } from '../identity/jid.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import { nameCursor, pageOf, readNameCursor } from '../storage/page-cursor.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { PastGroupMember } from '../whatsapp/port/history.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { GroupDevice } from './group.ts';
import type { PageRequest } from './group-store.ts';
import type { GroupDevices, GroupName, Groups } from './groups.ts';

export const USUAL_PAGE = 200;

export interface PastMember extends Identity {
  /** By an admin; else they left by themselves. */
  removed: boolean;
  /** Who removed them; null when WhatsApp does not say, and when nobody did. */
  removedBy: Identity | null;
  /** Milliseconds; null when it is not known. */
  leftAt: number | null;
}

export interface PastMemberPage {
  group: Jid;
  members: PastMember[];
  nextCursor: string | null;
}

type MemberChange = Extract<SessionNotice, { name: 'group.info' }>;

/** Notes who goes, and forgets who comes back, in the commit of the event. The account itself is no past member. */
export async function keepPastMembers(
  trx: Transaction<Database>,
  device: GroupDevice,
  { group, author, participants, timestamp }: MemberChange,
): Promise<void> {
  const holder = holderOf(device);
  for (const { id, change } of participants) {
    if (change === 'promote' || change === 'demote' || sameIdentity(id, device)) continue;
    await forget(trx, holder, group, id);
    if (change === 'add') continue;
    const removed = change === 'remove';
    await trx
      .insertInto('group_past_members')
      .values({
        ...holder,
        group_jid: group,
        member: canonicalJid(id) ?? '',
        lid: id.lid,
        removed: Number(removed),
        author: removed && author ? canonicalJid(author) : null,
        author_lid: removed && author ? author.lid : null,
        left_at: timestamp,
      })
      .execute();
  }
}

/**
 * Those who had gone before the device was linked, as the phone's history tells. What the account has seen itself goes
 * before: it is newer, and says by whom.
 */
export async function keepHistoricMembers(
  db: Kysely<Database>,
  device: GroupDevice,
  group: Jid,
  members: readonly PastGroupMember[],
): Promise<void> {
  const holder = holderOf(device);
  const rows = members.flatMap(({ person, removed, leftAt }) => {
    const member = canonicalJid(person);
    if (member === null || sameIdentity(person, device)) return [];
    const told = { removed: Number(removed), author: null, author_lid: null, left_at: leftAt ?? 0 };
    return [{ ...holder, group_jid: group, member, lid: person.lid, ...told }];
  });
  if (rows.length === 0) return;
  await db.transaction().execute(async (trx) => {
    for (const row of rows) {
      await trx
        .insertInto('group_past_members')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
  });
}

/** Under both names: the number may have become known since. */
async function forget(
  trx: Transaction<Database>,
  holder: Holder,
  group: Jid,
  { jid, lid }: Identity,
): Promise<void> {
  await trx
    .deleteFrom('group_past_members')
    .where(checkedTenant(holder.tenant_id))
    .where('device_id', '=', holder.device_id)
    .where('account', '=', holder.account)
    .where('group_jid', '=', group)
    .where('member', 'in', [jid ?? '', lid ?? ''])
    .execute();
}

export class PastMembers {
  readonly #parts: { db: Kysely<Database>; devices: GroupDevices; groups: Groups };

  constructor(parts: { db: Kysely<Database>; devices: GroupDevices; groups: Groups }) {
    this.#parts = parts;
  }

  /** In the order of their names. NOT_FOUND for a group that the account has never been in. */
  async list(
    caller: Caller,
    { deviceId, group: named }: GroupName,
    page: PageRequest,
  ): Promise<PastMemberPage> {
    const { db, devices, groups } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const { group } = await groups.get(caller, { deviceId: device.id, group: named });
    return pastPage(db, device, group.jid, page);
  }
}

async function pastPage(
  db: Kysely<Database>,
  device: GroupDevice,
  group: Jid,
  { cursor, limit = USUAL_PAGE }: PageRequest,
): Promise<PastMemberPage> {
  const { tenant_id, device_id, account } = holderOf(device);
  let query = db
    .selectFrom('group_past_members')
    .select(['member', 'lid', 'removed', 'author', 'author_lid', 'left_at'])
    .where(checkedTenant(tenant_id))
    .where('device_id', '=', device_id)
    .where('account', '=', account)
    .where('group_jid', '=', group)
    // History tells of people who may have come back since.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('group_members')
            .select('group_members.member')
            .whereRef('group_members.device_id', '=', 'group_past_members.device_id')
            .whereRef('group_members.account', '=', 'group_past_members.account')
            .whereRef('group_members.group_jid', '=', 'group_past_members.group_jid')
            // History may name by LID alone who is known by both names here.
            .where(({ or, eb }) =>
              or([
                eb('group_members.member', '=', eb.ref('group_past_members.member')),
                eb('group_members.lid', '=', eb.ref('group_past_members.lid')),
              ]),
            ),
        ),
      ),
    )
    .orderBy('member');
  if (cursor !== undefined) query = query.where('member', '>', readNameCursor(cursor));
  const rows = await query.limit(limit + 1).execute();
  const { page, last } = pageOf(rows, limit);
  return {
    group,
    members: page.map(({ member, lid, removed, author, author_lid, left_at }) => ({
      ...storedIdentity(member, lid),
      removed: removed === 1,
      removedBy: author === null ? null : storedIdentity(author, author_lid),
      // Of what history tells without a time.
      leftAt: left_at === 0 ? null : left_at,
    })),
    nextCursor: last && nameCursor(last.member),
  };
}

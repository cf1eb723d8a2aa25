/** What is stored of an account's groups. Another account on the same device sees none of it. */
import type { Kysely } from 'kysely';
import { holderOf } from '../identity/holder.ts';
import { checked, checkedTenant } from '../storage/narrowing.ts';
import { nameCursor, pageOf, readNameCursor } from '../storage/page-cursor.ts';
import type { Database } from '../storage/schema.ts';
import type { GroupMember } from '../whatsapp/port/groups.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { GroupDevice, GroupList, StoredGroup } from './group.ts';
import { groupFromRow, memberFromRow } from './group-rows.ts';

export interface PageRequest {
  cursor?: string | undefined;
  /** Undefined: all of them. */
  limit?: number | undefined;
}

export interface ListRequest extends PageRequest {
  /** Those that the account is not in any more as well. */
  includeLeft: boolean;
}

export interface MemberPage {
  members: GroupMember[];
  nextCursor: string | null;
}

export class GroupStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** In the order of their JIDs. */
  async list(device: GroupDevice, { includeLeft, cursor, limit }: ListRequest): Promise<GroupList> {
    const { tenant_id, device_id, account } = holderOf(device);
    let query = this.#db
      .selectFrom('groups')
      .selectAll()
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .orderBy('jid');
    if (!includeLeft) query = query.where('membership', '=', 'member');
    if (cursor !== undefined) query = query.where('jid', '>', readNameCursor(cursor));
    const rows = await (limit === undefined ? query : query.limit(limit + 1)).execute();
    const { page, last } = pageOf(rows, limit);
    return {
      groups: page.map(groupFromRow),
      asOf: await this.listedAt(device),
      nextCursor: last && nameCursor(last.jid),
    };
  }

  /** When WhatsApp told of all of them; null: never. */
  async listedAt(device: GroupDevice): Promise<number | null> {
    const { tenant_id, device_id, account } = holderOf(device);
    const row = await this.#db
      .selectFrom('group_lists')
      .select('as_of')
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .executeTakeFirst();
    return row?.as_of ?? null;
  }

  /** What is stored is not newer than that. */
  async outdate(device: GroupDevice, asOf: number): Promise<void> {
    const { tenant_id, device_id, account } = holderOf(device);
    await this.#db
      .updateTable('group_lists')
      .set({ as_of: asOf })
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where('as_of', '>', asOf)
      .execute();
  }

  async find(device: GroupDevice, group: Jid): Promise<StoredGroup | null> {
    const { tenant_id, device_id, account } = holderOf(device);
    const row = await this.#db
      .selectFrom('groups')
      .selectAll()
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where('jid', '=', group)
      .executeTakeFirst();
    return row ? groupFromRow(row) : null;
  }

  /** The groups that the account and a person are both in, in the order of their subjects. */
  async commonWith(device: GroupDevice, { jid, lid }: Identity): Promise<{ jid: Jid; subject: string }[]> {
    const { tenant_id, device_id, account } = holderOf(device);
    const rows = await this.#db
      .selectFrom('group_members')
      .innerJoin('groups', (on) =>
        on
          .onRef('groups.device_id', '=', 'group_members.device_id')
          .onRef('groups.account', '=', 'group_members.account')
          .onRef('groups.jid', '=', 'group_members.group_jid'),
      )
      .select(['groups.jid', 'groups.subject'])
      .where(checked('group_members.tenant_id', tenant_id))
      .where('group_members.device_id', '=', device_id)
      .where('group_members.account', '=', account)
      .where('group_members.member', 'in', [jid ?? '', lid ?? ''])
      .where('groups.membership', '=', 'member')
      .execute();
    return rows.sort((a, b) => a.subject.localeCompare(b.subject));
  }

  /** In the order of their names. */
  async members(device: GroupDevice, group: Jid, { cursor, limit }: PageRequest = {}): Promise<MemberPage> {
    const { tenant_id, device_id, account } = holderOf(device);
    let query = this.#db
      .selectFrom('group_members')
      .select(['member', 'lid', 'role'])
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where('group_jid', '=', group)
      .orderBy('member');
    if (cursor !== undefined) query = query.where('member', '>', readNameCursor(cursor));
    const rows = await (limit === undefined ? query : query.limit(limit + 1)).execute();
    const { page, last } = pageOf(rows, limit);
    return {
      members: page.map(memberFromRow),
      nextCursor: last && nameCursor(last.member),
    };
  }
}

/** `GET /groups` with few and with many groups: a page, and all of them. */
import SqliteDatabase from 'better-sqlite3';
import type { Filled } from '../filled.ts';
import { fewAndMany, PAGE, rateOf, tenantOf } from '../lists.ts';
import type { Figure, Row } from '../rounds.ts';

const FEW = 50;
const MANY = 5000;
const MEMBERS = 50;
const PAGES = 400;
const LISTS = 20;
const CONCURRENCY = 4;

export function groups({ rounds }: { rounds: number }): Promise<Row[]> {
  return fewAndMany({ things: 'groups', few: FEW, many: MANY, fill, pages, whole }, rounds);
}

/** A page from anywhere in the list. */
function pages({ api, count }: Filled): Promise<Figure> {
  return rateOf({ times: PAGES, lanes: CONCURRENCY }, async () => {
    const from = Math.floor(Math.random() * (count - PAGE + 1));
    const after = from === 0 ? '' : `&cursor=${Buffer.from(`@${groupId(from - 1)}`).toString('base64url')}`;
    const { body } = await api.ok('GET', `/groups?limit=${PAGE}${after}`);
    verify(body.groups, from, PAGE);
  });
}

function whole({ api, count }: Filled): Promise<Figure> {
  return rateOf({ times: LISTS, lanes: 1, each: count }, async () => {
    const { body } = await api.ok('GET', '/groups');
    verify(body.groups, 0, count);
    if (body.next_cursor !== null) throw new Error('the whole list has a next page');
  });
}

function verify(listed: { jid: string; name: string }[], from: number, count: number): void {
  if (listed.length !== count) throw new Error(`${listed.length} groups instead of ${count}`);
  for (const [index, { jid, name }] of listed.entries()) {
    if (jid !== groupId(from + index) || name !== `Group ${from + index}`) {
      throw new Error(`group ${from + index} is ${jid}, ${name}`);
    }
  }
}

/** In the order of the list. */
function groupId(index: number): string {
  return `120363${String(index).padStart(12, '0')}@g.us`;
}

function fill(file: string, deviceId: string, count: number): void {
  const database = new SqliteDatabase(file);
  const tenantId = tenantOf(database, deviceId);
  const now = Date.now();
  const group = database.prepare(
    `insert into groups (tenant_id, device_id, account, jid, subject, description, owner_jid, created_at, announce,
       locked, join_approval, member_add_mode, ephemeral_seconds, community, community_announcements, suspended, size,
       membership, own_role, as_of)
     values (?, ?, '', ?, ?, 'What it is for', '5511999990001@s.whatsapp.net', ?, 0, 0, 0, 'all', 0, 0, 0, 0, ?,
       'member', 0, ?)`,
  );
  const member = database.prepare(
    `insert into group_members (tenant_id, device_id, account, group_jid, member, lid, role)
     values (?, ?, '', ?, ?, ?, 0)`,
  );
  database.transaction(() => {
    database
      .prepare("insert into group_lists (tenant_id, device_id, account, as_of) values (?, ?, '', ?)")
      .run(tenantId, deviceId, now);
    for (let index = 0; index < count; index += 1) {
      const jid = groupId(index);
      group.run(tenantId, deviceId, jid, `Group ${index}`, now, MEMBERS, now);
      for (let n = 0; n < MEMBERS; n += 1) {
        const digits = String((index * 7 + n) % 20_000).padStart(5, '0');
        member.run(tenantId, deviceId, jid, `55119990${digits}@s.whatsapp.net`, `2000000000${digits}@lid`);
      }
    }
  })();
  database.close();
}

/**
 * What came by a broadcast list is in the chat with its author, under whose name it is found, read and answered; our
 * phone knows its files under the list. And the code with which WhatsApp refused what a job was to send.
 */
import { type Kysely, sql } from 'kysely';

const CAME_BY_LIST = sql.raw(
  "from_me = 0 and chat_jid like '%@broadcast' and chat_jid <> 'status@broadcast' and sender_jid not in ('', chat_jid)",
);

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('send_jobs').addColumn('whatsapp_code', 'integer').execute();
  await db.schema.alterTable('media').addColumn('broadcast_list', 'text').execute();
  await sql`
    update media set broadcast_list = (select chat_jid from messages where id = media.message_row_id)
    where message_row_id in (select id from messages where ${CAME_BY_LIST})`.execute(db);
  await sql`
    insert into chats (tenant_id, device_id, account, chat, lid, last_at, read_at, listed)
    select m.tenant_id, m.device_id, coalesce(m.account_jid, d.jid, d.lid, ''), m.sender_jid,
           nullif(max(m.sender_lid), m.sender_jid), max(m.timestamp), max(m.timestamp), 1
    from messages m join devices d on d.id = m.device_id
    where m.hidden_at is null
      and m.kind not in ('edit', 'revoke', 'reaction', 'poll_vote', 'pin', 'protocol')
      and ${CAME_BY_LIST}
    group by m.tenant_id, m.device_id, coalesce(m.account_jid, d.jid, d.lid, ''), m.sender_jid
    on conflict (device_id, account, chat) do update set last_at = max(last_at, excluded.last_at)`.execute(
    db,
  );
  // One that is there a second time, in the chat with its author, stays where it is.
  await sql`
    update or ignore messages
    set context = json_set(coalesce(context, '{}'), '$.broadcast', json_object('list', chat_jid)),
        chat_jid = sender_jid, chat_lid = sender_lid
    where ${CAME_BY_LIST}`.execute(db);
}

/** What was moved stays: under either name of its chat it is the same message. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('media').dropColumn('broadcast_list').execute();
  await db.schema.alterTable('send_jobs').dropColumn('whatsapp_code').execute();
}

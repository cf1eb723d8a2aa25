/** The list of chats of accounts that have messages already: each conversation, with nothing unread. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into chats (tenant_id, device_id, account, chat, lid, last_at, read_at, listed)
    select m.tenant_id, m.device_id, coalesce(m.account_jid, d.jid, d.lid, ''), m.chat_jid,
           nullif(max(m.chat_lid), m.chat_jid), max(m.timestamp), max(m.timestamp), 1
    from messages m join devices d on d.id = m.device_id
    where m.hidden_at is null
      and m.kind not in ('edit', 'revoke', 'reaction', 'poll_vote', 'pin', 'protocol')
      and (m.chat_jid like '%@s.whatsapp.net' or m.chat_jid like '%@lid' or m.chat_jid like '%@g.us')
    group by m.tenant_id, m.device_id, coalesce(m.account_jid, d.jid, d.lid, ''), m.chat_jid
    on conflict (device_id, account, chat) do nothing`.execute(db);
}

export async function down(): Promise<void> {
  // What was added cannot be told from what came since, and hurts nobody.
}

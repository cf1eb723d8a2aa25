import { sql } from 'kysely';
import type { Gateway } from '../../src/gateway.ts';

/** What years leave behind, straight into the database: 110,000 rows with the word in 30,000 of them. */
export async function fillDevice(gateway: Gateway, deviceId: string, word: string): Promise<void> {
  const { db } = gateway.parts;
  const { tenant_id } = await db
    .selectFrom('devices')
    .select('tenant_id')
    .where('id', '=', deviceId)
    .executeTakeFirstOrThrow();
  const numbers = (from: number, count: number) =>
    sql`with recursive n(i) as (select ${from} union all select i + 1 from n where i < ${from + count - 1})`;
  const chat = '5511999995090@s.whatsapp.net';
  for (let from = 0; from < 30_000; from += 10_000) {
    await sql`${numbers(from, 10_000)} insert into messages (id, tenant_id, device_id, message_id, chat_jid,
      sender_jid, from_me, is_group, kind, text, raw, source, timestamp, send_state, created_at)
      select ${deviceId} || i, ${tenant_id}, ${deviceId}, 'FILL' || i, ${chat}, ${chat}, 0, 0, 'text',
      ${word} || ' ' || i, x'00', 'history', 1750000000000 + i, 'none', 1750000000000 from n`.execute(db);
  }
  for (let from = 0; from < 80_000; from += 20_000) {
    await sql`${numbers(from, 20_000)} insert into receipts (tenant_id, device_id, message_id, chat_jid,
      recipient_jid, kind, at) select ${tenant_id}, ${deviceId}, 'FILL' || i, ${chat}, ${chat}, 'read',
      1750000000000 from n`.execute(db);
  }
}

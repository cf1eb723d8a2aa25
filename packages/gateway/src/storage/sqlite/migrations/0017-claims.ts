/** Whose a send is: what a key has claimed, and the account that a job was accepted for. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['ticket', 'claim']) {
    await db.schema.alterTable('idempotency_keys').addColumn(column, 'text').execute();
  }
  await db.schema.alterTable('send_jobs').addColumn('account', 'text').execute();
  await db.schema.alterTable('send_jobs').addColumn('held_until', INT64).execute();
  await sql`update idempotency_keys set ticket = lower(hex(randomblob(16)))`.execute(db);
  // A claim was an id alone, in the place of the answer; the message's row tells the rest. Without a row
  // nothing has left.
  await sql`
    update idempotency_keys set response = null, claim = (
      select json_object('messageId', m.message_id, 'deviceId', m.device_id, 'account', m.sender_jid)
      from messages m
      where m.tenant_id = idempotency_keys.tenant_id and m.from_me = 1
        and m.message_id = json_extract(idempotency_keys.response, '$.message_id')
      limit 1)
    where status is null and response is not null`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const column of ['ticket', 'claim']) {
    await db.schema.alterTable('idempotency_keys').dropColumn(column).execute();
  }
  for (const column of ['account', 'held_until']) {
    await db.schema.alterTable('send_jobs').dropColumn(column).execute();
  }
}

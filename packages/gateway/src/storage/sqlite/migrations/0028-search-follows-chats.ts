/** The index of words follows a message that goes under another name of its chat. */
import { type Kysely, sql } from 'kysely';

const COLUMNS = ['text', 'kind', 'hidden_at', 'revoked_at', 'starred_at'];
const OTHER = COLUMNS.map((column) => `old.${column} is not new.${column}`).join(' or ');
const TIME = 'old.timestamp / 1000 <> new.timestamp / 1000';

export async function up(db: Kysely<unknown>): Promise<void> {
  await again(
    db,
    [...COLUMNS, 'timestamp', 'chat_jid'],
    `${OTHER} or ${TIME} or old.chat_jid <> new.chat_jid`,
  );
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await again(db, [...COLUMNS, 'timestamp'], `${OTHER} or ${TIME}`);
}

async function again(db: Kysely<unknown>, columns: readonly string[], when: string): Promise<void> {
  await sql.raw('drop trigger messages_to_search_again').execute(db);
  await sql
    .raw(
      `create trigger messages_to_search_again after update of ${columns.join(', ')} on messages
       when ${when}
       begin
         insert into message_search_queue (message_row_id) values (new.id);
       end`,
    )
    .execute(db);
}

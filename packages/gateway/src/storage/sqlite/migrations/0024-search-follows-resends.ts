/** The index of words follows what changes when a message is sent again: its time, and the name of its file. */
import { type Kysely, sql } from 'kysely';

const COLUMNS = ['text', 'kind', 'hidden_at', 'revoked_at', 'starred_at'];
const OTHER = COLUMNS.map((column) => `old.${column} is not new.${column}`).join(' or ');

/**
 * The place of a message in the index is the second of its time, which its ack and another attempt change. A file
 * goes with its message as well: by then the message is gone, and nothing is left to be read anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await again(db, [...COLUMNS, 'timestamp'], `${OTHER} or old.timestamp / 1000 <> new.timestamp / 1000`);
  await sql
    .raw(
      `create trigger media_from_search after delete on media
       when old.file_name <> '' and exists (select 1 from messages where id = old.message_row_id)
       begin
         insert into message_search_queue (message_row_id) values (old.message_row_id);
       end`,
    )
    .execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw('drop trigger media_from_search').execute(db);
  await again(db, COLUMNS, OTHER);
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

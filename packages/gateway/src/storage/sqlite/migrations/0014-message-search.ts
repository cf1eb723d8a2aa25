/** Full-text search: the words of messages, and the queue of those whose words are not in it yet. */
import { type Kysely, sql } from 'kysely';

/** Words without the marks at which FTS5 would divide them; `storage/sqlite/search.ts` asks for the same. */
const SCOPE = `
  't' || replace(messages.tenant_id, '-', '') || ' d' || replace(messages.device_id, '-', '')
  || ' c' || replace(replace(replace(messages.chat_jid, '-', ''), '@', ''), '.', '')
  || ' k' || replace(messages.kind, '_', '')
  || case messages.from_me when 1 then ' out' else ' in' end
  || case when messages.starred_at is null then ' plain' else ' starred' end`;

/**
 * Storing a message only appends its id to the queue; `storage/sqlite/search.ts` does the rest for many at once,
 * because FTS5 writes a segment per commit, which would double what storing a message costs.
 *
 * `message_search_rows` gives a message the integer by which FTS5 knows it: row ids of `messages` may change
 * when the file is vacuumed (https://sqlite.org/lang_vacuum.html). `message_search` keeps no copy of the text
 * (https://sqlite.org/fts5.html#contentless_delete_tables). Its `scope` holds as words what a search is narrowed
 * to, tenant and device first of all: so it meets those messages alone, however many others there are.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const statements = [
    'create table message_search_queue (id integer primary key, message_row_id text not null)',
    `create table message_search_rows (
       id integer primary key,
       message_row_id text not null unique references messages (id) on delete cascade
     )`,
    `create virtual table message_search using fts5 (
       scope, words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
     )`,
    `create trigger message_search_added after insert on message_search_rows begin
       insert into message_search (rowid, scope, words)
       select new.id, ${SCOPE},
         coalesce(messages.text, '') || ' ' || coalesce(media.file_name, '')
       from messages left join media on media.message_row_id = messages.id
       where messages.id = new.message_row_id;
     end`,
    `create trigger message_search_removed after delete on message_search_rows begin
       delete from message_search where rowid = old.id;
     end`,
    `create trigger messages_to_search after insert on messages when new.text <> '' begin
       insert into message_search_queue (message_row_id) values (new.id);
     end`,
    `create trigger messages_to_search_again after update of text, kind, hidden_at, revoked_at, starred_at on messages
     when old.text is not new.text or old.kind <> new.kind
       or old.hidden_at is not new.hidden_at or old.revoked_at is not new.revoked_at
       or old.starred_at is not new.starred_at
     begin
       insert into message_search_queue (message_row_id) values (new.id);
     end`,
    `create trigger media_to_search after insert on media when new.file_name <> '' begin
       insert into message_search_queue (message_row_id) values (new.message_row_id);
     end`,
    `insert into message_search_queue (message_row_id) select id from messages where text <> ''
     union select message_row_id from media where file_name <> ''`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const trigger of ['messages_to_search', 'messages_to_search_again', 'media_to_search']) {
    await sql.raw(`drop trigger ${trigger}`).execute(db);
  }
  for (const table of ['message_search_rows', 'message_search', 'message_search_queue']) {
    await db.schema.dropTable(table).execute();
  }
}

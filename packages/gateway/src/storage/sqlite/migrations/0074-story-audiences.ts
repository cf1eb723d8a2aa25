/** Whom old stories were for is forgotten: those that still say it are found by their age. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('stories_with_audience')
    .on('stories')
    .columns(['created_at'])
    .where(sql<boolean>`audience <> '[]'`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('stories_with_audience').execute();
}

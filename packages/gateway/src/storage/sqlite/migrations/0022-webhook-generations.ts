/** Whom an endpoint's outcomes belong to, and how long its deliveries have been waiting. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('webhook_endpoints')
    .addColumn('generation', 'integer', (column) => column.notNull().defaultTo(1))
    .execute();
  await db.schema.alterTable('webhook_endpoints').addColumn('expiry_told_at', INT64).execute();
  await db.schema
    .alterTable('webhook_deliveries')
    .addColumn('attempts_before', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  // How many wait for an endpoint, and the oldest of them.
  await db.schema
    .createIndex('webhook_deliveries_waiting')
    .on('webhook_deliveries')
    .columns(['endpoint_id', 'created_at'])
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('webhook_deliveries_waiting').execute();
  await db.schema.alterTable('webhook_deliveries').dropColumn('attempts_before').execute();
  for (const column of ['expiry_told_at', 'generation']) {
    await db.schema.alterTable('webhook_endpoints').dropColumn(column).execute();
  }
}

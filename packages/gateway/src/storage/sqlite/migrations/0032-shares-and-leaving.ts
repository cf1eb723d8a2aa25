/** Who has which cached file, and who is being deleted. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

const LEAVERS = ['tenants', 'users', 'devices'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  await createCachedFiles(db);
  for (const table of LEAVERS) await db.schema.alterTable(table).addColumn('deleting_at', INT64).execute();
  // A deletion that an earlier version had begun: a tenant keeps an active admin as long as it lives.
  for (const table of LEAVERS) {
    const tenant = sql.ref(table === 'tenants' ? 'tenants.id' : `${table}.tenant_id`);
    await sql`update ${sql.table(table)} set deleting_at = updated_at where not exists
      (select 1 from users as live where live.tenant_id = ${tenant} and live.active = 1)`.execute(db);
  }
}

/** A cached file is shared by all tenants; whoever has a message that may be served from it has it. */
async function createCachedFiles(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('cached_files')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('sha256', 'text', (column) => column.notNull().references('blobs.sha256').onDelete('cascade'))
    .addColumn('size', INT64, (column) => column.notNull())
    .addColumn('last_used_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('cached_files_pk', ['tenant_id', 'sha256'])
    .execute();
  await db.schema.createIndex('cached_files_by_blob').on('cached_files').column('sha256').execute();
  await db.schema
    .createIndex('cached_files_by_use')
    .on('cached_files')
    .columns(['tenant_id', 'last_used_at'])
    .execute();
  await sql`insert into cached_files (tenant_id, sha256, size, last_used_at)
    select distinct media.tenant_id, blobs.sha256, blobs.size, blobs.last_used_at
    from media join blobs on blobs.sha256 = media.blob_sha256`.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('cached_files').execute();
  for (const table of LEAVERS) await db.schema.alterTable(table).dropColumn('deleting_at').execute();
}

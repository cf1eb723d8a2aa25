/** Every table of the first release. What the columns mean is said in `storage/schema.ts`. */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { BYTES, INT64, SERIAL } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await createTenancy(db);
  await createDevices(db);
  await createMessages(db);
  await createMedia(db);
  await createIdempotencyKeys(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES.toReversed()) await db.schema.dropTable(table).execute();
}

/** In the order in which they can be made: owners before what they own. */
const TABLES = [
  'tenants',
  'users',
  'devices',
  'device_credentials',
  'signal_keys',
  'inbound_journal',
  'messages',
  'receipts',
  'media',
  'media_retry_requests',
  'blobs',
  'idempotency_keys',
] as const;

/** Deleting a tenant takes everything of it along. */
function ownedByTenant<T extends string, C extends string>(table: CreateTableBuilder<T, C>) {
  return table.addColumn('tenant_id', 'text', (column) =>
    column.notNull().references('tenants.id').onDelete('cascade'),
  );
}

async function createTenancy(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tenants')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();

  await ownedByTenant(db.schema.createTable('users').addColumn('id', 'text', (column) => column.primaryKey()))
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull().check(sql`role in ('admin', 'manager', 'user')`))
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('token_preview', 'text', (column) => column.notNull())
    .addColumn('active', 'integer', (column) => column.notNull())
    .addColumn('webhook_url', 'text')
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .addUniqueConstraint('users_email_unique', ['tenant_id', 'email'])
    .execute();
}

async function createDevices(db: Kysely<unknown>): Promise<void> {
  await ownedByTenant(
    db.schema.createTable('devices').addColumn('id', 'text', (column) => column.primaryKey()),
  )
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('jid', 'text')
    .addColumn('lid', 'text')
    .addColumn('phone_number', 'text')
    .addColumn('push_name', 'text')
    .addColumn('platform', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('state_reason', 'text')
    .addColumn('state_at', INT64, (column) => column.notNull())
    .addColumn('wanted', 'integer', (column) => column.notNull())
    .addColumn('last_seen', INT64)
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('devices_by_tenant')
    .on('devices')
    .columns(['tenant_id', 'user_id', 'created_at'])
    .execute();
  await db.schema.createIndex('devices_by_user').on('devices').column('user_id').execute();

  await ownedByTenant(
    db.schema
      .createTable('device_credentials')
      .addColumn('device_id', 'text', (column) =>
        column.primaryKey().references('devices.id').onDelete('cascade'),
      ),
  )
    .addColumn('value', BYTES, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await indexOwner(db, 'device_credentials');

  // Ratchets of a device are read and written together, by type and id: the primary key is the access path.
  await ownedByTenant(ownedByDevice(db.schema.createTable('signal_keys')))
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('value', BYTES, (column) => column.notNull())
    .addPrimaryKeyConstraint('signal_keys_pk', ['device_id', 'type', 'id'])
    .execute();
  await indexOwner(db, 'signal_keys');

  await ownedByTenant(ownedByDevice(db.schema.createTable('inbound_journal')))
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('stanza', BYTES, (column) => column.notNull())
    .addColumn('plaintext', BYTES, (column) => column.notNull())
    .addColumn('received_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('inbound_journal_pk', ['device_id', 'id'])
    .execute();
  await indexOwner(db, 'inbound_journal');
}

async function createMessages(db: Kysely<unknown>): Promise<void> {
  await ownedByTenant(
    ownedByDevice(db.schema.createTable('messages').addColumn('id', 'text', (column) => column.primaryKey())),
  )
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('chat_jid', 'text', (column) => column.notNull())
    .addColumn('chat_lid', 'text')
    .addColumn('sender_jid', 'text', (column) => column.notNull())
    .addColumn('sender_lid', 'text')
    .addColumn('from_me', 'integer', (column) => column.notNull())
    .addColumn('is_group', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('text', 'text')
    .addColumn('push_name', 'text')
    .addColumn('context', 'text')
    .addColumn('raw', BYTES, (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('timestamp', INT64, (column) => column.notNull())
    .addColumn('send_state', 'text', (column) => column.notNull())
    .addColumn('send_error', 'text')
    .addColumn('delivered_at', INT64)
    .addColumn('read_at', INT64)
    .addColumn('played_at', INT64)
    .addColumn('edited_at', INT64)
    .addColumn('revoked_at', INT64)
    .addColumn('created_at', INT64, (column) => column.notNull())
    // What makes storing idempotent: a redelivered stanza meets its own row.
    .addUniqueConstraint('messages_unique', ['device_id', 'chat_jid', 'sender_jid', 'message_id'])
    .execute();
  // Media, status and receipts ask for a message id across the tenant's devices.
  await db.schema
    .createIndex('messages_by_message_id')
    .on('messages')
    .columns(['tenant_id', 'message_id'])
    .execute();
  // Receipts, edits and retries know the device and the id.
  await db.schema
    .createIndex('messages_by_device_message_id')
    .on('messages')
    .columns(['device_id', 'message_id'])
    .execute();

  await ownedByTenant(
    ownedByDevice(db.schema.createTable('receipts').addColumn('id', SERIAL, (column) => column.primaryKey())),
  )
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('chat_jid', 'text', (column) => column.notNull())
    .addColumn('recipient_jid', 'text', (column) => column.notNull())
    .addColumn('recipient_lid', 'text')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('at', INT64, (column) => column.notNull())
    .addUniqueConstraint('receipts_unique', ['device_id', 'chat_jid', 'message_id', 'recipient_jid', 'kind'])
    .execute();
  await db.schema
    .createIndex('receipts_by_message_id')
    .on('receipts')
    .columns(['tenant_id', 'message_id'])
    .execute();
}

async function createMedia(db: Kysely<unknown>): Promise<void> {
  await ownedByTenant(
    ownedByDevice(
      db.schema
        .createTable('media')
        .addColumn('message_row_id', 'text', (column) =>
          column.primaryKey().references('messages.id').onDelete('cascade'),
        ),
    ),
  )
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('mime_type', 'text', (column) => column.notNull())
    .addColumn('file_name', 'text')
    .addColumn('file_length', INT64)
    .addColumn('media_key', BYTES, (column) => column.notNull())
    .addColumn('direct_path', 'text')
    .addColumn('sha256', 'text')
    .addColumn('enc_sha256', 'text')
    .addColumn('blob_sha256', 'text')
    .addColumn('seconds', 'integer')
    .addColumn('width', 'integer')
    .addColumn('height', 'integer')
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('outcome_at', INT64)
    .execute();
  await indexOwner(db, 'media');
  await db.schema.createIndex('media_by_device').on('media').column('device_id').execute();
  // Eviction and the blob store ask which messages show the same file.
  await db.schema.createIndex('media_by_sha256').on('media').column('sha256').execute();
  // A forwarded file is recognized by its ciphertext among the tenant's own.
  await db.schema
    .createIndex('media_by_enc_sha256')
    .on('media')
    .columns(['tenant_id', 'enc_sha256'])
    .execute();

  await ownedByTenant(
    ownedByDevice(
      db.schema.createTable('media_retry_requests').addColumn('id', 'text', (column) => column.primaryKey()),
    ),
  )
    .addColumn('message_row_id', 'text', (column) =>
      column.notNull().references('messages.id').onDelete('cascade'),
    )
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('result', 'text')
    .addColumn('requested_at', INT64, (column) => column.notNull())
    .addColumn('expires_at', INT64, (column) => column.notNull())
    .addColumn('answered_at', INT64)
    .execute();
  // However many ask at once, the account's own phone is asked once.
  await db.schema
    .createIndex('media_retry_requests_one_open')
    .on('media_retry_requests')
    .column('message_row_id')
    .unique()
    .where(sql.ref('state'), '=', sql.lit('open'))
    .execute();
  await db.schema
    .createIndex('media_retry_requests_by_row')
    .on('media_retry_requests')
    .columns(['message_row_id', 'requested_at'])
    .execute();
  await db.schema
    .createIndex('media_retry_requests_by_device')
    .on('media_retry_requests')
    .columns(['device_id', 'message_id'])
    .execute();
  await db.schema
    .createIndex('media_retry_requests_by_state')
    .on('media_retry_requests')
    .columns(['state', 'expires_at'])
    .execute();
  await indexOwner(db, 'media_retry_requests');

  // Addressed by content and shared by all tenants, so it belongs to none; access goes through `media`.
  await db.schema
    .createTable('blobs')
    .addColumn('sha256', 'text', (column) => column.primaryKey())
    .addColumn('size', INT64, (column) => column.notNull())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('last_used_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('blobs_by_use').on('blobs').column('last_used_at').execute();
}

async function createIdempotencyKeys(db: Kysely<unknown>): Promise<void> {
  await ownedByTenant(db.schema.createTable('idempotency_keys'))
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('request_hash', 'text', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('response', 'text')
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_keys_pk', ['tenant_id', 'user_id', 'key'])
    .execute();
  await db.schema
    .createIndex('idempotency_keys_by_age')
    .on('idempotency_keys')
    .column('created_at')
    .execute();
  await db.schema.createIndex('idempotency_keys_by_user').on('idempotency_keys').column('user_id').execute();
}

function ownedByDevice<T extends string, C extends string>(table: CreateTableBuilder<T, C>) {
  return table.addColumn('device_id', 'text', (column) =>
    column.notNull().references('devices.id').onDelete('cascade'),
  );
}

/** Without it a cascade from the tenant would scan the table. */
async function indexOwner(db: Kysely<unknown>, table: string): Promise<void> {
  await db.schema.createIndex(`${table}_by_tenant`).on(table).column('tenant_id').execute();
}

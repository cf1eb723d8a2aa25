/** Rows of messages: inserted with their media, and found by the message's id. */
import type { Kysely } from 'kysely';
import type { DeviceId, MessageId, TenantId } from '../ids.ts';
import { mediaRow } from '../media/descriptor-row.ts';
import { HotQuery, slotsOf } from '../storage/hot-query.ts';
import { storingOrder } from '../storage/narrowing.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import { type MessageDevice, STORED_COLUMNS, type StoredRow } from './stored-message.ts';

/** Inserts the row of a message. */
export async function insertRow(db: Kysely<Database>, row: MessagesTable): Promise<void> {
  await INSERT.run(db, row);
}

/** Inserts the row unless the device has the message; false when it has. */
export async function insertNewRow(db: Kysely<Database>, row: MessagesTable): Promise<boolean> {
  return (await INSERT_NEW.affected(db, row)) > 0;
}

/** Inserts the media that belongs to the row; `lidAddressed` as in `InboundMessage`, `broadcastList` by which it came. */
export async function insertMedia(
  db: Kysely<Database>,
  row: Pick<MessagesTable, 'id' | 'tenant_id' | 'device_id'>,
  descriptor: MediaDescriptor,
  {
    vault,
    lidAddressed = false,
    broadcastList = null,
  }: { vault: Vault; lidAddressed?: boolean | undefined; broadcastList?: Jid | null },
): Promise<void> {
  const { id: messageRowId, tenant_id: tenantId, device_id: deviceId } = row;
  const owner = { messageRowId, tenantId, deviceId, lidAddressed, broadcastList };
  await db
    .insertInto('media')
    .values(mediaRow(descriptor, owner, vault))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The device's messages with that id: several chats may have one. In the order of storing. */
export async function rowsWithId(
  db: Kysely<Database>,
  device: Pick<MessageDevice, 'id' | 'tenantId'>,
  messageId: MessageId,
): Promise<StoredRow[]> {
  return BY_MESSAGE_ID.rows(db, { tenantId: device.tenantId, deviceId: device.id, messageId });
}

/** The messages of all devices of the tenant with that id, in the order of storing. */
export async function rowsOfTenant(
  db: Kysely<Database>,
  tenantId: TenantId,
  messageId: MessageId,
): Promise<StoredRow[]> {
  return BY_TENANT.rows(db, { tenantId, messageId });
}

const COLUMNS = [...STORED_COLUMNS, 'target_id', 'raw'] as const;

const INSERT = new HotQuery<MessagesTable, unknown>((db, row) =>
  db.insertInto('messages').values(slotsOf(row, COLUMNS)),
);

const INSERT_NEW = new HotQuery<MessagesTable, unknown>((db, row) =>
  db
    .insertInto('messages')
    .values(slotsOf(row, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
);

const BY_TENANT = new HotQuery<{ tenantId: TenantId; messageId: MessageId }, StoredRow>(
  (db, { tenantId, messageId }) =>
    db
      .selectFrom('messages')
      .select(STORED_COLUMNS)
      .where('tenant_id', '=', tenantId)
      .where('message_id', '=', messageId)
      .orderBy(storingOrder()),
);

const BY_MESSAGE_ID = new HotQuery<
  { tenantId: TenantId; deviceId: DeviceId; messageId: MessageId },
  StoredRow
>((db, { tenantId, deviceId, messageId }) =>
  db
    .selectFrom('messages')
    .select(STORED_COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('message_id', '=', messageId)
    .where('device_id', '=', deviceId)
    .orderBy(storingOrder()),
);

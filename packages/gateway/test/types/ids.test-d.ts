/** Ids: any text passes for each, and no kind of them for another, in the columns as in the code. */
import type { Device } from '../../src/devices/device.ts';
import type { DeviceId, MessageId, RecordId, TenantId, UserId } from '../../src/ids.ts';
import type { MessageDevice, StoredMessage } from '../../src/messages/stored-message.ts';
import type { StoredMessages } from '../../src/messages/stored-messages.ts';
import type { Database } from '../../src/storage/schema.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { Claims, Fits, Is, Refused } from './expect-type.ts';

interface Kinds {
  tenant_id: TenantId;
  user_id: UserId;
  device_id: DeviceId;
  message_id: MessageId;
  message_row_id: RecordId;
}

/** Columns that are named as an id of a kind and have another type: `table.column`. */
type Untold = {
  [T in keyof Database]: {
    [C in keyof Database[T] & keyof Kinds]: Is<NonNullable<Database[T][C]>, Kinds[C]> extends true
      ? never
      : `${T}.${C}`;
  }[keyof Database[T] & keyof Kinds];
}[keyof Database];

export type IdClaims = Claims<
  [
    Fits<string, TenantId | UserId | DeviceId | RecordId | MessageId>,
    Refused<DeviceId, TenantId>,
    Refused<TenantId, DeviceId>,
    Refused<UserId, TenantId>,
    Refused<DeviceId, UserId>,
    Refused<MessageId, RecordId>,
    Refused<RecordId, MessageId>,
    Is<Untold, never>,
    Is<Database['tenants']['id'], TenantId>,
    Is<Database['users']['id'], UserId>,
    Is<Database['devices']['id'], DeviceId>,
    Is<Database['messages']['id'], RecordId>,
    // Where they begin, and where two of them stand side by side.
    Is<[Caller['tenantId'], Caller['userId']], [TenantId, UserId]>,
    Is<[Device['id'], Device['tenantId'], Device['userId']], [DeviceId, TenantId, UserId]>,
    Is<[MessageDevice['id'], MessageDevice['tenantId']], [DeviceId, TenantId]>,
    Is<[StoredMessage['rowId'], StoredMessage['messageId']], [RecordId, MessageId]>,
    Is<Parameters<StoredMessages['record']>, [TenantId, RecordId]>,
    Is<Parameters<StoredMessages['withId']>, [TenantId, MessageId]>,
  ]
>;

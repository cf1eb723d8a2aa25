/**
 * Ids by what they name. At run time each is text, and any text passes for each, so that what a request or a test
 * says needs no conversion. But an id of one kind never passes for one of another: that of a device where a tenant
 * is asked for does not compile, in a query above all, because the columns of `storage/schema.ts` have these types.
 */
declare const kind: unique symbol;

type Id<Kind extends string> = string & { readonly [kind]?: Kind };

export type TenantId = Id<'tenant'>;
export type UserId = Id<'user'>;
export type DeviceId = Id<'device'>;
/** Our own id of a stored message: one device's row. `record_id` in answers. */
export type RecordId = Id<'record'>;
/** WhatsApp's id of a message: its sender's choice, so it names nothing without device, chat and sender. */
export type MessageId = Id<'message'>;

/**
 * Every column that holds sealed values, and the place that each of its values is bound to. `Vault` takes no
 * other place, so that nothing is sealed that a new key would not reach (`key-rotation.ts`).
 */
import type { Database } from './schema.ts';

declare const bound: unique symbol;

/** Where a sealed value belongs: copied to another row or column it does not open. Made here alone. */
export type SealedPlace = string & { readonly [bound]: true };

type Row = Record<string, string | number>;

/** A column of sealed values. */
export interface SealedColumn<R extends Row = Row> {
  table: keyof Database;
  column: string;
  /** The columns of the primary key, in its order. */
  key: readonly string[];
  /** What the place is made of, beside the key. */
  beside: readonly string[];
  /** The place of a row's value. */
  at(row: R): SealedPlace;
}

type ColumnOf<T extends keyof Database> = keyof Database[T] & string;

function column<const T extends keyof Database, const K extends ColumnOf<T>>(
  table: T,
  name: ColumnOf<T>,
  made: {
    key: readonly ColumnOf<T>[];
    place: readonly K[];
    at(row: { [name in K]: string }): string;
  },
): SealedColumn<{ [name in K]: string }> {
  const beside = made.place.filter((each) => !made.key.includes(each));
  return { table, column: name, key: made.key, beside, at: (row) => made.at(row) as SealedPlace };
}

/** JSON keeps the parts apart whatever they contain. */
function ofDevice(deviceId: string, ...place: string[]): string {
  return JSON.stringify([deviceId, ...place]);
}

export const SEALED = {
  credentials: column('device_credentials', 'value', {
    key: ['device_id'],
    place: ['device_id'],
    at: ({ device_id }) => ofDevice(device_id, 'credentials'),
  }),
  signalKey: column('signal_keys', 'value', {
    key: ['device_id', 'type', 'id'],
    place: ['device_id', 'type', 'id'],
    at: ({ device_id, type, id }) => ofDevice(device_id, 'key', type, id),
  }),
  journal: column('inbound_journal', 'plaintext', {
    key: ['device_id', 'id'],
    place: ['device_id', 'id'],
    at: ({ device_id, id }) => ofDevice(device_id, 'journal', id),
  }),
  message: column('messages', 'raw', {
    key: ['id'],
    place: ['id'],
    at: ({ id }) => `message:${id}`,
  }),
  poll: column('poll_options', 'content', {
    key: ['message_row_id'],
    place: ['message_row_id'],
    at: ({ message_row_id }) => `poll:${message_row_id}`,
  }),
  mediaKey: column('media', 'media_key', {
    key: ['message_row_id'],
    place: ['message_row_id'],
    at: ({ message_row_id }) => `media-key:${message_row_id}`,
  }),
  job: column('send_jobs', 'request', {
    key: ['id'],
    place: ['id'],
    at: ({ id }) => `send_job:${id}`,
  }),
  webhookSecret: column('webhook_endpoints', 'secret', {
    key: ['id'],
    place: ['id'],
    at: ({ id }) => `webhook_endpoints:${id}:secret`,
  }),
  webhookHeaders: column('webhook_endpoints', 'headers', {
    key: ['id'],
    place: ['id'],
    at: ({ id }) => `webhook_endpoints:${id}:headers`,
  }),
  tenantProxy: column('tenant_proxies', 'url', {
    key: ['tenant_id'],
    place: ['tenant_id'],
    at: ({ tenant_id }) => `tenant_proxies:${tenant_id}`,
  }),
  deviceProxy: column('device_proxies', 'url', {
    key: ['device_id'],
    place: ['device_id'],
    at: ({ device_id }) => `device_proxies:${device_id}`,
  }),
  event: column('events', 'sealed', {
    key: ['seq'],
    place: ['device_id', 'id'],
    at: ({ device_id, id }) => ofDevice(device_id, 'events', id),
  }),
} as const;

/** Says which key the database is sealed with: see `encryption-key.ts`, which changes it by itself. */
export const KEY_CHECK = 'encryption-key' as SealedPlace;

/** The tables of whatsmeow's SQL store, and how rows of them are had, from wherever they lie. */
import { HeldSessionRefused } from '../../../whatsapp/port/moving.ts';

type ColumnKind = 'text' | 'bytes' | 'integer' | 'flag';

interface ValueOf {
  text: string;
  bytes: Uint8Array;
  integer: number;
  flag: boolean;
}

type Columns = Readonly<Record<string, ColumnKind>>;

export interface Table<C extends Columns = Columns> {
  name: string;
  /** The column that says whose row it is; null for a table that all devices share. */
  owner: string | null;
  columns: C;
}

export type Row<T extends Table> = { [K in keyof T['columns']]: ValueOf[T['columns'][K]] | null };

/** A store, wherever it was read from. */
export interface StoredTables {
  /** The file, for people. */
  readonly file: string;
  has(table: string): boolean;
  /** All rows, or those of a device. A column that is not there is null. Throws `HeldSessionRefused`. */
  rows<T extends Table>(table: T, owner?: string): Iterable<Row<T>>;
  count(table: Table, owner: string): number;
}

export const VERSION = table('whatsmeow_version', null, { version: 'integer', compat: 'integer' });

export const DEVICE = table('whatsmeow_device', 'jid', {
  jid: 'text',
  lid: 'text',
  registration_id: 'integer',
  noise_key: 'bytes',
  identity_key: 'bytes',
  signed_pre_key: 'bytes',
  signed_pre_key_id: 'integer',
  signed_pre_key_sig: 'bytes',
  adv_key: 'bytes',
  adv_details: 'bytes',
  adv_account_sig: 'bytes',
  adv_account_sig_key: 'bytes',
  adv_device_sig: 'bytes',
  platform: 'text',
  business_name: 'text',
  push_name: 'text',
});

/** Which devices there are. */
export const DEVICE_NAMES = table('whatsmeow_device', null, { jid: 'text' });

export const IDENTITY_KEYS = table('whatsmeow_identity_keys', 'our_jid', {
  their_id: 'text',
  identity: 'bytes',
});
export const PRE_KEYS = table('whatsmeow_pre_keys', 'jid', { key_id: 'integer', key: 'bytes' });
export const SESSIONS = table('whatsmeow_sessions', 'our_jid', { their_id: 'text', session: 'bytes' });
export const SESSION_NAMES = table('whatsmeow_sessions', 'our_jid', { their_id: 'text' });
export const SENDER_KEYS = table('whatsmeow_sender_keys', 'our_jid', {
  chat_id: 'text',
  sender_id: 'text',
  sender_key: 'bytes',
});
export const SENDER_KEY_NAMES = table('whatsmeow_sender_keys', 'our_jid', {
  chat_id: 'text',
  sender_id: 'text',
});
export const APP_STATE_KEYS = table('whatsmeow_app_state_sync_keys', 'jid', {
  key_id: 'bytes',
  key_data: 'bytes',
  timestamp: 'integer',
  fingerprint: 'bytes',
});
export const APP_STATE_VERSIONS = table('whatsmeow_app_state_version', 'jid', { name: 'text' });
export const PRIVACY_TOKENS = table('whatsmeow_privacy_tokens', 'our_jid', {
  their_jid: 'text',
  token: 'bytes',
  timestamp: 'integer',
  sender_timestamp: 'integer',
});
/** Since version 14 of the store. */
export const NCT_SALT = table('whatsmeow_nct_salt', 'our_jid', { salt: 'bytes' });
export const LID_MAP = table('whatsmeow_lid_map', null, { lid: 'text', pn: 'text' });

/** Of these it is only told how many there are. */
export const MESSAGE_SECRETS = table('whatsmeow_message_secrets', 'our_jid', {});
export const RETRY_BUFFER = table('whatsmeow_retry_buffer', 'our_jid', {});

/** Those without which it is no store of whatsmeow that can be read. */
export const NEEDED: readonly Table[] = [
  DEVICE,
  IDENTITY_KEYS,
  PRE_KEYS,
  SESSIONS,
  SENDER_KEYS,
  APP_STATE_KEYS,
  APP_STATE_VERSIONS,
  PRIVACY_TOKENS,
  LID_MAP,
];

/** The value of a column that must be there, and for bytes, how many. */
export function needed<V>(
  value: V | null,
  at: { table: Table; column: string; file: string },
  length?: number,
): V {
  const fits =
    value !== null && (length === undefined || (value instanceof Uint8Array && value.length === length));
  if (!fits) throw malformed(at, length === undefined ? 'is missing' : `is not ${length} bytes long`);
  return value;
}

export function malformed(
  at: { table: Table; column: string; file: string },
  what: string,
): HeldSessionRefused {
  const field = `${at.table.name}.${at.column}`;
  return new HeldSessionRefused('malformed', field, at.file, `${field} ${what}`);
}

function table<const C extends Columns>(name: string, owner: string | null, columns: C): Table<C> {
  return { name, owner, columns };
}

/** The account's state as whatsmeow keeps it: the keys that open it. */
import { APP_STATE_KEYS, APP_STATE_VERSIONS, needed, type StoredTables } from './tables.ts';

/** An entry of the key store, before it is said where it was found. */
export interface Entry {
  id: string;
  value: unknown;
}

/** The id, in base64, of the key with which changes are sealed: the newest, as in whatsmeow. */
export function newestAppStateKey(tables: StoredTables, jid: string): string | undefined {
  let newest: { id: string; timestamp: number } | undefined;
  for (const row of tables.rows(APP_STATE_KEYS, jid)) {
    const timestamp = row.timestamp ?? 0;
    if (row.key_id && (!newest || timestamp > newest.timestamp))
      newest = { id: base64(row.key_id), timestamp };
  }
  return newest?.id;
}

export function* appStateKeys(tables: StoredTables, jid: string): Iterable<Entry> {
  const at = (column: string) => ({ table: APP_STATE_KEYS, column, file: tables.file });
  for (const row of tables.rows(APP_STATE_KEYS, jid)) {
    yield {
      id: base64(needed(row.key_id, at('key_id'))),
      value: {
        keyData: needed(row.key_data, at('key_data')),
        fingerprint: readFingerprint(needed(row.fingerprint, at('fingerprint'))),
        timestamp: needed(row.timestamp, at('timestamp')),
      },
    };
  }
}

/**
 * The collections that were followed. Their versions stay behind: what the earlier changes said is not in the store,
 * and is had only with the collection as a whole.
 */
export function* appStateVersions(tables: StoredTables, jid: string): Iterable<Entry> {
  const at = { table: APP_STATE_VERSIONS, column: 'name', file: tables.file };
  for (const { name } of tables.rows(APP_STATE_VERSIONS, jid)) yield { id: needed(name, at), value: null };
}

interface Fingerprint {
  rawId?: number;
  currentIndex?: number;
  deviceIndexes: number[];
}

/**
 * A `Message.AppStateSyncKeyFingerprint`: three members, numbers all of them. Nothing here goes by it; it belongs to
 * the key. What is not understood is left out.
 */
function readFingerprint(bytes: Uint8Array): Fingerprint {
  const fingerprint: Fingerprint = { deviceIndexes: [] };
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64 && at < bytes.length; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value % 2 ** 32;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === 0x08) fingerprint.rawId = varint();
    else if (tag === 0x10) fingerprint.currentIndex = varint();
    else if (tag === 0x18) fingerprint.deviceIndexes.push(varint());
    else if (tag === 0x1a) {
      const end = Math.min(bytes.length, varint() + at);
      while (at < end) fingerprint.deviceIndexes.push(varint());
    } else break;
  }
  return fingerprint;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/**
 * A store in two files, as GOWA keeps it with `DB_KEYS_URI`: whatsmeow makes all its tables in both, the device's row is
 * in both, and what Signal needs is kept in the second alone (infrastructure/whatsapp/key_cache.go applyKeyCacheStore).
 */
import {
  APP_STATE_KEYS,
  IDENTITY_KEYS,
  MESSAGE_SECRETS,
  PRE_KEYS,
  type Row,
  SENDER_KEYS,
  SESSIONS,
  type StoredTables,
  type Table,
} from './tables.ts';

const SIGNAL: ReadonlySet<string> = new Set(
  [IDENTITY_KEYS, SESSIONS, PRE_KEYS, SENDER_KEYS, MESSAGE_SECRETS].map(({ name }) => name),
);

/** The one store that two files with the device are; null when each could be one of its own. */
export function splitStore(jid: string, stores: readonly StoredTables[]): StoredTables | null {
  const [first, second, ...others] = stores;
  if (!first || !second || others.length > 0) return null;
  const hasState = (tables: StoredTables) => tables.count(APP_STATE_KEYS, jid) > 0;
  if (hasState(first) === hasState(second)) return null;
  return hasState(first) ? new SplitStore(jid, first, second) : new SplitStore(jid, second, first);
}

class SplitStore implements StoredTables {
  readonly file: string;
  readonly #main: StoredTables;
  readonly #signal: StoredTables;

  constructor(jid: string, main: StoredTables, keys: StoredTables) {
    this.#main = main;
    // Until the program has been started with it for the first time, the second file has the device alone.
    this.#signal = keys.count(PRE_KEYS, jid) > 0 ? keys : main;
    this.file = `${main.file} with ${keys.file}`;
  }

  has(table: string): boolean {
    return this.#of(table).has(table);
  }

  rows<T extends Table>(table: T, owner?: string): Iterable<Row<T>> {
    return this.#of(table.name).rows(table, owner);
  }

  count(table: Table, owner: string): number {
    return this.#of(table.name).count(table, owner);
  }

  #of(table: string): StoredTables {
    return SIGNAL.has(table) ? this.#signal : this.#main;
  }
}

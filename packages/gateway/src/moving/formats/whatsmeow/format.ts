/** The store of whatsmeow, and so of what is built on it: wuzapi, GOWA, mautrix-whatsapp and others. */
import type { FoundSession, HandedFiles, SessionFormat } from '../../format.ts';
import { isSqlite } from '../../sqlite/foreign-database.ts';
import { copiedTables } from './copy-text.ts';
import { heldSession } from './held-session.ts';
import { splitStore } from './split-store.ts';
import { sqliteTables } from './sqlite-tables.ts';
import { checkVersion } from './store-version.ts';
import { DEVICE_NAMES, type StoredTables } from './tables.ts';

/** How a text that `pg_dump` has written begins, comments and settings before the first table included. */
const DUMP_BEGINS = /^(?:--|SET |COPY |CREATE |SELECT pg_catalog|\\(?:un)?restrict |\s)/;

export const WHATSMEOW: SessionFormat = {
  name: 'whatsmeow',
  title: 'whatsmeow (wuzapi, GOWA, mautrix-whatsapp): its SQLite file, or what pg_dump writes of its tables',
  recognise(files) {
    const stores: Store[] = [];
    for (const path of files.paths) {
      const tables = tablesOf(files, path);
      if (!tables) continue;
      checkVersion(tables);
      stores.push({ tables, lastWritten: lastWritten(files, path) });
    }
    if (stores.length === 0) return null;
    return {
      saw: `the tables of whatsmeow in ${stores.map(({ tables }) => tables.file).join(', ')}`,
      sessions: [...holders(stores)].flatMap(([jid, of]) => sessionsOf(jid, of)),
    };
  },
};

function tablesOf(files: HandedFiles, path: string): StoredTables | null {
  const bytes = files.bytes(path);
  if (!bytes || bytes.length === 0) return null;
  if (isSqlite(bytes)) {
    return sqliteTables(path, bytes, {
      log: files.bytes(`${path}-wal`),
      journal: files.bytes(`${path}-journal`),
    });
  }
  const beginning = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return DUMP_BEGINS.test(beginning) ? copiedTables(path, bytes) : null;
}

/** Of the file and of its log: a program that runs writes there first. */
function lastWritten(files: HandedFiles, path: string): number | null {
  const times = [path, `${path}-wal`].map((each) => files.writtenAt(each)).filter((at) => at !== null);
  return times.length === 0 ? null : Math.max(...times);
}

interface Store {
  tables: StoredTables;
  lastWritten: number | null;
}

/** The stores that have a device, by its JID. */
function holders(stores: readonly Store[]): Map<string, Store[]> {
  const found = new Map<string, Store[]>();
  for (const store of stores) {
    for (const { jid } of store.tables.rows(DEVICE_NAMES)) {
      if (jid !== null) found.set(jid, [...(found.get(jid) ?? []), store]);
    }
  }
  return found;
}

/** A device that several files have is one session where they are one store; else each is named with its file. */
function sessionsOf(jid: string, stores: readonly Store[]): FoundSession[] {
  const tables = stores.map((store) => store.tables);
  const split = splitStore(jid, tables);
  if (split) {
    const latest = Math.max(...stores.map((store) => store.lastWritten ?? 0));
    return [{ name: jid, lastWritten: latest || null, read: () => heldSession(split, jid) }];
  }
  return stores.map(({ tables, lastWritten }) => ({
    name: stores.length === 1 ? jid : `${tables.file}/${jid}`,
    lastWritten,
    read: () => heldSession(tables, jid),
  }));
}

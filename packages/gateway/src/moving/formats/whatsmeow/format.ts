/** The store of whatsmeow, and so of what is built on it: wuzapi, GOWA, mautrix-whatsapp and others. */
import type { FoundSession, HandedFiles, SessionFormat } from '../../format.ts';
import { isSqlite } from '../../sqlite/foreign-database.ts';
import { copiedTables } from './copy-text.ts';
import { heldSession } from './held-session.ts';
import { sqliteTables } from './sqlite-tables.ts';
import { checkVersion } from './store-version.ts';
import { DEVICE_NAMES, type StoredTables } from './tables.ts';

/** How a text that `pg_dump` has written begins, comments and settings before the first table included. */
const DUMP_BEGINS = /^(?:--|SET |COPY |CREATE |SELECT pg_catalog|\\(?:un)?restrict |\s)/;

export const WHATSMEOW: SessionFormat = {
  name: 'whatsmeow',
  title: 'whatsmeow (wuzapi, GOWA, mautrix-whatsapp): its SQLite file, or what pg_dump writes of its tables',
  recognise(files) {
    const found: { tables: StoredTables; sessions: FoundSession[] }[] = [];
    for (const path of files.paths) {
      const tables = tablesOf(files, path);
      if (tables) found.push({ tables, sessions: sessionsOf(tables, lastWritten(files, path)) });
    }
    const [first] = found;
    if (!first) return null;
    return {
      saw: `the tables of whatsmeow in ${found.map(({ tables }) => tables.file).join(', ')}`,
      sessions: found.flatMap(({ sessions }) => sessions),
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

function sessionsOf(tables: StoredTables, writtenAt: number | null): FoundSession[] {
  checkVersion(tables);
  const names = [...tables.rows(DEVICE_NAMES)].map(({ jid }) => jid).filter((jid) => jid !== null);
  return names.map((name) => ({ name, lastWritten: writtenAt, read: () => heldSession(tables, name) }));
}

/** Tables that hold one row for each value of a session, exported as JSON. */
import type { FoundSession, HandedFiles, SessionFormat } from '../format.ts';
import { nameOf } from './folder.ts';
import { jsonRows, looksLikeJson, memberOf, textOf } from './json-text.ts';
import { heldSession, isCreds, isOfSession, type NamedValue } from './named-values.ts';

interface Columns {
  session: string;
  name: string;
  value: string;
}

/** `Session` of its Prisma schema; ids are escaped as file names are (session.ts `fixId`). */
export const baileysApi: SessionFormat = rowsFormat({
  name: 'baileys-api',
  title: 'baileys-api (nizarfadlan, ookamiiixd), table Session',
  columns: { session: 'sessionId', name: 'id', value: 'data' },
});

/** `waha_auth` of usePostgresAuthState.ts; values are JSON, in which bytes are as Node writes them. */
export const wahaRows: SessionFormat = rowsFormat({
  name: 'waha-postgres',
  title: 'WAHA, engine NOWEB, table waha_auth',
  columns: { session: 'session_id', name: 'key', value: 'value' },
});

interface Export {
  path: string;
  rows: unknown[];
}

const made = new WeakMap<HandedFiles, readonly Export[]>();

/** Every JSON file of what was handed in with its rows, those that hold one value of a session left out. */
export function exportedRows(files: HandedFiles): readonly Export[] {
  const known = made.get(files);
  if (known) return known;
  const exports = files.paths
    .filter((path) => !isOfSession(nameOf(path)))
    .flatMap((path) => {
      const bytes = files.bytes(path);
      return bytes && looksLikeJson(bytes) ? [{ path, rows: jsonRows(bytes) }] : [];
    });
  made.set(files, exports);
  return exports;
}

function rowsFormat({
  name,
  title,
  columns,
}: {
  name: string;
  title: string;
  columns: Columns;
}): SessionFormat {
  return {
    name,
    title,
    recognise(files) {
      const sessions = exportedRows(files).flatMap(({ path, rows }) => sessionsOf(path, rows, columns));
      if (sessions.length === 0) return null;
      const { session, name: id, value } = columns;
      return { saw: `rows with the columns ${session}, ${id} and ${value}`, sessions };
    },
  };
}

function sessionsOf(path: string, rows: unknown[], columns: Columns): FoundSession[] {
  const bySession = new Map<string, NamedValue[]>();
  for (const row of rows) {
    const [session, name] = [textOf(row, columns.session), textOf(row, columns.name)];
    if (session === null || name === null) continue;
    const value: NamedValue = {
      name,
      value: () => memberOf(row, columns.value),
      place: `${path}: ${name.slice(0, 100)}`,
    };
    const values = bySession.get(session);
    if (values) values.push(value);
    else bySession.set(session, [value]);
  }
  return [...bySession]
    .filter(([, values]) => values.some(({ name }) => isCreds(name)))
    .map(([session, values]) => ({
      name: session,
      lastWritten: null,
      read: () => heldSession(values, `${path}: creds`),
    }));
}

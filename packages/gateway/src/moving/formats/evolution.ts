/**
 * Evolution API 2. The table `Session` holds the credentials of each instance, as the JSON of a JSON text; its keys lie
 * in `instances/<instance id>`, or in a hash of Redis that is named after the instance, where Redis is on. Without
 * `DATABASE_SAVE_DATA_INSTANCE` the hash has the credentials too (use-multi-file-auth-state-prisma.ts,
 * use-multi-file-auth-state-redis-db.ts).
 */
import type { FoundSession, HandedFiles, SessionFormat } from '../format.ts';
import { lastWritten, valuesOf } from './folder.ts';
import { baseOf, foldersOf } from './folders.ts';
import { memberOf, textOf } from './json-text.ts';
import { heldSession, isCreds, isOfSession, type NamedValue } from './named-values.ts';
import { exportedRows } from './rows.ts';

export const evolution: SessionFormat = {
  name: 'evolution',
  title: 'Evolution API 2: table Session with the folder of the instance, or the hash of Redis',
  recognise(files) {
    const exports = exportedRows(files);
    const rows = exports.flatMap(({ path, rows }) => rows.flatMap((row) => credsRow(path, row)));
    const hashes = exports.flatMap(({ path, rows }) => (rows.length === 1 ? hashOf(path, rows[0]) : []));
    const whole = hashes.filter(({ values }) => values.some(({ name }) => isCreds(name)));
    if (rows.length > 0) {
      const alone = rows.length === 1;
      const folders = new KeyFolders(files);
      // A hash does not say whose it is: with one row alone it can only be that one's.
      const hashed = alone ? hashes.flatMap(({ values }) => values.filter(({ name }) => !isCreds(name))) : [];
      const sessions = rows.map(({ sessionId, creds }): FoundSession => {
        const values = [creds, ...folders.of(sessionId, alone), ...hashed];
        return {
          name: sessionId,
          lastWritten: lastWritten(files, values),
          read: () => heldSession(values, creds.place),
        };
      });
      return { saw: 'rows of the table Session, with sessionId and creds', sessions };
    }
    if (whole.length === 0) return null;
    const sessions = whole.map(({ path, values }) => ({
      name: path,
      lastWritten: null,
      read: () => heldSession(values, path),
    }));
    return { saw: 'an object with creds and keys, as a hash of Redis has them', sessions };
  },
};

interface CredsRow {
  sessionId: string;
  creds: NamedValue;
}

function credsRow(path: string, row: unknown): CredsRow[] {
  const [sessionId, creds] = [textOf(row, 'sessionId'), textOf(row, 'creds')];
  if (sessionId === null || creds === null) return [];
  return [{ sessionId, creds: { name: 'creds', value: () => creds, place: `${path}: creds` } }];
}

function hashOf(path: string, object: unknown): { path: string; values: NamedValue[] }[] {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return [];
  const values = Object.keys(object)
    .filter(isOfSession)
    .map((name) => ({ name, value: () => memberOf(object, name), place: `${path}: ${name.slice(0, 100)}` }));
  return values.length === 0 ? [] : [{ path, values }];
}

/** Folders with keys, the folder that has the instance's id found by its name. */
class KeyFolders {
  readonly #byName = new Map<string, NamedValue[]>();

  constructor(files: HandedFiles) {
    for (const [folder, paths] of foldersOf(files)) {
      const values = valuesOf(files, paths).filter(({ name }) => isOfSession(name) && !isCreds(name));
      if (values.length > 0) this.#byName.set(baseOf(folder), values);
    }
  }

  /** With `alone` the only folder is the instance's, whatever its name. */
  of(sessionId: string, alone: boolean): NamedValue[] {
    const [only, ...others] = this.#byName.values();
    return this.#byName.get(sessionId) ?? (alone && only && others.length === 0 ? only : []);
  }
}

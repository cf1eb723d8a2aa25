import { HeldSessionRefused } from '../../../whatsapp/port/moving.ts';
import { NEEDED, type StoredTables, VERSION } from './tables.ts';

/**
 * Versions of the schema (whatsmeow store/sqlstore/upgrades): from the one that has LIDs to the newest that was read
 * for this. A newer one says itself down to which version programs still understand it.
 */
const OLDEST = 8;
const NEWEST = 15;

/** Throws `HeldSessionRefused` for a store that cannot be understood for certain. */
export function checkVersion(tables: StoredTables): void {
  const [row] = tables.has(VERSION.name) ? [...tables.rows(VERSION)] : [];
  if (!row) throw refused(tables, 'the store does not say of which version it is');
  const version = row.version ?? 0;
  // A store that says nothing of it is understood by its own version alone (go.mau.fi/util dbutil/upgrades.go).
  const needs = row.compat || version;
  if (version < OLDEST) {
    throw refused(
      tables,
      `the store is of version ${version}, which is older than ${OLDEST}: start its program once with a whatsmeow of this year`,
    );
  }
  if (needs > NEWEST) {
    throw refused(
      tables,
      `the store is of version ${version}, and this gateway understands those up to ${NEWEST}`,
    );
  }
  const missing = NEEDED.find(({ name }) => !tables.has(name));
  if (missing) {
    throw new HeldSessionRefused(
      'malformed',
      missing.name,
      tables.file,
      `the table ${missing.name} is missing`,
    );
  }
}

function refused(tables: StoredTables, message: string): HeldSessionRefused {
  return new HeldSessionRefused('malformed', 'whatsmeow_version.version', tables.file, message);
}

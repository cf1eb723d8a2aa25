/** The column types of the migrations, by what they hold. */
import type { ColumnDefinitionBuilder } from 'kysely';

export const BYTES = 'blob';

/** 64 bits: milliseconds and sizes. */
export const INT64 = 'integer';

/** An id that counts up by itself: only the exact word INTEGER makes a primary key an alias of the row id. */
export const SERIAL = 'integer';

/**
 * Makes a serial column the primary key, and its numbers unique for ever: SQLite gives the highest row id out
 * again once its row was deleted, unless AUTOINCREMENT is said (https://sqlite.org/autoinc.html).
 */
export function neverReused(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.primaryKey().autoIncrement();
}

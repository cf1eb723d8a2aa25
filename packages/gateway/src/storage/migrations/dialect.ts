/** The few column types that SQLite and PostgreSQL call differently. */
import {
  type ColumnDataType,
  type ColumnDefinitionBuilder,
  type Expression,
  type Kysely,
  SqliteAdapter,
  sql,
} from 'kysely';

export interface ColumnTypes {
  bytes: ColumnDataType;
  /** 64 bits: milliseconds and sizes. */
  int64: ColumnDataType;
  /** An id that counts up by itself. */
  serial: ColumnDataType | Expression<unknown>;
}

/** Migrations get a `Kysely` without a schema, as Kysely advises: the schema moves on, they stay. */
export function columnTypes(db: Kysely<unknown>): ColumnTypes {
  if (db.getExecutor().adapter instanceof SqliteAdapter) {
    // Only the exact word INTEGER makes a primary key an alias of the row id.
    return { bytes: 'blob', int64: 'integer', serial: 'integer' };
  }
  return { bytes: 'bytea', int64: 'bigint', serial: sql`bigserial` };
}

/**
 * Makes a serial column the primary key, and its numbers unique for ever. SQLite gives the highest row id out
 * again once its row was deleted, unless AUTOINCREMENT is said (https://sqlite.org/autoinc.html).
 */
export function neverReused(db: Kysely<unknown>) {
  const sqlite = db.getExecutor().adapter instanceof SqliteAdapter;
  return (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
    sqlite ? column.primaryKey().autoIncrement() : column.primaryKey();
}

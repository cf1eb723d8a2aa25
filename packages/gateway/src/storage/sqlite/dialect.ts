/** Kysely over one SQLite connection: fair turns, prepared statements, commits that share their sync. */
import type { Database as SqliteDatabase, Statement } from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import { storeError } from './failure-codes.ts';
import type { WalSync } from './wal-sync.ts';

/** The hot statements are about a hundred; lists of ids make some of every length. */
const STATEMENTS = 500;
const KEPT = /^\s*(?:select|insert|update|delete|with|begin|commit|rollback|savepoint|release)\b/i;

/** What the two ways to use one connection (see `SqliteDialect`) have in common. */
export class SharedSqlite {
  readonly database: SqliteDatabase;
  readonly turns = new Turns();
  readonly connection: SqliteConnection;
  /** Null: a commit need not wait for the disk. */
  readonly wal: WalSync | null;

  constructor(database: SqliteDatabase, wal: WalSync | null) {
    this.database = database;
    this.wal = wal;
    this.connection = new SqliteConnection(database);
  }
}

/**
 * `waits`: a transaction or statement that wrote resolves once it is on the disk, and the next one has its
 * turn meanwhile. Without it resolves when the operating system has the commit: for writers who wait for
 * the disk later, before anything leaves the process.
 */
export class SqliteDialect implements Dialect {
  readonly #shared: SharedSqlite;
  readonly #waits: boolean;

  constructor(shared: SharedSqlite, waits: boolean) {
    this.#shared = shared;
    this.#waits = waits;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#shared, this.#waits);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new PlanKeepingCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new SqliteAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }
}

/**
 * Writes `+?` for a parameter. A plan then never depends on what is bound, and a statement is prepared once: with a
 * bare `?` in a limit, compared with the column of a partial index, or beside an `order by` or a join, SQLite plans
 * the statement anew each time it is bound, which took three quarters of the time of those statements
 * (`sqlite3VdbeReprepareOnBind` and `sqlite3_clear_bindings` of sqlite3.c 3.54.1; its switch against that,
 * SQLITE_DBCONFIG_ENABLE_QPSG, cannot be reached from here). The plus does nothing else: it is no instruction, has no
 * affinity, and an index serves the comparison all the same.
 */
class PlanKeepingCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }
}

/**
 * A transaction that reads first and writes then fails at once with SQLITE_BUSY_SNAPSHOT when another process
 * (the CLI) has written in between: waiting would not help it, what it read is old. So it takes the right to
 * write first, which is waited for (https://sqlite.org/lang_transaction.html#immediate).
 */
const BEGIN = CompiledQuery.raw('begin immediate');
const BEGIN_READING = CompiledQuery.raw('begin');
const COMMIT = CompiledQuery.raw('commit');
const ROLLBACK = CompiledQuery.raw('rollback');

class SqliteDriver implements Driver {
  readonly #shared: SharedSqlite;
  readonly #waits: boolean;

  constructor(shared: SharedSqlite, waits: boolean) {
    this.#shared = shared;
    this.#waits = waits;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const { turns, connection, wal } = this.#shared;
    await turns.take();
    if (wal?.failure) {
      turns.give();
      throw wal.failure;
    }
    connection.wrote = false;
    return connection;
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await connection.executeQuery(settings.accessMode === 'read only' ? BEGIN_READING : BEGIN);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(COMMIT);
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A failure such as a full disk may have ended the transaction already.
    if (this.#shared.database.inTransaction) await connection.executeQuery(ROLLBACK);
  }

  async releaseConnection(): Promise<void> {
    const { turns, connection, wal } = this.#shared;
    const { wrote } = connection;
    turns.give();
    if (!wal || !wrote) return;
    wal.committed();
    if (this.#waits) await wal.durable();
  }

  async destroy(): Promise<void> {
    await this.#shared.wal?.close();
    this.#shared.database.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  /** Whether a statement since the last turn may have changed something. */
  wrote = false;
  readonly #database: SqliteDatabase;
  readonly #statements = new LRUCache<string, Statement>({ max: STATEMENTS });

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const statement = this.#statement(sql);
      if (!statement.readonly) this.wrote = true;
      if (statement.reader) return { rows: statement.all(parameters) as R[] };
      const { changes, lastInsertRowid } = statement.run(parameters);
      return { numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid), rows: [] };
    } catch (error) {
      throw storeError(error);
    }
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.#database.prepare(sql).iterate(parameters)) yield { rows: [row as R] };
  }

  #statement(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    if (KEPT.test(sql)) this.#statements.set(sql, statement);
    // Statements remember the columns they return.
    else this.#statements.clear();
    return statement;
  }
}

/** One after the other, in the order of asking. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  take(): Promise<void> | undefined {
    if (!this.#taken) {
      this.#taken = true;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }
}

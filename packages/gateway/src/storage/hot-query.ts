/** Queries of the hot paths, compiled once. */
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely';
import type { Database } from './schema.ts';

/** Stands for a parameter while the query is compiled. */
class Slot {
  readonly name: PropertyKey;

  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/**
 * A query whose text never changes, only its parameters. In a profile of the inbound benchmark building and
 * compiling one took about 60 µs each time, as long as running it takes.
 *
 * `build` runs once per kind of database and must use each parameter as a plain value: nothing may depend on
 * what it is (no `if`, no list of varying length).
 */
export class HotQuery<P extends object, O> {
  readonly #build: (db: Kysely<Database>, parameters: P) => Compilable<O>;
  /** By the kind of database, which is known by its adapter: each writes a query in its own way. */
  readonly #compiled = new Map<unknown, CompiledQuery<O>>();

  constructor(build: (db: Kysely<Database>, parameters: P) => Compilable<O>) {
    this.#build = build;
  }

  /** Runs it on a database or within a transaction. */
  run(db: Kysely<Database>, parameters: P): Promise<QueryResult<O>> {
    const compiled = this.#compiledFor(db);
    const given = compiled.parameters.map((each) =>
      each instanceof Slot ? parameters[each.name as keyof P] : each,
    );
    return db.executeQuery({ ...compiled, parameters: given });
  }

  async rows(db: Kysely<Database>, parameters: P): Promise<O[]> {
    return (await this.run(db, parameters)).rows;
  }

  /** Rows that were inserted, changed or deleted. */
  async affected(db: Kysely<Database>, parameters: P): Promise<number> {
    return Number((await this.run(db, parameters)).numAffectedRows ?? 0n);
  }

  #compiledFor(db: Kysely<Database>): CompiledQuery<O> {
    const dialect = db.getExecutor().adapter.constructor;
    const known = this.#compiled.get(dialect);
    if (known) return known;
    const slots = new Proxy({} as P, { get: (_target, name) => new Slot(name) });
    const compiled = this.#build(db, slots).compile();
    this.#compiled.set(dialect, compiled);
    return compiled;
  }
}

/** The parameters of an insert: one slot for each column. */
export function slotsOf<P extends object>(parameters: P, columns: readonly (keyof P)[]): P {
  return Object.fromEntries(columns.map((column) => [column, parameters[column]])) as P;
}

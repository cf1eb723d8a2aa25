/**
 * Runs in the process of every test file: notes the statements that the gateway's own code prepares, and who
 * asks. `check-all.ts` explains them when all tests are through.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, inject } from 'vitest';

/** From the innermost: the library and the dialect come first, then whoever asked. */
const FRAME = /packages\/gateway\/(src|test)\/([\w/.-]+:\d+)/;
const OUR_DIALECT = /\/src\/storage\/(?:sqlite\/(?:dialect|open)|hot-query|database)\.ts/;
/** Kysely and the callers of a query are some thirty frames. */
const FRAMES = 80;

/** Test files that share a process run this file once each; the method is replaced by the first. */
const shared = globalThis as typeof globalThis & { statementsAsked?: Map<string, string> };
shared.statementsAsked ??= noteStatements(new Map());
const asked = shared.statementsAsked;

function noteStatements(into: Map<string, string>): Map<string, string> {
  const { prepare } = SqliteDatabase.prototype;
  SqliteDatabase.prototype.prepare = function noted(this: SqliteDatabase.Database, sql: string) {
    if (!into.has(sql)) {
      const by = asker();
      if (by) into.set(sql, by);
    }
    return prepare.call(this, sql);
  } as typeof prepare;
  return into;
}

/** The place in `src` that asks; null when a test asks by itself. */
function asker(): string | null {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  for (const line of stack.split('\n').slice(2)) {
    if (line.includes('node_modules') || OUR_DIALECT.test(line)) continue;
    const [, side, place] = FRAME.exec(line) ?? [];
    if (side && !place?.startsWith('statement-plans/')) return side === 'src' ? (place ?? null) : null;
  }
  return null;
}

afterAll(() => {
  if (asked.size === 0) return;
  writeFileSync(join(inject('statements'), `${randomUUID()}.json`), JSON.stringify([...asked]));
  asked.clear();
});

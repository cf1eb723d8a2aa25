import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { fc } from '../../../../sandbox/test/random.ts';
import { WHATSMEOW } from '../../../src/moving/formats/whatsmeow/format.ts';
import { HeldSessionRefused } from '../../../src/whatsapp/port/moving.ts';
import { handedFiles } from '../handed-files.ts';
import { ALICE, changedStore, SAMPLE_STORE } from './sample-store.ts';

const PAGE = 1024;

/** A change of the sample store, and what the refusal says. */
const CHANGES: [string, (db: SqliteDatabase.Database) => void, RegExp][] = [
  [
    'a view in the place of a table',
    (db) =>
      db.exec(
        'ALTER TABLE whatsmeow_sessions RENAME TO t; CREATE VIEW whatsmeow_sessions AS SELECT * FROM t',
      ),
    /whatsmeow_sessions is no plain table/,
  ],
  [
    'a view without end in the place of the devices',
    (db) =>
      db.exec(
        `PRAGMA foreign_keys = OFF; DROP TABLE whatsmeow_device; CREATE VIEW whatsmeow_device AS
          WITH RECURSIVE n(jid) AS (SELECT 1 UNION ALL SELECT jid + 1 FROM n) SELECT CAST(jid AS TEXT) AS jid FROM n`,
      ),
    /whatsmeow_device is no plain table/,
  ],
  [
    'a virtual table',
    (db) =>
      db.exec('DROP TABLE whatsmeow_lid_map; CREATE VIRTUAL TABLE whatsmeow_lid_map USING fts5(lid, pn)'),
    /whatsmeow_lid_map is no plain table/,
  ],
  [
    'a column that is computed',
    (db) => db.exec('ALTER TABLE whatsmeow_sessions ADD COLUMN x AS (hex(zeroblob(100000000)))'),
    /whatsmeow_sessions has columns that are computed/,
  ],
  [
    'text where a key is',
    (db) => lax(db, "UPDATE whatsmeow_device SET noise_key = '12345678901234567890123456789012'"),
    /whatsmeow_device.noise_key is no bytes/,
  ],
  [
    'a key that is too short',
    (db) => lax(db, "UPDATE whatsmeow_device SET identity_key = x'00'"),
    /whatsmeow_device.identity_key is not 32 bytes long/,
  ],
  [
    'bytes where a name is',
    (db) => lax(db, "UPDATE whatsmeow_lid_map SET pn = x'ff' WHERE lid LIKE '%2'"),
    /whatsmeow_lid_map.pn is no text/,
  ],
  [
    'a number that is none',
    (db) => lax(db, "UPDATE whatsmeow_pre_keys SET key_id = 'many' WHERE key_id = 5"),
    /whatsmeow_pre_keys.key_id is no number/,
  ],
  [
    'a number beyond all numbers',
    (db) => lax(db, 'UPDATE whatsmeow_app_state_sync_keys SET timestamp = 9223372036854775807'),
    /whatsmeow_app_state_sync_keys.timestamp is no number/,
  ],
  [
    'a missing table',
    (db) => db.exec('DROP TABLE whatsmeow_sender_keys'),
    /the table whatsmeow_sender_keys is missing/,
  ],
  ['a store of before LIDs', (db) => db.exec('UPDATE whatsmeow_version SET version = 7'), /older than 8/],
  [
    'a store that only newer programs understand',
    (db) => db.exec('UPDATE whatsmeow_version SET version = 40, compat = 16'),
    /of version 40, and this gateway understands those up to 15/,
  ],
  [
    'a store without a version',
    (db) => db.exec('DELETE FROM whatsmeow_version'),
    /does not say of which version it is/,
  ],
];

describe('a whatsmeow store that was made to harm', () => {
  it.each(CHANGES)('is refused: %s', (_, change, why) => {
    expect(refusal(changedStore(change)).message).toMatch(why);
  });

  it('is refused when its version is newer, and read when that says it is understood', () => {
    const newer = changedStore((db) => db.exec('UPDATE whatsmeow_version SET version = 40, compat = 8'));
    expect(readWhole(newer)).toBeGreaterThan(0);
  });

  it('that is no SQLite but for its beginning is refused', () => {
    const bytes = Buffer.alloc(8192, 1);
    bytes.write('SQLite format 3\0', 'latin1');
    expect(refusal(bytes)).toMatchObject({ kind: 'malformed', field: 'database', place: 'store.db' });
  });

  it('whose pages are overwritten is refused', () => {
    for (const table of ['whatsmeow_device', 'whatsmeow_sessions', 'whatsmeow_pre_keys']) {
      const bytes = Buffer.from(SAMPLE_STORE);
      bytes.fill(0xff, (rootOf(table) - 1) * PAGE, rootOf(table) * PAGE);
      expect(refusal(bytes).message).toMatch(/damaged|SQLITE_CORRUPT/);
    }
  });

  it('that is cut off is refused', () => {
    expect(refusal(SAMPLE_STORE.subarray(0, SAMPLE_STORE.length / 2)).message).toMatch(
      /damaged|SQLITE_CORRUPT/,
    );
  });

  it('whose tree says the same a hundred times on each level is refused, and not walked', () => {
    const levels = 12;
    const bytes = Buffer.concat([SAMPLE_STORE, Buffer.alloc(levels * PAGE)]);
    const first = SAMPLE_STORE.length / PAGE + 1;
    bytes.writeUInt32BE(bytes.length / PAGE, 28);
    const root = pageOf(bytes, rootOf('whatsmeow_sessions'));
    // The rows are at the bottom, as often as there are ways down.
    pageOf(bytes, first + levels - 1).set(root);
    root.set(innerPage(first));
    for (let level = 0; level < levels - 1; level += 1) {
      pageOf(bytes, first + level).set(innerPage(first + level + 1));
    }
    expect(refusal(bytes).message).toMatch(/whatsmeow_sessions is damaged/);
  });

  it('with bytes changed anywhere is read or refused, and nothing else', () => {
    const changes = fc.array(fc.tuple(fc.nat(SAMPLE_STORE.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(changes, (changed) => {
        const bytes = Buffer.from(SAMPLE_STORE);
        for (const [at, value] of changed) bytes[at] = value;
        try {
          readWhole(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(HeldSessionRefused);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('with its text changed anywhere is read or refused, and nothing else', () => {
    const dump = readFileSync(join(import.meta.dirname, 'store.sql'));
    const changes = fc.array(
      fc.tuple(
        fc.nat(dump.length - 1),
        fc.constantFrom(...[0, 9, 10, 13, 34, 46, 48, 92, 110, 120, 123, 255]),
      ),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(changes, (changed) => {
        const bytes = Buffer.from(dump);
        for (const [at, value] of changed) bytes[at] = value;
        try {
          readWhole(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(HeldSessionRefused);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('that says in its log to be bigger than all there is stays as big as it is', () => {
    const log = Buffer.alloc(32 + 24 + PAGE);
    log.writeUInt32BE(0x377f0682, 0);
    log.writeUInt32BE(3_007_000, 4);
    log.writeUInt32BE(PAGE, 8);
    sums(log, 0, 24, [0, 0], 24);
    log.writeUInt32BE(1, 32);
    log.writeUInt32BE(0xffff_fff0, 36);
    SAMPLE_STORE.copy(log, 56, 0, PAGE);
    const start: [number, number] = [log.readUInt32BE(24), log.readUInt32BE(28)];
    sums(log, 56, PAGE, sums(log, 32, 8, start, null), 48);
    const files = handedFiles({ 'store.db': SAMPLE_STORE, 'store.db-wal': log });
    expect(WHATSMEOW.recognise(files)?.sessions).toHaveLength(8);
  });
});

/** A page with a hundred children, all of which are the same one (sqlite.org/fileformat2.html, "B-tree Pages"). */
function innerPage(child: number): Buffer {
  const cells = 100;
  const page = Buffer.alloc(PAGE);
  page.writeUInt8(5, 0);
  page.writeUInt16BE(cells, 3);
  page.writeUInt16BE(PAGE - cells * 5, 5);
  page.writeUInt32BE(child, 8);
  for (let cell = 0; cell < cells; cell += 1) {
    const at = PAGE - (cell + 1) * 5;
    page.writeUInt16BE(at, 12 + cell * 2);
    page.writeUInt32BE(child, at);
    page.writeUInt8(cell + 1, at + 4);
  }
  return page;
}

function pageOf(database: Buffer, number: number): Buffer {
  return database.subarray((number - 1) * PAGE, number * PAGE);
}

/** Without the checks of whatsmeow's tables. */
function lax(db: SqliteDatabase.Database, sql: string): void {
  db.pragma('ignore_check_constraints = ON');
  db.exec(sql);
}

function readWhole(store: Uint8Array): number {
  const found = WHATSMEOW.recognise(handedFiles({ 'store.db': store }));
  const session = found?.sessions.find(({ name }) => name === ALICE) ?? found?.sessions[0];
  return [...(session?.read().keys ?? [])].length;
}

function refusal(store: Uint8Array): HeldSessionRefused {
  try {
    readWhole(store);
  } catch (error) {
    if (error instanceof HeldSessionRefused) return error;
    throw error;
  }
  throw new Error('it was read');
}

function rootOf(table: string): number {
  const db = new SqliteDatabase(Buffer.from(SAMPLE_STORE));
  try {
    return db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table) as number;
  } finally {
    db.close();
  }
}

/** The log's running checksum, written where it belongs. */
function sums(
  log: Buffer,
  from: number,
  length: number,
  start: [number, number],
  to: number | null,
): [number, number] {
  let [first, second] = start;
  for (let at = from; at < from + length; at += 8) {
    first = (first + log.readUInt32LE(at) + second) >>> 0;
    second = (second + log.readUInt32LE(at + 4) + first) >>> 0;
  }
  if (to !== null) {
    log.writeUInt32BE(first, to);
    log.writeUInt32BE(second, to + 4);
  }
  return [first, second];
}

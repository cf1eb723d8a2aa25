/** Everything is sealed with another key, whatever happens meanwhile. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SEED } from '../../../sandbox/test/random.ts';
import { rotateEncryptionKey } from '../../src/cli/key.ts';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';
import { FolderInUse, lockFolder, openDatabase } from '../../src/storage/database.ts';
import type { Database } from '../../src/storage/schema.ts';
import { SEALED, type SealedColumn } from '../../src/storage/sealed.ts';
import { Vault } from '../../src/storage/vault.ts';
import { Chance } from '../crash/chance.ts';
import { addDevice, addTenant, addUser } from '../worlds/database.ts';

const OLD = randomBytes(32).toString('hex');
const NEW = randomBytes(32).toString('hex');
const COLUMNS: SealedColumn[] = Object.values(SEALED);
/** Enough for a few batches of each column. */
const ROWS = 23;

let dataDir: string;
const env = (more: Record<string, string> = {}): Record<string, string> => ({
  WUTS_DATA_DIR: dataDir,
  WUTS_PORT: '0',
  WUTS_LOG_LEVEL: 'silent',
  WUTS_NETWORK_URL: 'ws://127.0.0.1:9/ws/chat',
  ...more,
});
const rotating = () => env({ WUTS_NEW_ENCRYPTION_KEY: NEW });
const silent = (): void => undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-rotation-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const vaultOf = (key: string): Vault => new Vault(Buffer.from(key, 'hex'));

async function start(more: Record<string, string> = {}): Promise<void> {
  const gateway = await createGateway(loadConfig(env(more)));
  await gateway.start();
  await gateway.stop();
}

async function withDatabase<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  const db = await openDatabase({ dataDir, sync: 'normal' });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** A started and stopped gateway's folder, with sealed values in every column there is. */
async function fill(): Promise<void> {
  await writeFile(join(dataDir, 'encryption.key'), `${OLD}\n`);
  await start();
  await withDatabase(async (db) => {
    for (let n = 0; n < ROWS; n += 1) {
      const owner = await addUser(db, 1, { tenantId: await addTenant(db, 1) });
      await addRow(db, owner, await addDevice(db, 1, owner), n);
    }
  });
}

/** A row of each table that has sealed columns; what else they need is any value that fits. */
async function addRow(
  db: Kysely<Database>,
  owner: { tenantId: string; userId: string },
  deviceId: string,
  n: number,
): Promise<void> {
  const old = vaultOf(OLD);
  // `media` and `poll_options` hang on the message of the same id.
  for (const table of new Set(['messages', ...COLUMNS.map((column) => column.table)] as const)) {
    const { rows: columns } = await sql<{ name: string; type: string; notnull: number }>`
      select name, lower(type) as type, "notnull" from pragma_table_info(${table})`.execute(db);
    const row: Record<string, string | number | Uint8Array | null> = {};
    for (const { name, type, notnull } of columns) {
      if (notnull) row[name] = type === 'blob' ? new Uint8Array(1) : type === 'text' ? `x${n}` : n;
    }
    const known = { tenant_id: owner.tenantId, user_id: owner.userId, device_id: deviceId };
    for (const [name, value] of Object.entries({ ...known, id: `id ${n}`, message_row_id: `id ${n}` })) {
      if (columns.some((column) => column.name === name)) row[name] = value;
    }
    if (table === 'events') row.seq = n + 1;
    for (const column of COLUMNS.filter((each) => each.table === table)) {
      row[column.column] = old.seal(Buffer.from(`${table} ${n}`), column.at(row as Record<string, string>));
    }
    const names = Object.keys(row);
    await sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
      values (${sql.join(Object.values(row))})`.execute(db);
  }
}

/** How many sealed values there are, and how many of them each key opens. */
async function opened(): Promise<Record<string, { all: number; old: number; new: number }>> {
  return withDatabase(async (db) => {
    const counts: Record<string, { all: number; old: number; new: number }> = {};
    for (const column of COLUMNS) {
      const count = { all: 0, old: 0, new: 0 };
      counts[`${column.table}.${column.column}`] = count;
      const { rows } = await sql<Record<string, string>>`
        select * from ${sql.table(column.table)} where ${sql.ref(column.column)} is not null`.execute(db);
      for (const row of rows) {
        count.all += 1;
        for (const [name, key] of [
          ['old', OLD],
          ['new', NEW],
        ] as const) {
          try {
            vaultOf(key).open(row[column.column] as unknown as Uint8Array, column.at(row));
            count[name] += 1;
          } catch {
            // Another key's.
          }
        }
      }
    }
    return counts;
  });
}

async function expectRotated(): Promise<void> {
  for (const [name, count] of Object.entries(await opened())) {
    expect(count, name).toEqual({ all: ROWS, old: 0, new: ROWS });
  }
}

test('every value is sealed with the new key, which takes the place of the old one', async () => {
  await fill();
  const lines: string[] = [];
  await rotateEncryptionKey(rotating(), (line) => lines.push(line));
  expect(lines[0]).toBe(`${ROWS * COLUMNS.length} values were sealed with the new key`);
  await expectRotated();
  expect(await readFile(join(dataDir, 'encryption.key'), 'utf8')).toBe(`${NEW}\n`);
  await start();
  await expect(start({ WUTS_ENCRYPTION_KEY: OLD })).rejects.toThrow(ConfigError);
  lines.length = 0;
  await rotateEncryptionKey(rotating(), (line) => lines.push(line));
  expect(lines[0]).toBe('everything is sealed with the new key already');
});

test('a run that was killed goes on where it ended; until then no gateway starts', async () => {
  const chance = new Chance(SEED);
  await fill();
  for (let kill = 0; kill < 4; kill += 1) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'rotating-child.ts')], {
      env: { ...process.env, ...rotating() },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let dotsLeft = chance.integer(1, 14);
    child.stdout.on('data', (dots: Buffer) => {
      dotsLeft -= dots.length;
      if (dotsLeft <= 0) child.kill('SIGKILL');
    });
    const [code, signal] = await once(child, 'exit');
    if (signal === null) {
      expect(code).toBe(0);
      break;
    }
    const left = await opened();
    for (const [name, count] of Object.entries(left)) expect(count.old + count.new, name).toBe(ROWS);
    // On a busy machine the kill may come when it was through.
    if (Object.values(left).every((count) => count.old === 0)) break;
    for (const key of [OLD, NEW]) {
      await expect(start({ WUTS_ENCRYPTION_KEY: key })).rejects.toThrow('key rotate');
    }
    const third = { ...rotating(), WUTS_NEW_ENCRYPTION_KEY: randomBytes(32).toString('hex') };
    await expect(rotateEncryptionKey(third, silent)).rejects.toThrow('another key');
  }
  await rotateEncryptionKey(rotating(), silent);
  await expectRotated();
  await start();
});

test('killed between the last value and the key file, it only puts the file right', async () => {
  await fill();
  await rotateEncryptionKey(rotating(), silent);
  await writeFile(join(dataDir, 'encryption.key'), `${OLD}\n`);
  await expect(start()).rejects.toThrow(ConfigError);
  await rotateEncryptionKey(rotating(), silent);
  await start();
});

test('it wants the folder for itself, the right old key, and a new one', async () => {
  await fill();
  await expect(rotateEncryptionKey(env(), silent)).rejects.toThrow('WUTS_NEW_ENCRYPTION_KEY is not set');
  const wrong = { ...rotating(), WUTS_ENCRYPTION_KEY: randomBytes(32).toString('hex') };
  await expect(rotateEncryptionKey(wrong, silent)).rejects.toThrow('not the one this database');
  const unlock = lockFolder(dataDir);
  await expect(rotateEncryptionKey(rotating(), silent)).rejects.toThrow(FolderInUse);
  unlock();
  await start();
});

test('what no key opens is left as it is, and told', async () => {
  await fill();
  await withDatabase((db) =>
    sql`update inbound_journal set plaintext = ${Buffer.from('damaged')} where id = 'id 7'`.execute(db),
  );
  const lines: string[] = [];
  await rotateEncryptionKey(rotating(), (line) => lines.push(line), { batch: 5 });
  expect(lines[0]).toContain('; 1 were left as they are');
});

test('every column of bytes is sealed, or known to hold nothing secret', async () => {
  await start();
  const bytes = await withDatabase(async (db) => {
    const { rows } = await sql<{ name: string }>`
      select m.name || '.' || c.name as name from sqlite_schema m, pragma_table_info(m.name) c
      where m.type = 'table' and lower(c.type) = 'blob' and m.name not like 'message_search%'`.execute(db);
    return rows.map(({ name }) => name);
  });
  const clear = [
    // How a key is recognised.
    'encryption_key.sealed',
    'encryption_key.next_sealed',
    // Names and times alone; what was encrypted in it is beside it.
    'inbound_journal.stanza',
  ];
  expect(bytes.sort()).toEqual(
    [...clear, ...COLUMNS.map(({ table, column }) => `${table}.${column}`)].sort(),
  );
});

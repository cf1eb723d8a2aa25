import { mkdtemp, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import {
  DATABASE_FILE,
  type DatabaseOptions,
  deferred,
  durable,
  FolderInUse,
  lockFolder,
  migrateToLatest,
  openDatabase,
  pendingMigrations,
} from '../../src/storage/database.ts';
import type { Database } from '../../src/storage/schema.ts';
import { readMigrations } from '../../src/storage/sqlite/migrations/index.ts';
import { TestStore } from './stored.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

async function pragma(db: Kysely<Database>, name: string): Promise<unknown> {
  const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db);
  return Object.values(rows[0] ?? {})[0];
}

/** What FTS5 keeps its index in (https://sqlite.org/fts5.html#fts5_data_structures). */
const OF_FTS5 = ['data', 'idx', 'docsize', 'config'].map((part) => `message_search_${part}`);

describe('the database', () => {
  it('commits to the disk, checks references and waits for others', async () => {
    expect(await pragma(store.db, 'journal_mode')).toBe('wal');
    // NORMAL: what FULL adds is done by WalSync, see durability.test.ts.
    expect(await pragma(store.db, 'synchronous')).toBe(1);
    expect(await pragma(store.db, 'foreign_keys')).toBe(1);
    expect(await pragma(store.db, 'busy_timeout')).toBe(10_000);
  });

  it('is migrated once', async () => {
    expect(await pendingMigrations(store.db)).toEqual([]);
    expect(await migrateToLatest(store.db)).toEqual([]);
  });

  it('knows every file of the folder, each under a number of its own, with a way back', async () => {
    const migrations = await readMigrations();
    const names = Object.keys(migrations);
    const files = await readdir(new URL('../../src/storage/sqlite/migrations', import.meta.url));
    const beside = ['column-types.ts', 'index.ts'];
    expect(names.map((name) => `${name}.ts`)).toEqual(files.filter((file) => !beside.includes(file)).sort());
    expect(new Set(names.map((name) => name.slice(0, 4))).size).toBe(names.length);
    for (const [name, { up, down }] of Object.entries(migrations)) {
      expect([typeof up, typeof down], name).toEqual(['function', 'function']);
    }
  });

  it('has exactly the tables of the schema, and gives them back', async () => {
    const tables: Record<keyof Database, true> = {
      encryption_key: true,
      tenants: true,
      users: true,
      devices: true,
      device_credentials: true,
      signal_keys: true,
      inbound_journal: true,
      messages: true,
      message_search: true,
      message_search_queue: true,
      message_search_rows: true,
      poll_options: true,
      chat_timers: true,
      contact_lists: true,
      blocked_contacts: true,
      contacts: true,
      chats: true,
      chat_settings: true,
      groups: true,
      group_members: true,
      group_lists: true,
      group_past_members: true,
      media: true,
      media_retry_requests: true,
      blobs: true,
      cached_files: true,
      labels: true,
      label_marks: true,
      receipts: true,
      idempotency_keys: true,
      events: true,
      webhook_attempts: true,
      webhook_deliveries: true,
      webhook_endpoints: true,
      webhook_lane_names: true,
      send_bulks: true,
      send_jobs: true,
      send_job_files: true,
      tenant_proxies: true,
      device_proxies: true,
      call_settings: true,
      device_settings: true,
      call_replies: true,
      stories: true,
      seen_stories: true,
    };
    const names = async (): Promise<string[]> =>
      (await store.db.introspection.getTables())
        .map((table) => table.name)
        .filter((name) => !OF_FTS5.includes(name))
        .sort();
    expect(await names()).toEqual(Object.keys(tables).sort());
    const steps = Object.values(await readMigrations());
    for (const step of steps.toReversed()) await step.down?.(store.db as unknown as Kysely<unknown>);
    expect(await names()).toEqual([]);
    for (const step of steps) await step.up(store.db as unknown as Kysely<unknown>);
    expect(await names()).toEqual(Object.keys(tables).sort());
  });

  it('takes everything of a tenant along when the tenant goes', async () => {
    const [gone, stays] = [await store.device(), await store.device()];
    for (const device of [gone, stays]) {
      const keys = store.credentials(device);
      await keys.writeCredentials(Buffer.from('creds'));
      await keys.write(
        [{ type: 'session', id: 'a', value: Buffer.from('x') }],
        [{ id: 'j', stanza: Buffer.from('s'), plaintext: Buffer.from('p'), receivedAt: 1 }],
      );
    }
    await store.db.deleteFrom('tenants').where('id', '=', gone.tenantId).execute();
    for (const table of [
      'users',
      'devices',
      'device_credentials',
      'signal_keys',
      'inbound_journal',
    ] as const) {
      const rows = await store.db.selectFrom(table).select('tenant_id').execute();
      expect(rows.map((row) => row.tenant_id)).toEqual([stays.tenantId]);
    }
  });

  it('has an index for every foreign key, so that no cascade scans a table', async () => {
    const { rows } = await sql<{ name: string; sql: string }>`
      select name, sql from sqlite_master where type = 'table' and sql like '%references%'`.execute(store.db);
    for (const { name } of rows) {
      const keys = await sql.raw<{ from: string }>(`pragma foreign_key_list("${name}")`).execute(store.db);
      for (const key of keys.rows) {
        const plan = await sql
          .raw<{ detail: string }>(`explain query plan select 1 from "${name}" where "${key.from}" = 'x'`)
          .execute(store.db);
        expect(plan.rows.map((row) => row.detail).join(), `${name}.${key.from}`).toMatch(/^SEARCH/);
      }
    }
  });
});

/** A database whose log has no name any more, so that syncing it fails while writing goes on. */
async function withoutLogFile(
  options: Pick<DatabaseOptions, 'sync'>,
  run: (db: Kysely<Database>) => unknown,
) {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-sync-'));
  const db = await openDatabase({ dataDir, ...options });
  try {
    // SQLite opens the log when it first reads, and writes on through that descriptor.
    await sql`select name from sqlite_master`.execute(db);
    await unlink(join(dataDir, `${DATABASE_FILE}-wal`));
    await run(db);
  } finally {
    await db.destroy();
    await rm(dataDir, { recursive: true, force: true });
  }
}

describe('a commit', () => {
  const write = (db: Kysely<Database>, table: string) =>
    sql.raw(`create table ${table} (a integer)`).execute(db);

  it.each([{ sync: 'full' } as const, {}])('waits for the disk with %j', async (options) => {
    await withoutLogFile(options, async (db) => {
      await expect(write(db, 'statement')).rejects.toThrow(/wuts\.db-wal/);
      const transaction = db.transaction().execute((trx) => write(trx, 'in_transaction'));
      await expect(transaction).rejects.toThrow(/wuts\.db-wal/);
      await write(deferred(db), 'later');
      await expect(durable(db)).rejects.toThrow(/wuts\.db-wal/);
    });
  });

  it('waits for the operating system alone with "normal"', async () => {
    await withoutLogFile({ sync: 'normal' }, async (db) => {
      await write(db, 'statement');
      await db.transaction().execute((trx) => write(trx, 'in_transaction'));
      await write(deferred(db), 'later');
      await durable(db);
    });
  });

  it('waits for what the configuration page says when nothing is set', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../../docs/configuration.md'), 'utf8');
    const documented = /^\| `WUTS_DATABASE_SYNC` *\| `(\w+)` /m.exec(page)?.[1];
    expect(documented).toBe('full');
    expect(loadConfig({}).databaseSync).toBe(documented);
  });
});

describe('the data folder', () => {
  it('belongs to one gateway at a time', () => {
    const release = lockFolder(store.dataDir, 0);
    expect(() => lockFolder(store.dataDir, 0)).toThrow(FolderInUse);
    release();
    lockFolder(store.dataDir, 0)();
  });
});

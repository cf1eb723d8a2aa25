/** A database on a folder of its own, and the rows that everything else hangs on. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { DATABASE_FILE, migrateToLatest, openDatabase } from '../../src/storage/database.ts';
import type { Database } from '../../src/storage/schema.ts';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';

export interface TestDatabase {
  db: Kysely<Database>;
  dataDir: string;
  /** Closes it and removes the folder. */
  close(): Promise<void>;
}

/** `sync: 'normal'` leaves out the waits for the disk that most tests do not need. */
export async function openTestDatabase(options: { sync?: 'normal' } = {}): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-test-'));
  migrated ??= migratedFile();
  await writeFile(join(dataDir, DATABASE_FILE), await migrated);
  const db = await openDatabase({ dataDir, ...options });
  const close = async (): Promise<void> => {
    await db.destroy();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { db, dataDir, close };
}

/** Of this process. All migrations take longer than most tests. */
let migrated: Promise<Uint8Array> | undefined;

/** An empty database as the latest migration leaves it. */
async function migratedFile(): Promise<Uint8Array> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-test-'));
  const db = await openDatabase({ dataDir, sync: 'normal' });
  await migrateToLatest(db);
  await db.destroy();
  const file = await readFile(join(dataDir, DATABASE_FILE));
  await rm(dataDir, { recursive: true, force: true });
  return file;
}

/** A tenant without users. `at`: when it was made, milliseconds. */
export async function addTenant(
  db: Kysely<Database>,
  at: number,
  id: string = randomUUID(),
): Promise<string> {
  await db.insertInto('tenants').values({ id, name: id, created_at: at, updated_at: at }).execute();
  return id;
}

/** A user, whose token hash is its id. */
export async function addUser(
  db: Kysely<Database>,
  at: number,
  { tenantId, userId = randomUUID(), role = 'admin' }: { tenantId: string; userId?: string; role?: Role },
): Promise<Caller> {
  await db
    .insertInto('users')
    .values({
      id: userId,
      tenant_id: tenantId,
      email: `${userId}@example.com`,
      password_hash: 'none',
      role,
      token_hash: userId,
      token_preview: '',
      active: 1,
      webhook_url: null,
      created_at: at,
      updated_at: at,
    })
    .execute();
  return { tenantId, userId, role };
}

/** A connected device of the owner. Gives its id. */
export async function addDevice(
  db: Kysely<Database>,
  at: number,
  owner: Pick<Caller, 'tenantId' | 'userId'>,
  account: Identity = { jid: null, lid: null },
): Promise<string> {
  const id = randomUUID();
  await db
    .insertInto('devices')
    .values({
      id,
      tenant_id: owner.tenantId,
      user_id: owner.userId,
      name: 'Phone',
      ...account,
      phone_number: null,
      push_name: null,
      platform: null,
      state: 'connected',
      state_reason: null,
      state_at: at,
      wanted: 1,
      last_seen: null,
      created_at: at,
      updated_at: at,
    })
    .execute();
  return id;
}

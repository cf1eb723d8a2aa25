/** Commands for the operator, straight on the database. They may run beside the gateway. */

import type { Kysely } from 'kysely';
import { rfc3339, systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import { openDataFolder } from '../first-start.ts';
import { noQuotas } from '../quotas/quotas.ts';
import { migrateToLatest, openDatabase } from '../storage/database.ts';
import { setAsideRows } from '../storage/journal.ts';
import type { Database } from '../storage/schema.ts';
import { Vault } from '../storage/vault.ts';
import { Tenants } from '../tenancy/tenants.ts';
import { Users } from '../tenancy/users.ts';

type Print = (line: string) => void;

export async function migrate(env: NodeJS.ProcessEnv, print: Print): Promise<void> {
  await withDatabase(env, async (db) => {
    const applied = await migrateToLatest(db);
    print(applied.length > 0 ? `applied: ${applied.join(', ')}` : 'nothing to do');
  });
}

export async function createTenant(
  env: NodeJS.ProcessEnv,
  input: { name: string; email: string; password: string; webhookUrl?: string | undefined },
  print: Print,
): Promise<void> {
  if (input.password.length < 8)
    throw new AppError('VALIDATION_ERROR', { message: 'password: at least 8 characters' });
  await withDatabase(env, async (db) => {
    await migrateToLatest(db);
    const made = await tenantsOf(db).register({
      tenantName: input.name,
      email: input.email,
      password: input.password,
      webhookUrl: input.webhookUrl ?? null,
    });
    print(`tenant  ${made.tenant.id}  ${made.tenant.name}`);
    print(`admin   ${made.user.id}  ${made.user.email}`);
    print(`token   ${made.token}  (shown this once)`);
  });
}

export async function listTenants(env: NodeJS.ProcessEnv, print: Print): Promise<void> {
  await withDatabase(env, async (db) => {
    await migrateToLatest(db);
    for (const tenant of await tenantsOf(db).list()) {
      print(`${tenant.id}  ${rfc3339(tenant.createdAt)}  ${tenant.name}`);
    }
  });
}

/** A running gateway goes on knowing the old token for a few seconds: see `Authentication`. */
export async function rotateToken(env: NodeJS.ProcessEnv, idOrEmail: string, print: Print): Promise<void> {
  await withDatabase(env, async (db) => {
    await migrateToLatest(db);
    const [user, another] = await tenantsOf(db).findUsers(idOrEmail);
    if (!user) throw new AppError('NOT_FOUND', { message: `no user "${idOrEmail}"` });
    if (another) {
      throw new AppError('VALIDATION_ERROR', {
        message: 'several tenants have this email: give the id of the user',
      });
    }
    const users = new Users({
      db,
      clock: systemClock,
      quotas: noQuotas,
      deletions: noDeletions,
      changed: () => undefined,
    });
    const operator = { tenantId: user.tenantId, userId: user.id, role: 'admin' } as const;
    const { token } = await users.rotateToken(operator, user.id);
    print(`user   ${user.id}  ${user.email}`);
    print(`token  ${token}  (shown this once)`);
  });
}

export async function showMasterToken(env: NodeJS.ProcessEnv, print: Print): Promise<void> {
  const config = await openDataFolder(loadConfig(env));
  print(config.masterToken);
}

/**
 * Prints what came from WhatsApp and was set aside, a JSON object a line: the stanza in the engine's encoding,
 * the plaintext, or what is stored of it where it cannot be opened, all as base64.
 */
export async function exportJournal(
  env: NodeJS.ProcessEnv,
  options: { tenant?: string | undefined },
  print: Print,
): Promise<void> {
  await withDatabase(env, async (db, config) => {
    await migrateToLatest(db);
    const vault = new Vault(config.encryptionKey);
    for await (const row of setAsideRows({ db, vault }, options.tenant)) {
      print(
        JSON.stringify({
          tenant_id: row.tenantId,
          device_id: row.deviceId,
          id: row.id,
          received_at: rfc3339(row.receivedAt),
          set_aside_at: rfc3339(row.setAsideAt),
          reason: row.reason,
          stanza: base64(row.stanza),
          plaintext: row.plaintext && base64(row.plaintext),
          ...(row.plaintext ? {} : { sealed: base64(row.sealed) }),
        }),
      );
    }
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

async function withDatabase(
  env: NodeJS.ProcessEnv,
  work: (db: Kysely<Database>, config: Config) => Promise<void>,
): Promise<void> {
  const config = await openDataFolder(loadConfig(env));
  const db = await openDatabase({ dataDir: config.dataDir });
  try {
    await work(db, config);
  } finally {
    await db.destroy();
  }
}

function tenantsOf(db: Kysely<Database>): Tenants {
  return new Tenants({
    db,
    clock: systemClock,
    deletions: noDeletions,
  });
}

/** The gateway deletes tenants; the command line only makes and lists them. */
const noDeletions = { begin: async () => 'deleting' as const };

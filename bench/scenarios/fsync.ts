/** What a commit costs: by what it waits for, and by how many devices write at the same time. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { systemClock } from '../../packages/gateway/src/clock.ts';
import { StoredCredentials } from '../../packages/gateway/src/storage/credentials.ts';
import { migrateToLatest, openDatabase, type SyncMode } from '../../packages/gateway/src/storage/database.ts';
import { Vault } from '../../packages/gateway/src/storage/vault.ts';
import { inLanes } from '../processes/lanes.ts';
import { compete, type Figure, quantile, type Row } from '../rounds.ts';

/** A busy one-to-one session record. */
const SESSION_BYTES = 2000;
const DEVICES = [1, 16, 64];
const WRITES = 400;

interface Store {
  write(device: number): Promise<void>;
  close(): Promise<void>;
}

/** What arrives with each message: a moved ratchet and its journal row, in one commit. */
export async function fsync(options: { rounds: number }): Promise<Row[]> {
  const full = await openStore('full');
  const normal = await openStore('normal');
  const sqlite = await openStore('normal', 'FULL');
  const rows: Row[] = [];
  const cases = DEVICES.flatMap((devices) => [
    { name: `commits, full, ${devices} at a time`, store: full, devices },
    { name: `commits, normal, ${devices} at a time`, store: normal, devices },
  ]);
  for (const { name, store, devices } of cases) {
    rows.push(
      await compete({
        scenario: name,
        unit: 'commits/s',
        subject: 'ratchet and journal on the disk, syncs shared',
        against: 'the same by SQLite alone with synchronous=FULL, a sync each',
        rounds: options.rounds,
        measureSubject: () => figure(store, devices),
        measureAgainst: () => figure(sqlite, devices),
      }),
    );
  }
  await sqlite.close();
  await full.close();
  await normal.close();
  return rows;
}

async function figure(store: Store, devices: number): Promise<Figure> {
  const { tookMs, latencies } = await inLanes(WRITES, devices, (index) => store.write(index % devices));
  return { rate: (WRITES * 1000) / tookMs, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

/** `synchronous`: what SQLite itself is told, instead of what `openDatabase` tells it. */
async function openStore(sync: SyncMode, synchronous?: 'FULL'): Promise<Store> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-bench-fsync-'));
  const db = await openDatabase({ dataDir, sync });
  await migrateToLatest(db);
  if (synchronous) await sql.raw(`pragma synchronous = ${synchronous}`).execute(db);
  const vault = new Vault(randomBytes(32));
  const tenantId = randomUUID();
  const now = Date.now();
  await db
    .insertInto('tenants')
    .values({ id: tenantId, name: 'bench', created_at: now, updated_at: now })
    .execute();
  const userId = randomUUID();
  await db
    .insertInto('users')
    .values({
      id: userId,
      tenant_id: tenantId,
      email: 'a@bench.example',
      password_hash: '-',
      role: 'admin',
      token_hash: '-',
      token_preview: '-',
      active: 1,
      webhook_url: null,
      created_at: now,
      updated_at: now,
    })
    .execute();
  const stores: StoredCredentials[] = [];
  for (let index = 0; index < Math.max(...DEVICES); index += 1) {
    const device = { id: randomUUID(), tenantId };
    await db
      .insertInto('devices')
      .values({ ...NEW_DEVICE, id: device.id, tenant_id: tenantId, user_id: userId })
      .execute();
    stores.push(new StoredCredentials({ db, vault, clock: systemClock, device }));
  }
  let entries = 0;
  return {
    async write(device) {
      entries += 1;
      const id = String(entries);
      const value = randomBytes(SESSION_BYTES);
      const plaintext = randomBytes(100);
      await stores[device]?.write(
        [{ type: 'session', id: 'peer.0', value }],
        [{ id, stanza: plaintext, plaintext, receivedAt: Date.now() }],
      );
      // What a receipt waits for.
      await stores[device]?.durable();
    },
    async close() {
      await db.destroy();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const NEW_DEVICE = {
  name: 'bench',
  jid: null,
  lid: null,
  phone_number: null,
  push_name: null,
  platform: null,
  state: 'new',
  state_reason: 'created',
  state_at: 0,
  wanted: 0,
  last_seen: null,
  webhook_applied_at: null,
  created_at: 0,
  updated_at: 0,
};

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { pino } from 'pino';
import { ManualClock } from '../../src/clock.ts';
import { type Device, Devices, type DevicesInput } from '../../src/devices/devices.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import { migrateToLatest, openDatabase } from '../../src/storage/database.ts';
import type { Database } from '../../src/storage/schema.ts';
import { Vault } from '../../src/storage/vault.ts';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import { ScriptedNetwork } from './scripted-session.ts';

export const START = Date.UTC(2026, 5, 15, 12);

/** The devices part on a real database, with a scripted network and a clock that stands still. */
export class DevicesWorld {
  readonly db: Kysely<Database>;
  readonly clock = new ManualClock(START);
  readonly dataDir: string;
  readonly changes: string[] = [];
  readonly #vault = new Vault(new Uint8Array(32).fill(7));
  readonly #watchers = new Set<() => void>();
  network = new ScriptedNetwork();
  devices: Devices;

  private constructor(db: Kysely<Database>, dataDir: string, input: Partial<DevicesInput>) {
    this.db = db;
    this.dataDir = dataDir;
    this.devices = this.#devices(input);
  }

  static async create(input: Partial<DevicesInput> = {}): Promise<DevicesWorld> {
    const dataDir = await mkdtemp(join(tmpdir(), 'wuts-devices-'));
    const db = await openDatabase({ dataDir });
    await migrateToLatest(db);
    return new DevicesWorld(db, dataDir, input);
  }

  #devices(input: Partial<DevicesInput>): Devices {
    return new Devices({
      db: this.db,
      clock: this.clock,
      log: pino({ level: 'silent' }),
      createSession: this.network.factory,
      credentialsFor: (device) => this.credentials(device),
      loadSentMessage: async () => null,
      handlers: {
        message: async () => {},
        receipt: async () => {},
        mediaRetry: async () => {},
        notice: async () => {},
        history: async () => {},
      },
      backoff: { random: () => 0.5 },
      tenantIds: async () =>
        (await this.db.selectFrom('tenants').select('id').execute()).map((row) => row.id),
      stateChanged: (device) => {
        this.changes.push(`${device.state}:${device.stateReason}`);
        for (const watch of [...this.#watchers]) watch();
      },
      ...input,
    });
  }

  /** As a new process would: nothing but the database remains. */
  restart(input: Partial<DevicesInput> = {}): void {
    this.network = new ScriptedNetwork();
    this.changes.length = 0;
    this.devices = this.#devices(input);
  }

  async destroy(): Promise<void> {
    await this.devices.stop();
    await this.db.destroy();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  credentials(device: { id: string; tenantId: string }): StoredCredentials {
    return new StoredCredentials({ db: this.db, vault: this.#vault, clock: this.clock, device });
  }

  async caller(role: Role = 'admin', tenantId?: string): Promise<Caller> {
    const caller: Caller = { tenantId: tenantId ?? randomUUID(), userId: randomUUID(), role };
    const at = this.clock.now();
    if (tenantId === undefined) {
      const tenant = { id: caller.tenantId, name: caller.tenantId, created_at: at, updated_at: at };
      await this.db.insertInto('tenants').values(tenant).execute();
    }
    await this.db
      .insertInto('users')
      .values({
        id: caller.userId,
        tenant_id: caller.tenantId,
        email: `${caller.userId}@example.org`,
        password_hash: 'none',
        role,
        token_hash: caller.userId,
        token_preview: '',
        active: 1,
        webhook_url: null,
        created_at: at,
        updated_at: at,
      })
      .execute();
    return caller;
  }

  /** Resolves when the last stored change of any device is `state:reason`. */
  until(change: string): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if (this.changes.at(-1) !== change) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Links a new device of the caller by QR and leaves it connected. */
  async linked(caller: Caller, digits = '5511999990001'): Promise<Device> {
    const device = await this.devices.create(caller, { name: 'counter' });
    const first = this.network.sessions.length;
    const asked = this.devices.qr(device, false);
    const session = await this.network.started(first);
    await session.qr(`2@${device.id}`, this.clock.now() + 60_000);
    await asked;
    await session.pairWith(digits);
    await (await this.network.started(first + 1)).open(digits);
    return this.devices.resolve(caller, device.id);
  }

  /** The row as a new process would read it. */
  async row(device: { id: string }) {
    return this.db.selectFrom('devices').selectAll().where('id', '=', device.id).executeTakeFirstOrThrow();
  }
}

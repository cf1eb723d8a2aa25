import type { Kysely } from 'kysely';
import { pino } from 'pino';
import { ManualClock } from '../../src/clock.ts';
import { type Device, Devices, type DevicesParts } from '../../src/devices/devices.ts';
import { PasskeyLinks } from '../../src/devices/passkey-links.ts';
import { noQuotas } from '../../src/quotas/quotas.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import type { Database } from '../../src/storage/schema.ts';
import { Vault } from '../../src/storage/vault.ts';
import { Authentication } from '../../src/tenancy/authentication.ts';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import { deletionsOf } from '../api/edge.ts';
import { addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';
import { ScriptedNetwork } from './scripted-session.ts';

export const START = Date.UTC(2026, 5, 15, 12);

/** The devices part on a real database, with a scripted network and a clock that stands still. */
export class DevicesWorld {
  readonly db: Kysely<Database>;
  readonly clock = new ManualClock(START);
  readonly dataDir: string;
  readonly changes: string[] = [];
  readonly logLines: string[] = [];
  readonly #vault = new Vault(new Uint8Array(32).fill(7));
  readonly #watchers = new Set<() => void>();
  readonly #store: TestDatabase;
  network = new ScriptedNetwork();
  devices: Devices;
  readonly passkeyLinks: PasskeyLinks;

  private constructor(store: TestDatabase, input: Partial<DevicesParts>) {
    this.#store = store;
    this.db = store.db;
    this.dataDir = store.dataDir;
    this.devices = this.#devices(input);
    const authentication = new Authentication(store.db, 'no master');
    this.passkeyLinks = new PasskeyLinks({
      clock: this.clock,
      devices: {
        resolve: (caller, deviceId) => this.devices.resolve(caller, deviceId),
        currentPasskey: (device) => this.devices.currentPasskey(device),
      },
      callerOf: (tenantId, userId) => authentication.callerById(tenantId, userId),
    });
  }

  static async create(input: Partial<DevicesParts> = {}): Promise<DevicesWorld> {
    return new DevicesWorld(await openTestDatabase(), input);
  }

  #devices(input: Partial<DevicesParts>): Devices {
    return new Devices({
      db: this.db,
      quotas: noQuotas,
      deletions: deletionsOf(this.db, []),
      clock: this.clock,
      log: pino({ level: 'info' }, { write: (line) => void this.logLines.push(line) }),
      createSession: this.network.factory,
      identityOf: () => null,
      credentialsFor: (device) => this.credentials(device),
      loadSentMessage: async () => null,
      hasReceived: async () => false,
      handlers: {
        message: async () => {},
        receipt: async () => {},
        mediaRetry: async () => {},
        notice: async () => {},
        history: async () => {},
        ownRead: async () => {},
        accountState: async () => {},
        chatTimer: async () => {},
        pushNames: async () => {},
        groupsChanged: async () => {},
        pastMembers: async () => {},
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
  restart(input: Partial<DevicesParts> = {}): void {
    this.network = new ScriptedNetwork();
    this.changes.length = 0;
    this.devices = this.#devices(input);
  }

  async destroy(): Promise<void> {
    await this.devices.stop();
    await this.#store.close();
  }

  credentials(device: { id: string; tenantId: string }): StoredCredentials {
    return new StoredCredentials({ db: this.db, vault: this.#vault, clock: this.clock, device });
  }

  async caller(role: Role = 'admin', tenantId?: string): Promise<Caller> {
    const at = this.clock.now();
    return addUser(this.db, at, { tenantId: tenantId ?? (await addTenant(this.db, at)), role });
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

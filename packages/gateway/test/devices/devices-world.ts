import type { Kysely } from 'kysely';
import { pino } from 'pino';
import { ManualClock } from '../../src/clock.ts';
import { composeDevices, type DevicesRoom, type SessionReports } from '../../src/devices/composition.ts';
import type { Device, Devices } from '../../src/devices/devices.ts';
import type { PasskeyLinks } from '../../src/devices/passkey-links.ts';
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

type Input = Partial<Parameters<typeof composeDevices>[0]>;

/** What sessions report goes nowhere. */
const NOTHING_STORED: SessionReports = {
  loadSentMessage: async () => null,
  hasReceived: async () => false,
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
};

/** The room of devices on a real database, with a scripted network and a clock that stands still. */
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
  #room: DevicesRoom;

  private constructor(store: TestDatabase) {
    this.#store = store;
    this.db = store.db;
    this.dataDir = store.dataDir;
    this.#room = this.#compose({});
  }

  static async create(): Promise<DevicesWorld> {
    return new DevicesWorld(await openTestDatabase());
  }

  get devices(): Devices {
    return this.#room.devices;
  }

  get passkeyLinks(): PasskeyLinks {
    return this.#room.passkeyLinks;
  }

  #compose(input: Input, reports: Partial<SessionReports> = {}): DevicesRoom {
    const authentication = new Authentication(this.db, 'no master');
    const room = composeDevices({
      db: this.db,
      quotas: noQuotas,
      deletions: deletionsOf(this.db, []),
      clock: this.clock,
      log: pino({ level: 'info' }, { write: (line) => void this.logLines.push(line) }),
      createSession: this.network.factory,
      identityOf: () => null,
      credentialsFor: (device) => this.credentials(device),
      backoff: { random: () => 0.5 },
      tenantIds: async () =>
        (await this.db.selectFrom('tenants').select('id').execute()).map((row) => row.id),
      callerOf: (tenantId, userId) => authentication.callerById(tenantId, userId),
      stateChanged: (device) => {
        this.changes.push(`${device.state}:${device.stateReason}`);
        for (const watch of [...this.#watchers]) watch();
      },
      ...input,
    });
    room.subscribe({ ...NOTHING_STORED, ...reports });
    return room;
  }

  /** As a new process would: nothing but the database remains. */
  restart(input: Input = {}, reports: Partial<SessionReports> = {}): void {
    this.network = new ScriptedNetwork();
    this.changes.length = 0;
    this.#room = this.#compose(input, reports);
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

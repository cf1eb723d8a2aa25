/** The configured endpoints of a caller's devices: made, read, changed, removed. */
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { AppError, invalidField } from '../errors.ts';
import type { DeviceId, TenantId } from '../ids.ts';
import type { AddressPolicy } from '../net/address-policy.ts';
import type { StockPlaces } from '../quotas/quotas.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { Caller } from '../tenancy/caller.ts';
import {
  type Endpoint,
  type EndpointRow,
  endpointFromRow,
  headersOf,
  newEndpointId,
  sealText,
  secretOf,
} from './endpoint.ts';
import {
  type CheckedInput,
  checkInput,
  checkUrl,
  DEFAULT_RETRY_ATTEMPTS,
  DEFAULT_TIMEOUT_S,
  type EndpointInput,
} from './endpoint-input.ts';
import type { Patience } from './expiry.ts';
import { forgetAttempts, parkEndpoint, releaseEndpoint } from './queue.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface EndpointsParts {
  db: Kysely<Database>;
  vault: Vault;
  quotas: StockPlaces;
  clock: Clock;
  devices: Pick<Devices, 'resolve' | 'list'>;
  policy: AddressPolicy;
  subscriptions: Subscriptions;
  patience: Patience;
  /** Called after every change: the worker reads the endpoint anew and looks for what is due. */
  changed(endpointId: string): void;
}

/** Each answers at its own pace and is asked for every event: more would rather be a mistake. */
const MAX_ENDPOINTS_PER_DEVICE = 20;

export class Endpoints {
  readonly #parts: EndpointsParts;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
  }

  /** The single configuration of the documented API, or null. Device rules as in `Devices.resolve`. */
  async default(caller: Caller, deviceId?: DeviceId): Promise<Endpoint | null> {
    const device = await this.#parts.devices.resolve(caller, deviceId);
    const row = await this.#default(this.#parts.db, device);
    return row ? this.#shown(row) : null;
  }

  /** Creates or changes the single configuration of a device; a paused or gone one is active again. */
  async configure(caller: Caller, deviceId: DeviceId | undefined, input: EndpointInput): Promise<Endpoint> {
    const checked = checkInput(input, this.#parts.policy);
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return this.#change(device.id, async (trx) => {
      const row = await this.#default(trx, device);
      const change = { ...checked, enabled: checked.enabled ?? true };
      return row ? this.#update(trx, row, change) : this.#insert(trx, device, change, true);
    });
  }

  /** Removes the single configuration of a device with its deliveries. Nothing to remove is no error. */
  async removeDefault(caller: Caller, deviceId?: DeviceId): Promise<void> {
    const existing = await this.default(caller, deviceId);
    if (existing) await this.#delete(existing);
  }

  /** All endpoints of one device, or of every device the caller may see. Oldest first. */
  async list(caller: Caller, deviceId?: DeviceId): Promise<Endpoint[]> {
    const { db, devices } = this.#parts;
    const seen =
      deviceId === undefined
        ? await devices.list(caller, 'visible')
        : [await devices.resolve(caller, deviceId)];
    let query = db.selectFrom('webhook_endpoints').selectAll().where('tenant_id', '=', caller.tenantId);
    if (deviceId !== undefined) query = query.where('device_id', '=', deviceId);
    // The single one first: two may have been made in the same millisecond.
    const rows = await query.orderBy('is_default', 'desc').orderBy('created_at').orderBy('id').execute();
    const ids = new Set(seen.map((device) => device.id));
    return this.#allShown(
      caller.tenantId,
      rows.filter((row) => ids.has(row.device_id)),
    );
  }

  /** The enabled endpoints of the device that `Devices.resolve` finds. */
  async enabledOf(caller: Caller, deviceId?: DeviceId): Promise<Endpoint[]> {
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return (await this.list(caller, device.id)).filter((endpoint) => endpoint.enabled);
  }

  /** A further endpoint for a device; never the one of the documented operations. */
  async create(caller: Caller, deviceId: DeviceId | undefined, input: EndpointInput): Promise<Endpoint> {
    const checked = checkInput(input, this.#parts.policy);
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return this.#change(device.id, async (trx) => {
      const { count } = await trx
        .selectFrom('webhook_endpoints')
        .select((eb) => eb.fn.countAll<number | string>().as('count'))
        .where('tenant_id', '=', device.tenantId)
        .where('device_id', '=', device.id)
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_ENDPOINTS_PER_DEVICE) {
        throw invalidField('device_id', `the device has ${MAX_ENDPOINTS_PER_DEVICE} endpoints already`);
      }
      return this.#insert(trx, device, checked, false);
    });
  }

  /** Throws NOT_FOUND for an id that is unknown, of another tenant, or of a device the caller may not see. */
  async get(caller: Caller, id: string): Promise<Endpoint> {
    const row = await findRow(this.#parts.db, caller.tenantId, id);
    if (!row || !(await this.#sees(caller, row.device_id))) throw notFound();
    return this.#shown(row);
  }

  /** Changes what is given; with `enabled: true` a paused or gone one is active again. */
  async update(caller: Caller, id: string, input: EndpointInput): Promise<Endpoint> {
    const checked = checkInput(input, this.#parts.policy);
    const { deviceId, tenantId } = await this.get(caller, id);
    return this.#change(deviceId, async (trx) => {
      const row = await findRow(trx, tenantId, id);
      if (!row) throw notFound();
      return this.#update(trx, row, checked);
    });
  }

  /** Removes an endpoint with its deliveries. */
  async remove(caller: Caller, id: string): Promise<void> {
    await this.#delete(await this.get(caller, id));
  }

  /** The `webhook_url` of each device that has the single configuration. */
  async urls(tenantId: TenantId, deviceIds: readonly string[]): Promise<Map<string, string>> {
    if (deviceIds.length === 0) return new Map();
    const rows = await this.#parts.db
      .selectFrom('webhook_endpoints')
      .select(['device_id', 'url'])
      .where('tenant_id', '=', tenantId)
      .where('is_default', '=', 1)
      .execute();
    const wanted = new Set(deviceIds);
    return new Map(rows.filter((row) => wanted.has(row.device_id)).map((row) => [row.device_id, row.url]));
  }

  /** The URL that the caller's next devices get at their first connect, with every event. */
  async setPendingUrl(caller: Caller, url: string): Promise<string> {
    const { db, clock, policy } = this.#parts;
    const checked = checkUrl(url, policy);
    await db
      .updateTable('users')
      .set({ webhook_url: checked, updated_at: clock.now() })
      .where('tenant_id', '=', caller.tenantId)
      .where('id', '=', caller.userId)
      .execute();
    return checked;
  }

  async #sees(caller: Caller, deviceId: DeviceId): Promise<boolean> {
    try {
      await this.#parts.devices.resolve(caller, deviceId);
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code === 'DEVICE_NOT_FOUND') return false;
      throw error;
    }
  }

  async #default(db: Kysely<Database>, device: Device): Promise<EndpointRow | undefined> {
    return db
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('tenant_id', '=', device.tenantId)
      .where('device_id', '=', device.id)
      .where('is_default', '=', 1)
      .executeTakeFirst();
  }

  async #change(
    deviceId: DeviceId,
    change: (trx: Transaction<Database>) => Promise<EndpointRow>,
  ): Promise<Endpoint> {
    const { db, subscriptions, changed } = this.#parts;
    const row = await subscriptions.during(deviceId, () => db.transaction().execute(change));
    changed(row.id);
    return this.#shown(row);
  }

  async #shown(row: EndpointRow): Promise<Endpoint> {
    const { db, clock, patience, vault } = this.#parts;
    const waiting = await patience.waiting(db, row.tenant_id, [row], clock.now());
    return endpointFromRow(row, vault, waiting.get(row.id) ?? null);
  }

  async #allShown(tenantId: TenantId, rows: readonly EndpointRow[]): Promise<Endpoint[]> {
    const { db, clock, patience, vault } = this.#parts;
    const waiting = await patience.waiting(db, tenantId, rows, clock.now());
    return rows.map((row) => endpointFromRow(row, vault, waiting.get(row.id) ?? null));
  }

  async #delete(endpoint: Endpoint): Promise<void> {
    const { db, subscriptions, changed } = this.#parts;
    await subscriptions.during(endpoint.deviceId, () =>
      db
        .deleteFrom('webhook_endpoints')
        .where('tenant_id', '=', endpoint.tenantId)
        .where('id', '=', endpoint.id)
        .execute(),
    );
    changed(endpoint.id);
  }

  async #insert(
    trx: Transaction<Database>,
    device: Device,
    input: CheckedInput,
    isDefault: boolean,
  ): Promise<EndpointRow> {
    const { url, events, secret = null, headers = {} } = input;
    if (url === undefined) throw invalidField('webhook_url', 'is required');
    if (events === undefined) throw invalidField('enabled_events', 'is required');
    const now = this.#parts.clock.now();
    const id = newEndpointId();
    const row: EndpointRow = {
      id,
      tenant_id: device.tenantId,
      user_id: device.userId,
      device_id: device.id,
      is_default: isDefault ? 1 : 0,
      url,
      events: JSON.stringify(events),
      enabled: input.enabled === false ? 0 : 1,
      retry_attempts: input.retryAttempts ?? DEFAULT_RETRY_ATTEMPTS,
      timeout_s: input.timeoutSeconds ?? DEFAULT_TIMEOUT_S,
      secret: this.#sealed(id, 'secret', secret),
      headers: this.#sealed(id, 'headers', headersText(headers)),
      state: 'active',
      state_reason: null,
      state_at: now,
      failing_since: null,
      failures: 0,
      generation: 1,
      expiry_told_at: null,
      created_at: now,
      updated_at: now,
    };
    await this.#parts.quotas.demand(trx, device.tenantId, 'webhookEndpoints');
    await trx.insertInto('webhook_endpoints').values(row).execute();
    return row;
  }

  /**
   * What is undefined stays. Switched on, also a paused or gone one starts anew with all that waits. What comes
   * of attempts to a receiver that it no longer has, or from before it was switched on, counts for nothing.
   */
  async #update(trx: Transaction<Database>, row: EndpointRow, input: CheckedInput): Promise<EndpointRow> {
    const now = this.#parts.clock.now();
    const revived = input.enabled === true && (row.state !== 'active' || row.enabled === 0);
    const moved = isAnotherReceiver(row, input, this.#parts.vault);
    const clean = { generation: row.generation + 1, failing_since: null, failures: 0 };
    const fresh = { state: 'active', state_reason: null, state_at: now };
    const change = {
      ...(input.url !== undefined && { url: input.url }),
      ...(input.events !== undefined && { events: JSON.stringify(input.events) }),
      ...(input.enabled !== undefined && { enabled: input.enabled ? 1 : 0 }),
      ...(input.retryAttempts !== undefined && { retry_attempts: input.retryAttempts }),
      ...(input.timeoutSeconds !== undefined && { timeout_s: input.timeoutSeconds }),
      ...(input.secret !== undefined && { secret: this.#sealed(row.id, 'secret', input.secret) }),
      ...(input.headers !== undefined && {
        headers: this.#sealed(row.id, 'headers', headersText(input.headers)),
      }),
      ...((revived || moved) && clean),
      ...(revived && fresh),
      updated_at: now,
    };
    if (revived || moved) await forgetAttempts(trx, row.tenant_id, row.id);
    await trx
      .updateTable('webhook_endpoints')
      .set(change)
      .where('tenant_id', '=', row.tenant_id)
      .where('id', '=', row.id)
      .execute();
    const after = { ...row, ...change };
    if (after.enabled === 0) await parkEndpoint(trx, row.tenant_id, row.id);
    else if (after.state === 'active') await releaseEndpoint(trx, row.tenant_id, row.id, now);
    return after;
  }

  #sealed(id: string, column: 'secret' | 'headers', text: string | null): Uint8Array | null {
    return text === null ? null : sealText(this.#parts.vault, id, column, text);
  }
}

/**
 * Whether somebody else answers from now on, or answers to something else: another address, another header
 * (receivers are chosen and let in by them), another secret. The same values again change nothing: many
 * programs configure their webhook at each start.
 */
function isAnotherReceiver(row: EndpointRow, input: CheckedInput, vault: Vault): boolean {
  const { url, secret, headers } = input;
  if (url !== undefined && url !== row.url) return true;
  if (secret !== undefined && secret !== secretOf(row, vault)) return true;
  return headers !== undefined && headersText(headers) !== headersText(headersOf(row, vault));
}

function headersText(headers: Record<string, string>): string | null {
  return Object.keys(headers).length === 0 ? null : JSON.stringify(headers);
}

function findRow(db: Kysely<Database>, tenantId: TenantId, id: string): Promise<EndpointRow | undefined> {
  return db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
}

function notFound(): AppError {
  return new AppError('NOT_FOUND', { message: 'webhook not found' });
}

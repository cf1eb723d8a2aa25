/** Stored proxies, their URLs sealed. Every query is bound to one tenant. */
import type { Kysely } from 'kysely';
import type { DeviceId, TenantId } from '../ids.ts';
import { type ProxyAddress, parseProxyUrl, proxyUrl } from '../net/proxy-address.ts';
import type { Database } from '../storage/schema.ts';
import { SEALED, type SealedPlace } from '../storage/sealed.ts';
import type { Vault } from '../storage/vault.ts';

export interface StoredProxy {
  address: ProxyAddress;
  /** Milliseconds. */
  updatedAt: number;
}

interface DeviceName {
  tenantId: TenantId;
  deviceId: DeviceId;
}

export class ProxyStore {
  readonly #db: Kysely<Database>;
  readonly #vault: Pick<Vault, 'seal' | 'open'>;

  constructor(parts: { db: Kysely<Database>; vault: Pick<Vault, 'seal' | 'open'> }) {
    this.#db = parts.db;
    this.#vault = parts.vault;
  }

  async ofTenant(tenantId: TenantId): Promise<StoredProxy | null> {
    const row = await this.#db
      .selectFrom('tenant_proxies')
      .select(['url', 'updated_at'])
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return row ? this.#opened(row, SEALED.tenantProxy.at({ tenant_id: tenantId })) : null;
  }

  async ofDevice({ tenantId, deviceId }: DeviceName): Promise<StoredProxy | null> {
    const row = await this.#db
      .selectFrom('device_proxies')
      .select(['url', 'updated_at'])
      .where('device_id', '=', deviceId)
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return row ? this.#opened(row, SEALED.deviceProxy.at({ device_id: deviceId })) : null;
  }

  /** By device. */
  async ofDevices(tenantId: TenantId): Promise<Map<string, StoredProxy>> {
    const rows = await this.#db
      .selectFrom('device_proxies')
      .select(['device_id', 'url', 'updated_at'])
      .where('tenant_id', '=', tenantId)
      .execute();
    return new Map(
      rows.map((row) => [
        row.device_id,
        this.#opened(row, SEALED.deviceProxy.at({ device_id: row.device_id })),
      ]),
    );
  }

  async putTenant(tenantId: TenantId, { address, updatedAt }: StoredProxy): Promise<void> {
    const url = this.#sealed(address, SEALED.tenantProxy.at({ tenant_id: tenantId }));
    await this.#db
      .insertInto('tenant_proxies')
      .values({ tenant_id: tenantId, url, updated_at: updatedAt })
      .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ url, updated_at: updatedAt }))
      .execute();
  }

  async putDevice({ tenantId, deviceId }: DeviceName, { address, updatedAt }: StoredProxy): Promise<void> {
    const url = this.#sealed(address, SEALED.deviceProxy.at({ device_id: deviceId }));
    await this.#db
      .insertInto('device_proxies')
      .values({ device_id: deviceId, tenant_id: tenantId, url, updated_at: updatedAt })
      .onConflict((conflict) => conflict.column('device_id').doUpdateSet({ url, updated_at: updatedAt }))
      .execute();
  }

  /** Whether there was one. */
  async deleteTenant(tenantId: TenantId): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('tenant_proxies')
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  async deleteDevice({ tenantId, deviceId }: DeviceName): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('device_proxies')
      .where('device_id', '=', deviceId)
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  #sealed(address: ProxyAddress, place: SealedPlace): Uint8Array {
    return this.#vault.seal(Buffer.from(proxyUrl(address), 'utf8'), place);
  }

  #opened(row: { url: Uint8Array; updated_at: number }, place: SealedPlace): StoredProxy {
    const url = Buffer.from(this.#vault.open(row.url, place)).toString('utf8');
    return { address: parseProxyUrl(url), updatedAt: row.updated_at };
  }
}

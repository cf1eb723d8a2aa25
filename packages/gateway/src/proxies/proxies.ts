/** The proxies of a tenant and of its devices, as callers may see and set them. */
import { isIP } from 'node:net';
import { type Clock, stopwatch } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { AppError, invalidField } from '../errors.ts';
import type { AddressPolicy } from '../net/address-policy.ts';
import { BadProxyUrl, maskedProxyUrl, type ProxyAddress, parseProxyUrl } from '../net/proxy-address.ts';
import type { Caller } from '../tenancy/caller.ts';
import { seesWholeTenant } from '../tenancy/visibility.ts';
import type { Route } from '../whatsapp/port/route.ts';
import { type Unreachable, unreachableText } from '../whatsapp/port/unreachable.ts';
import type { ProxyStore, StoredProxy } from './proxy-store.ts';
import type { Effective, Routes } from './routes.ts';

export { MAX_URL_LENGTH as LONGEST_PROXY_URL } from '../net/proxy-address.ts';

/** A proxy as an answer may name it. */
export interface MaskedProxy {
  /** Its password masked. */
  proxyUrl: string;
  updatedAt: number;
}

export interface TenantProxies {
  tenant: MaskedProxy | null;
  /** Of the devices that the caller may see. */
  devices: (MaskedProxy & { deviceId: string })[];
}

export interface DeviceProxy {
  deviceId: string;
  override: MaskedProxy | null;
  effective: { proxyUrl: string | null; source: Effective['source'] };
}

/** A device after its way has changed. */
export type Rerouted = Pick<Device, 'id' | 'state' | 'stateReason'>;

export interface ProxyTrial {
  ok: boolean;
  /** Null: directly. */
  proxyUrl: string | null;
  tookMs: number;
  /** Why WhatsApp was not reached. */
  unreachable: Unreachable | null;
  /** The same for people. */
  hint: string | null;
}

export interface ProxiesParts {
  store: ProxyStore;
  routes: Routes;
  policy: AddressPolicy;
  devices: Pick<Devices, 'resolve' | 'list' | 'reroute' | 'rerouteAll'>;
  /** Asks WhatsApp for a WebSocket by that way, and closes it unused; null when it was given. */
  tryNetwork(route: Route | null): Promise<Unreachable | null>;
  clock: Clock;
}

export class Proxies {
  readonly #parts: ProxiesParts;

  constructor(parts: ProxiesParts) {
    this.#parts = parts;
  }

  async ofTenant(caller: Caller): Promise<TenantProxies> {
    const { store, devices } = this.#parts;
    const [tenant, overrides, visible] = await Promise.all([
      store.ofTenant(caller.tenantId),
      store.ofDevices(caller.tenantId),
      devices.list(caller, 'visible'),
    ]);
    return {
      tenant: tenant && masked(tenant),
      devices: visible.flatMap(({ id: deviceId }) => {
        const own = overrides.get(deviceId);
        return own ? [{ deviceId, ...masked(own) }] : [];
      }),
    };
  }

  /** How many devices are being connected anew; throws FORBIDDEN for a caller who does not see the whole tenant. */
  async setTenant(caller: Caller, url: string): Promise<{ proxyUrl: string; reconnecting: number }> {
    ofWholeTenant(caller);
    const address = this.#checked(url);
    await this.#parts.store.putTenant(caller.tenantId, this.#stamped(address));
    return { proxyUrl: maskedProxyUrl(address), reconnecting: await this.#rerouteTenant(caller.tenantId) };
  }

  async deleteTenant(caller: Caller): Promise<{ deleted: boolean; reconnecting: number }> {
    ofWholeTenant(caller);
    const deleted = await this.#parts.store.deleteTenant(caller.tenantId);
    return { deleted, reconnecting: deleted ? await this.#rerouteTenant(caller.tenantId) : 0 };
  }

  /** Throws DEVICE_NOT_FOUND. */
  async ofDevice(caller: Caller, id: string): Promise<DeviceProxy> {
    const { store, routes, devices } = this.#parts;
    const device = await devices.resolve(caller, id);
    const own = await store.ofDevice({ tenantId: device.tenantId, deviceId: device.id });
    const { proxy, source } = await routes.effective(device);
    return {
      deviceId: device.id,
      override: own && masked(own),
      effective: { proxyUrl: proxy && maskedProxyUrl(proxy.address), source },
    };
  }

  /** Waits for the new connection, or for its failing. Throws DEVICE_NOT_FOUND, VALIDATION_ERROR. */
  async setDevice(caller: Caller, id: string, url: string): Promise<Rerouted & { proxyUrl: string }> {
    const { store, devices } = this.#parts;
    const device = await devices.resolve(caller, id);
    const address = this.#checked(url);
    await store.putDevice({ tenantId: device.tenantId, deviceId: device.id }, this.#stamped(address));
    return { ...(await devices.reroute(device)), proxyUrl: maskedProxyUrl(address) };
  }

  async deleteDevice(caller: Caller, id: string): Promise<Rerouted & { deleted: boolean }> {
    const { store, devices } = this.#parts;
    const device = await devices.resolve(caller, id);
    const deleted = await store.deleteDevice({ tenantId: device.tenantId, deviceId: device.id });
    return { ...(deleted ? await devices.reroute(device) : device), deleted };
  }

  /** Tries the way to WhatsApp: by the URL, else by what is set for the device, or for the tenant without one. */
  async test(
    caller: Caller,
    asked: { url?: string | undefined; deviceId?: string | undefined },
  ): Promise<ProxyTrial> {
    const address = await this.#meant(caller, asked);
    const elapsed = stopwatch();
    const unreachable = await this.#parts.tryNetwork(address && this.#parts.routes.through(address));
    return {
      ok: unreachable === null,
      proxyUrl: address && maskedProxyUrl(address),
      tookMs: elapsed(),
      unreachable,
      hint: unreachable && unreachableText(unreachable),
    };
  }

  async #meant(
    caller: Caller,
    { url, deviceId }: { url?: string | undefined; deviceId?: string | undefined },
  ): Promise<ProxyAddress | null> {
    const { devices, routes, store } = this.#parts;
    // Whose device it is, is asked first: whether it exists is told to nobody else.
    const device = deviceId === undefined ? null : await devices.resolve(caller, deviceId);
    if (url !== undefined) return this.#checked(url);
    const set = device ? (await routes.effective(device)).proxy : await store.ofTenant(caller.tenantId);
    return set?.address ?? null;
  }

  /** Refuses what the connection would refuse; names are judged when they resolve. */
  #checked(url: string): ProxyAddress {
    const refuse = (message: string): AppError => invalidField('proxy_url', message);
    let address: ProxyAddress;
    try {
      address = parseProxyUrl(url);
    } catch (error) {
      throw error instanceof BadProxyUrl ? refuse(error.message) : error;
    }
    if (isIP(address.host) !== 0 && !this.#parts.policy.permits(address.host)) {
      throw refuse(
        'leads to an address that is not public (operators can allow networks with WUTS_ALLOW_NETWORKS)',
      );
    }
    return address;
  }

  #stamped(address: ProxyAddress): StoredProxy {
    return { address, updatedAt: this.#parts.clock.now() };
  }

  async #rerouteTenant(tenantId: string): Promise<number> {
    const overrides = await this.#parts.store.ofDevices(tenantId);
    return this.#parts.devices.rerouteAll(tenantId, new Set(overrides.keys()));
  }
}

function masked({ address, updatedAt }: StoredProxy): MaskedProxy {
  return { proxyUrl: maskedProxyUrl(address), updatedAt };
}

function ofWholeTenant(caller: Caller): void {
  if (!seesWholeTenant(caller)) throw new AppError('FORBIDDEN');
}

/** Which way the traffic of a device takes. */
import { LRUCache } from 'lru-cache';
import type { Device } from '../devices/devices.ts';
import { type ProxyAddress, proxyUrl } from '../net/proxy-address.ts';
import type { Route } from '../whatsapp/port/route.ts';
import type { ProxyStore, StoredProxy } from './proxy-store.ts';

/** Devices behind the same proxy share its connections to the media hosts. */
const MOST_PROXIES = 1000;

export interface Effective {
  proxy: StoredProxy | null;
  source: 'device' | 'tenant' | 'none';
}

export class Routes {
  readonly #store: ProxyStore;
  readonly #open: (address: ProxyAddress) => Route;
  readonly #known = new LRUCache<string, Route>({ max: MOST_PROXIES });

  constructor(parts: { store: ProxyStore; open(address: ProxyAddress): Route }) {
    this.#store = parts.store;
    this.#open = parts.open;
  }

  /** The proxy of the device, else that of its tenant, else none. */
  async effective({ id: deviceId, tenantId }: Pick<Device, 'id' | 'tenantId'>): Promise<Effective> {
    const own = await this.#store.ofDevice({ tenantId, deviceId });
    if (own) return { proxy: own, source: 'device' };
    const proxy = await this.#store.ofTenant(tenantId);
    return { proxy, source: proxy ? 'tenant' : 'none' };
  }

  /** Null: directly. Rejects when it cannot be found out: then there is no way at all. */
  async of(device: Pick<Device, 'id' | 'tenantId'>): Promise<Route | null> {
    const { proxy } = await this.effective(device);
    return proxy && this.through(proxy.address);
  }

  through(address: ProxyAddress): Route {
    const url = proxyUrl(address);
    const known = this.#known.get(url);
    if (known) return known;
    const route = this.#open(address);
    this.#known.set(url, route);
    return route;
  }
}

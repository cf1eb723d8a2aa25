/** Proxies. The devices ask for their way before anybody can be told of them, so the room is made in two steps. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Devices } from '../devices/devices.ts';
import { AddressPolicy } from '../net/address-policy.ts';
import { guardedConnector } from '../net/guarded-connector.ts';
import { type NetworkToTry, tryNetwork } from '../net/reachability.ts';
import { Tunnel } from '../net/tunnel.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import { Proxies } from './proxies.ts';
import { ProxyStore } from './proxy-store.ts';
import { Routes } from './routes.ts';

export interface ProxiesRoom {
  routes: Routes;
  /** Once the devices are there. */
  of(devices: Devices): Proxies;
}

export function composeProxies(parts: {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  network: NetworkToTry;
  allowNetworks: readonly string[];
}): ProxiesRoom {
  const { clock, network } = parts;
  const policy = new AddressPolicy(parts.allowNetworks);
  const connector = guardedConnector(policy);
  const store = new ProxyStore(parts);
  const routes = new Routes({ store, open: (address) => new Tunnel(address, connector) });
  return {
    routes,
    of: (devices) =>
      new Proxies({
        store,
        routes,
        policy,
        devices,
        clock,
        tryNetwork: (route) => tryNetwork(network, route),
      }),
  };
}

/** Connections to hosts that users or senders chose: to permitted addresses alone. */
import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** `[::1]` as it stands in a URL, or `::1`, to `::1`. */
export function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
}

/**
 * Connects only to permitted addresses. A name is judged by the addresses of the very look-up the socket
 * uses, so a name that resolves differently a moment later (DNS rebinding) gains nothing; the address at
 * the other end is compared once more when the socket is up. `resolveName` stands in for DNS in tests.
 */
export function guardedConnector(
  policy: AddressPolicy,
  resolveName: typeof lookup = lookup,
): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: guardedLookup(policy, resolveName),
  });
  return (options, callback) => {
    const host = withoutBrackets(options.hostname);
    if (isIP(host) !== 0 && !policy.permits(host)) {
      callback(new ForbiddenAddress('literal'), null);
      return;
    }
    connect(options, (...result) => {
      const socket = result[1];
      if (socket && !policy.permits(socket.remoteAddress ?? '')) {
        socket.destroy();
        callback(new ForbiddenAddress('peer'), null);
        return;
      }
      callback(...result);
    });
  };
}

/** Only the permitted addresses of a name survive; a name with none cannot be connected to. */
function guardedLookup(policy: AddressPolicy, resolveName: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, found) => {
      if (error) {
        callback(error, []);
        return;
      }
      const addresses: LookupAddress[] = found.filter((each) => policy.permits(each.address));
      const first = addresses[0];
      if (!first) callback(new ForbiddenAddress('no permitted address'), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

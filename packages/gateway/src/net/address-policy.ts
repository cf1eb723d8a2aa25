import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/**
 * Everything globally routable in IPv6 today lies here (IANA). It also shuts out the IPv4-compatible
 * form `::7f00:1`, which ipaddr.js counts as unicast.
 */
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

/** Azure's platform endpoint: a public-looking address that answers only inside a virtual machine. */
const PLATFORM_ADDRESSES = new Set(['168.63.129.16']);

function matches(address: Address, [base, bits]: Network): boolean {
  if (address.kind() !== base.kind()) return false;
  return address.match(base, bits);
}

/**
 * Decides which addresses an outgoing request to a URL of a user's or sender's choice may reach:
 * public unicast ones, and whatever the operator allowed. Loopback, private, link-local (with the cloud
 * metadata service), carrier-grade NAT, multicast, reserved, mapped, NAT64, 6to4 and Teredo addresses
 * are refused: the last four can carry a private IPv4 address inside a public-looking IPv6 one.
 */
export class AddressPolicy {
  readonly #allowed: Network[];

  /** `allowNetworks`: CIDR blocks (`10.0.0.0/8`, `fd00::/8`). Throws on a malformed one. */
  constructor(allowNetworks: readonly string[] = []) {
    this.#allowed = allowNetworks.map((cidr) => ipaddr.parseCIDR(cidr) as Network);
  }

  /** `address`: an IP literal without brackets. Anything that is not one is refused. */
  permits(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    // `process` unwraps ::ffff:a.b.c.d, so the mapped form is judged as the IPv4 address it reaches.
    const parsed = ipaddr.process(address);
    if (this.#allowed.some((network) => matches(parsed, network))) return true;
    if (PLATFORM_ADDRESSES.has(parsed.toString())) return false;
    if (parsed.range() !== 'unicast') return false;
    return parsed.kind() === 'ipv4' || matches(parsed, GLOBAL_UNICAST_V6);
  }
}

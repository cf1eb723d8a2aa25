import type { BinaryNode } from 'baileys';
import type { Cdn } from '../../cdn/cdn.ts';
import type { DeviceAddress, NetworkPort, NewAccount, PasskeyExchange, PasskeyPolicy } from '../../link.ts';

/** The phone's half of a linking, as the pairing desk takes it. */
export interface LinkRequest {
  readonly user: string;
  readonly ref: string;
  /** Encoded `ADVSignedDeviceIdentityHMAC`. */
  readonly deviceIdentityHmac: Uint8Array;
  readonly keyIndex: number;
  readonly companionIdentityPublic: Uint8Array;
  /** Hex SHA-256 of the ADV secret the phone used. */
  readonly advSecretFingerprint: string;
  /** Platform of the primary, `android` or `iphone`. */
  readonly platform: string;
}

/** What a phone needs of the network it lives in. `sandbox.ts` builds it from the real parts. */
export interface PhoneHost {
  readonly network: NetworkPort;
  readonly cdn: Cdn;
  /** Registers the number; throws when it exists. Returns the LID's digits, null for none. */
  createAccount(account: NewAccount): { readonly lid: string | null };
  /** Resolves when the companion confirmed; rejects with an error whose `reason` names the cause. */
  linkByRef(request: LinkRequest): Promise<{ readonly device: number }>;
  /** The account's companions are to get a signature that is not its own. */
  forgesLinking(user: string): boolean;
  /** What the server wants before the companion that shows `ref` may be linked; null: nothing. Throws as `linkByRef`. */
  askForPasskey(request: Pick<LinkRequest, 'user' | 'ref' | 'advSecretFingerprint'>): PasskeyExchange | null;
  /** What the server demands of those who want to be linked to the account. */
  passkeyPolicy(user: string): PasskeyPolicy;
  setPasskeyPolicy(user: string, policy: PasskeyPolicy): void;
  /** The account has a passkey from now on; bytes as base64url. */
  addPasskey(user: string, passkey: { readonly id: string; readonly publicKey: string }): void;
  /** Removes a companion from the account, as "log out" on its phone does. */
  unlink(address: DeviceAddress): Promise<void> | void;
  /** Puts a stanza into a device's queue, past every rule of the server. Throws when there is no such device. */
  inject(deviceJid: string, node: BinaryNode): void;
  /** Adds bytes as the next patch of an app-state collection and tells the number's companions. */
  injectPatch(number: string, collection: string, patch: Uint8Array): void;
  /**
   * Resolves when the device has logged in and was given its stored stanzas (after `<ib><offline/></ib>`).
   * At once when it is in that state now. May reject after a while; the phone asks again.
   */
  whenReady(address: DeviceAddress): Promise<void>;
}

/** A linking that did not happen; `reason` is one stable word (`ref_expired`, `wrong_code`, …). */
export class LinkError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string = reason) {
    super(message);
    this.name = 'LinkError';
    this.reason = reason;
  }
}

import type { ProtocolAddress } from './address.ts';
import { begin, type KeyBundle } from './agreement.ts';
import { UntrustedIdentityKeyError } from './errors.ts';
import { SessionRecord } from './session-record.ts';
import { SENDING_TO, type SignalStorage } from './storage.ts';
import { inTurn } from './turns.ts';
import { typedKey } from './x25519.ts';

/** Begins sessions with a device. */
export class SessionBuilder {
  readonly #storage: SignalStorage;
  readonly #address: string;

  constructor(storage: SignalStorage, address: ProtocolAddress) {
    this.#storage = storage;
    this.#address = address.toString();
  }

  /**
   * Begins one with keys that the server keeps for the device; it is the one in use from then on. Throws
   * `ForgedPreKeyError` for keys that the device has not signed, `UntrustedIdentityKeyError` where the storage says so.
   */
  initOutgoing(bundle: KeyBundle): Promise<void> {
    return inTurn(this.#storage, this.#address, async () => {
      const storage = this.#storage;
      if (!(await storage.isTrustedIdentity(this.#address, typedKey(bundle.identityKey), SENDING_TO))) {
        throw new UntrustedIdentityKeyError(this.#address);
      }
      const now = Date.now();
      const session = begin(await storage.getOurIdentity(), bundle, now);
      const record = (await storage.loadSession(this.#address)) ?? new SessionRecord();
      await storage.storeSession(this.#address, record.withCurrent(session, now));
    });
  }
}

import { createHash } from 'node:crypto';
import type { DeviceSigner } from './device-identity.ts';
import { LinkError, type PhoneHost } from './host.ts';
import type { PairCodeLinking } from './pair-code.ts';
import { parseQr } from './qr-code.ts';

export interface LinkedCompanion {
  readonly device: number;
  /** The companion's device JID, `5511…:1@s.whatsapp.net`. */
  readonly jid: string;
}

interface Companion {
  readonly ref: string;
  readonly companionIdentityPublic: Uint8Array;
  readonly advSecret: Uint8Array;
}

/** Links companions to one account, by QR or by code, as the "Linked devices" screen of a phone does. */
export class CompanionLinker {
  readonly #host: PhoneHost;
  readonly #user: string;
  readonly #signer: DeviceSigner;
  readonly #byCode: PairCodeLinking;
  readonly #beforeLinking: () => Promise<void>;

  /** `beforeLinking`: what has to be there when a companion comes. */
  constructor(
    host: PhoneHost,
    user: string,
    signer: DeviceSigner,
    byCode: PairCodeLinking,
    beforeLinking: () => Promise<void>,
  ) {
    this.#beforeLinking = beforeLinking;
    this.#host = host;
    this.#user = user;
    this.#signer = signer;
    this.#byCode = byCode;
  }

  /** Rejects with {@link LinkError}; see the pairing desk for the reasons. */
  async scanQr(qrText: string): Promise<LinkedCompanion> {
    const { ref, identityPublic, advSecret } = parseQr(qrText);
    return this.#link({ ref, companionIdentityPublic: identityPublic, advSecret });
  }

  /** Rejects with {@link LinkError}: `wrong_code`, `no_companion`, or a reason of the pairing desk. */
  async enterCode(code: string): Promise<LinkedCompanion> {
    return this.#link(await this.#byCode.exchange(code));
  }

  async #link(companion: Companion): Promise<LinkedCompanion> {
    await this.#beforeLinking();
    const { keyIndex, encoded } = this.#signer.sign(companion.companionIdentityPublic, companion.advSecret);
    try {
      const { device } = await this.#host.linkByRef({
        user: this.#user,
        ref: companion.ref,
        deviceIdentityHmac: encoded,
        keyIndex,
        companionIdentityPublic: companion.companionIdentityPublic,
        advSecretFingerprint: createHash('sha256').update(companion.advSecret).digest('hex'),
        platform: 'android',
      });
      return { device, jid: `${this.#user}:${device}@s.whatsapp.net` };
    } catch (error) {
      if (error instanceof LinkError) throw error;
      const reason = (error as { reason?: unknown }).reason;
      const message = error instanceof Error ? error.message : String(error);
      throw new LinkError(typeof reason === 'string' ? reason : 'failed', message);
    }
  }
}

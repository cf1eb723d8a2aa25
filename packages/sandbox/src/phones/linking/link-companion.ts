import { createHash } from 'node:crypto';
import type { DeviceSigner, Hosting } from './device-identity.ts';
import { LinkError, type PhoneHost } from './host.ts';
import type { PairCodeLinking } from './pair-code.ts';
import type { PhonePasskey } from './passkey-linking.ts';
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

export interface LinkerParts {
  host: PhoneHost;
  user: string;
  signer: DeviceSigner;
  byCode: PairCodeLinking;
  passkey: PhonePasskey;
  /** Brings about what has to be there when a companion comes. */
  beforeLinking(): Promise<void>;
}

/** Links companions to one account, by QR or by code, as the "Linked devices" screen of a phone does. */
export class CompanionLinker {
  readonly #host: PhoneHost;
  readonly #user: string;
  readonly #signer: DeviceSigner;
  readonly #byCode: PairCodeLinking;
  readonly #passkey: PhonePasskey;
  readonly #beforeLinking: () => Promise<void>;

  constructor(parts: LinkerParts) {
    this.#host = parts.host;
    this.#user = parts.user;
    this.#signer = parts.signer;
    this.#byCode = parts.byCode;
    this.#passkey = parts.passkey;
    this.#beforeLinking = parts.beforeLinking;
  }

  /** Of those that are linked from now on. */
  set hosting(hosting: Hosting) {
    this.#signer.hosting = hosting;
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

  async #link(read: Companion): Promise<LinkedCompanion> {
    await this.#beforeLinking();
    try {
      const companion = await this.#named(read);
      const { keyIndex, encoded } = this.#signer.sign(companion, this.#host.forgesLinking(this.#user));
      const { device } = await this.#host.linkByRef({
        user: this.#user,
        ref: companion.ref,
        deviceIdentityHmac: encoded,
        keyIndex,
        companionIdentityPublic: companion.companionIdentityPublic,
        advSecretFingerprint: fingerprint(companion),
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

  /** The companion as it names itself once the server has seen a passkey; as it was read where none is wanted. */
  async #named(read: Companion): Promise<Companion> {
    const { ref } = read;
    const step = this.#host.askForPasskey({
      user: this.#user,
      ref,
      advSecretFingerprint: fingerprint(read),
    });
    return (step && (await this.#passkey.exchange(step, read))) ?? read;
  }
}

function fingerprint({ advSecret }: Companion): string {
  return createHash('sha256').update(advSecret).digest('hex');
}

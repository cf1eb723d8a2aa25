import { createHmac, randomInt } from 'node:crypto';
import { Curve, type KeyPair, proto } from 'baileys';

/** Prefix of what the account key signs (whatsmeow pair.go AdvAccountSignaturePrefix). */
const ACCOUNT_SIGNATURE_PREFIX = Buffer.from([6, 0]);
/** The same where Meta hosts what is signed, and before the HMAC where it hosts the account (AdvHostedAccountSignaturePrefix). */
const HOSTED_PREFIX = Buffer.from([6, 5]);

/**
 * What Meta hosts of a business that is in its Cloud API as well: a companion is told of the account under the HMAC, and
 * of its own device within what is signed, each by itself (whatsapp-rust pull request 1440; whatsmeow issue 893).
 */
export interface Hosting {
  readonly account: boolean;
  readonly device: boolean;
}

export interface KeptSigner {
  readonly rawId: number;
  /** Of the companion that was linked last. */
  readonly keyIndex: number;
}

/** What a phone has read of a companion. */
export interface CompanionToSign {
  readonly companionIdentityPublic: Uint8Array;
  /** What the phone proves with that it has read the companion's code. */
  readonly advSecret: Uint8Array;
}

/** Signs companions into an account: the ADV part of linking, done by the primary phone. */
export class DeviceSigner {
  readonly #identity: KeyPair;
  readonly #rawId: number;
  #keyIndex: number;
  hosting: Hosting = { account: false, device: false };

  constructor(identity: KeyPair, kept?: KeptSigner) {
    this.#identity = identity;
    this.#rawId = kept?.rawId ?? randomInt(1, 2 ** 31);
    this.#keyIndex = kept?.keyIndex ?? 0;
  }

  kept(): KeptSigner {
    return { rawId: this.#rawId, keyIndex: this.#keyIndex };
  }

  /** The identity number of this account, repeated in every device identity. */
  get rawId(): number {
    return this.#rawId;
  }

  /**
   * An encoded `ADVSignedDeviceIdentityHMAC` for a companion, as its client verifies it (whatsmeow pair.go
   * handlePair, Baileys configureSuccessfulPairing). `forged`: somebody else signs in the account's name.
   */
  sign(
    { companionIdentityPublic, advSecret }: CompanionToSign,
    forged = false,
  ): { keyIndex: number; encoded: Uint8Array } {
    const signer = forged ? Curve.generateKeyPair() : this.#identity;
    const { E2EE, HOSTED } = proto.ADVEncryptionType;
    const { account, device } = this.hosting;
    this.#keyIndex += 1;
    const details = proto.ADVDeviceIdentity.encode({
      rawId: this.#rawId,
      timestamp: Math.floor(Date.now() / 1000),
      keyIndex: this.#keyIndex,
      accountType: account ? HOSTED : E2EE,
      deviceType: device ? HOSTED : E2EE,
    }).finish();
    const prefix = device ? HOSTED_PREFIX : ACCOUNT_SIGNATURE_PREFIX;
    const signed = Buffer.concat([prefix, details, companionIdentityPublic]);
    const identity = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: this.#identity.public,
      accountSignature: Curve.sign(signer.private, signed),
    }).finish();
    const hmac = createHmac('sha256', advSecret);
    if (account) hmac.update(HOSTED_PREFIX);
    const encoded = proto.ADVSignedDeviceIdentityHMAC.encode({
      details: identity,
      hmac: hmac.update(identity).digest(),
      ...(account ? { accountType: HOSTED } : {}),
    }).finish();
    return { keyIndex: this.#keyIndex, encoded };
  }
}

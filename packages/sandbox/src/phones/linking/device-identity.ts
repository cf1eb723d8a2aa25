import { createHmac, randomInt } from 'node:crypto';
import { Curve, type KeyPair, proto } from 'baileys';

/** Prefix of what the account key signs (whatsmeow pair.go AdvAccountSignaturePrefix). */
const ACCOUNT_SIGNATURE_PREFIX = Buffer.from([6, 0]);

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
    this.#keyIndex += 1;
    const details = proto.ADVDeviceIdentity.encode({
      rawId: this.#rawId,
      timestamp: Math.floor(Date.now() / 1000),
      keyIndex: this.#keyIndex,
      accountType: proto.ADVEncryptionType.E2EE,
      deviceType: proto.ADVEncryptionType.E2EE,
    }).finish();
    const signed = Buffer.concat([ACCOUNT_SIGNATURE_PREFIX, details, companionIdentityPublic]);
    const identity = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: this.#identity.public,
      accountSignature: Curve.sign(signer.private, signed),
    }).finish();
    const hmac = createHmac('sha256', advSecret).update(identity).digest();
    const encoded = proto.ADVSignedDeviceIdentityHMAC.encode({ details: identity, hmac }).finish();
    return { keyIndex: this.#keyIndex, encoded };
  }
}

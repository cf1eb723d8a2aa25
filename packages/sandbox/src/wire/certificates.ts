import { Curve, proto } from 'baileys';

/** A Curve25519 key pair, 32 bytes each, without a type byte. */
export interface CurveKeyPair {
  readonly public: Uint8Array;
  readonly private: Uint8Array;
}

/** What the server needs to prove itself in the Noise handshake. */
export interface NoiseCertificates {
  /** The root public key a client has to trust, 32 bytes. */
  readonly rootPublic: Uint8Array;
  /** The server's static Noise key; the leaf certificate names its public half. */
  readonly serverKey: CurveKeyPair;
  /** Encoded `CertChain`, the payload of the server hello. */
  readonly chain: Uint8Array;
}

const DAY_SECONDS = 86_400;

/**
 * A root key and a chain under it: the root signs the intermediate's details, the intermediate signs the
 * leaf's, the leaf's key is the server's static Noise key. The intermediate's `issuerSerial` is 0, the
 * serial clients expect of the root (Baileys noise-handler.js processHandshake; whatsmeow handshake.go
 * verifyServerCert, which also compares the leaf's issuer with the intermediate's serial and the leaf's
 * key with the static key).
 */
export function createNoiseCertificates(): NoiseCertificates {
  const root = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  const serverKey = Curve.generateKeyPair();
  const now = Math.floor(Date.now() / 1000);
  const validity = { notBefore: now - DAY_SECONDS, notAfter: now + 365 * DAY_SECONDS };
  const { NoiseCertificate } = proto.CertChain;

  const intermediateDetails = NoiseCertificate.Details.encode({
    serial: 1,
    issuerSerial: 0,
    key: intermediate.public,
    ...validity,
  }).finish();
  const leafDetails = NoiseCertificate.Details.encode({
    serial: 2,
    issuerSerial: 1,
    key: serverKey.public,
    ...validity,
  }).finish();
  const chain = proto.CertChain.encode({
    intermediate: {
      details: intermediateDetails,
      signature: Curve.sign(root.private, intermediateDetails),
    },
    leaf: { details: leafDetails, signature: Curve.sign(intermediate.private, leafDetails) },
  }).finish();
  return { rootPublic: root.public, serverKey, chain };
}

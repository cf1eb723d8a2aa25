/** Whether who answers the Noise handshake is the server that its certificates speak of. */
import { proto } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';

/** What the two certificates of a server say (`CertChain.NoiseCertificate.Details`, encoded), and the key it has shown. */
export interface ShownCertificates {
  intermediate: Uint8Array;
  leaf: Uint8Array;
  /** The key with which the handshake is done. */
  serverKey: Uint8Array;
  /** Milliseconds. */
  now: number;
}

/**
 * Whether certificates whose signatures are right belong together, to this server and to this time, as whatsmeow asks
 * (handshake.go `verifyServerCert`). Without the key, whoever has once seen the certificates could show them as his own.
 */
export function certifies({ intermediate, leaf, serverKey, now }: ShownCertificates): boolean {
  try {
    const { Details } = proto.CertChain.NoiseCertificate;
    const above = decodeProtobuf(Details, intermediate);
    const below = decodeProtobuf(Details, leaf);
    return (
      below.issuerSerial === above.serial &&
      Buffer.compare(below.key ?? new Uint8Array(), serverKey) === 0 &&
      isValid(above, now) &&
      isValid(below, now)
    );
  } catch {
    return false;
  }
}

function isValid({ notBefore, notAfter }: proto.CertChain.NoiseCertificate.Details, now: number): boolean {
  return Number(notBefore) * 1000 <= now && now <= Number(notAfter) * 1000;
}

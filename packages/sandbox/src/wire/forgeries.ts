/** What a server would say that is not WhatsApp's, or lies: for tests of who notices. */
import { type BinaryNode, Curve } from 'baileys';
import { createNoiseCertificates, type NoiseCertificates } from './certificates.ts';

/** See `forgeCertificate` of `faults.ts`. */
export function forgedCertificates(
  genuine: NoiseCertificates,
  how: 'another_root' | 'another_key',
): NoiseCertificates {
  if (how === 'another_root') return createNoiseCertificates();
  return { ...genuine, serverKey: Curve.generateKeyPair() };
}

/** The keys of a device with a signed pre-key of somebody else in the place of its own, under the signature that was there. */
export function forgedKeys(keys: readonly BinaryNode[]): BinaryNode[] {
  const { public: key } = Curve.generateKeyPair();
  return keys.map((node) => {
    if (node.tag !== 'skey' || !Array.isArray(node.content)) return node;
    return {
      ...node,
      content: node.content.map((child) => (child.tag === 'value' ? { ...child, content: key } : child)),
    };
  });
}

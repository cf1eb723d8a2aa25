import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
/** Clocks of containers drift; a certificate that starts now may not have started yet elsewhere. */
const BACKDATE_MS = 24 * 60 * 60 * 1000;

export interface CdnCertificate {
  /** PEM of the CA that clients of this sandbox must trust for media hosts. */
  readonly caPem: string;
  /** PEM of the server's certificate, issued by the CA for 127.0.0.1 and localhost. */
  readonly certificatePem: string;
  /** PKCS #8 PEM of the server's private key. It never leaves the process. */
  readonly privateKeyPem: string;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function serialNumber(): string {
  // The first bit stays clear: a serial number is a positive ASN.1 integer of at most 20 octets.
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}

/**
 * Makes a certificate authority and a server certificate for the loopback CDN, and for `name` besides. Both are new on every start,
 * so trusting the CA of one run says nothing about another.
 */
export async function issueCdnCertificate(name?: string): Promise<CdnCertificate> {
  const provider = webcrypto;
  const caKeys = await provider.subtle.generateKey(SIGNING, false, ['sign', 'verify']);
  const serverKeys = await provider.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const validity = {
    notBefore: new Date(Date.now() - BACKDATE_MS),
    notAfter: new Date(Date.now() + YEAR_MS),
  };
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: 'CN=WUTS Sandbox CDN CA',
      ...validity,
      keys: caKeys,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey, false, provider),
      ],
    },
    provider,
  );
  const server = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: 'CN=127.0.0.1',
      issuer: ca.subject,
      ...validity,
      publicKey: serverKeys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'ip', value: '127.0.0.1' },
          { type: 'dns', value: 'localhost' },
          ...(name === undefined ? [] : [{ type: 'dns' as const, value: name }]),
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, provider),
      ],
    },
    provider,
  );
  return {
    caPem: `${ca.toString('pem')}\n`,
    certificatePem: `${server.toString('pem')}\n`,
    privateKeyPem: pem('PRIVATE KEY', await provider.subtle.exportKey('pkcs8', serverKeys.privateKey)),
  };
}

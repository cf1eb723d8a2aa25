/** Which certificates of a server hold, apart from who signed them. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { certifies } from '../../src/whatsapp/baileys/connection/server-certificate.ts';
import { proto } from '../../src/whatsapp/baileys/library.ts';

const NOW = 1_790_000_000_000;
const DAY = 86_400;
const serverKey = randomBytes(32);
const validity = { notBefore: NOW / 1000 - DAY, notAfter: NOW / 1000 + DAY };

function shown(change: { intermediate?: object; leaf?: object; serverKey?: Uint8Array } = {}): boolean {
  const { Details } = proto.CertChain.NoiseCertificate;
  const intermediate = {
    serial: 7,
    issuerSerial: 0,
    key: randomBytes(32),
    ...validity,
    ...change.intermediate,
  };
  const leaf = { serial: 8, issuerSerial: 7, key: serverKey, ...validity, ...change.leaf };
  return certifies({
    intermediate: Details.encode(intermediate).finish(),
    leaf: Details.encode(leaf).finish(),
    serverKey: change.serverKey ?? serverKey,
    now: NOW,
  });
}

test('certificates of this server and of this time hold', () => {
  expect(shown()).toBe(true);
});

test.each([
  ['of another server', { serverKey: randomBytes(32) }],
  ['under another intermediate', { leaf: { issuerSerial: 9 } }],
  ['of a server that is not to be yet', { leaf: { notBefore: NOW / 1000 + 60 } }],
  ['that have run out', { leaf: { notAfter: NOW / 1000 - 60 } }],
  ['whose intermediate has run out', { intermediate: { notAfter: NOW / 1000 - 60 } }],
  ['whose intermediate is of tomorrow', { intermediate: { notBefore: NOW / 1000 + 60 } }],
])('certificates %s do not', (_name, change) => {
  expect(shown(change)).toBe(false);
});

test('what is no certificate does not', () => {
  const junk = Buffer.from('ffff', 'hex');
  expect(certifies({ intermediate: junk, leaf: junk, serverKey, now: NOW })).toBe(false);
});

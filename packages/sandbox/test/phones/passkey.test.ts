/** The phone holds what a companion says against what it has read: a companion that lies is not linked. */
import {
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { proto } from 'baileys';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PasskeyExchange, Prologue } from '../../src/link.ts';
import { PhonePasskey } from '../../src/phones/linking/passkey-linking.ts';

const REF = '2@reference';
const DEVICE_TYPE = proto.DeviceProps.PlatformType.CHROME;
const hash = (...data: Uint8Array[]) => createHash('sha256').update(Buffer.concat(data)).digest();
const derived = (secret: Uint8Array, salt: Uint8Array, info: string) =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, 32));

/** An honest companion on the other side of the server, until a test changes it. */
class Companion implements PasskeyExchange {
  readonly advSecret = randomBytes(32);
  readonly identity = randomBytes(32);
  nonce = randomBytes(32);
  committedTo = this.nonce;
  proves: Uint8Array | null = this.advSecret;
  namesItself = this.identity;
  sealed: Uint8Array | null = null;
  refused = false;
  code = '';
  readonly #pair = generateKeyPairSync('x25519');
  #key: Buffer = Buffer.alloc(32);

  async prologue(): Promise<Prologue> {
    const publicKey = Buffer.from(this.#pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const identity = proto.CompanionEphemeralIdentity.encode({
      publicKey,
      deviceType: DEVICE_TYPE,
      ref: REF,
    }).finish();
    const payload = proto.ProloguePayload.encode({
      companionEphemeralIdentity: identity,
      commitment: { hash: hash(identity, this.committedTo) },
    }).finish();
    const key = this.proves && derived(this.proves, new Uint8Array(), 'shortcake-passkey-handoff-v1');
    return { payload, handoffProof: key && createHmac('sha256', key).update(payload).digest() };
  }

  async answer(primary: Uint8Array): Promise<Uint8Array> {
    const { publicKey, nonce } = proto.PrimaryEphemeralIdentity.decode(primary);
    const x = Buffer.from(publicKey ?? []).toString('base64url');
    const shared = diffieHellman({
      privateKey: this.#pair.privateKey,
      publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' }),
    });
    const salt = Buffer.from(`Companion Pairing ${DEVICE_TYPE} with ref ${REF}`);
    this.#key = derived(shared, salt, 'Pairing Information Encryption Key');
    const digest = hash(this.nonce, publicKey ?? new Uint8Array());
    const number = BigInt(
      `0x${[0, 1, 2, 3, 4].map((at) => hexOf((nonce?.[at] ?? 0) ^ (digest[at] ?? 0))).join('')}`,
    );
    this.code = [35n, 30n, 25n, 20n, 15n, 10n, 5n, 0n]
      .map((bits) => '123456789ABCDEFGHJKLMNPQRSTVWXYZ'[Number((number >> bits) & 31n)])
      .join('');
    return this.nonce;
  }

  async request(): Promise<Uint8Array> {
    const plain = proto.PairingRequest.encode({
      companionPublicKey: randomBytes(32),
      companionIdentityKey: this.namesItself,
      advSecret: randomBytes(32),
    }).finish();
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const encryptedPayload = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return this.sealed ?? proto.EncryptedPairingRequest.encode({ encryptedPayload, iv }).finish();
  }

  refuse(): void {
    this.refused = true;
  }
}

const hexOf = (byte: number) => byte.toString(16).padStart(2, '0');

let companion: Companion;
let phone: PhonePasskey;
beforeEach(() => {
  companion = new Companion();
  phone = new PhonePasskey();
});

const exchange = () =>
  phone.exchange(companion, {
    companionIdentityPublic: companion.identity,
    advSecret: companion.advSecret,
  });

describe('a companion that is what it says', () => {
  it('is linked by the keys that it has sealed, and the phone shows its code meanwhile', async () => {
    const shown = phone.waitForCode(5_000);
    await expect(exchange()).resolves.toMatchObject({
      ref: REF,
      companionIdentityPublic: companion.identity,
    });
    expect((await shown).code.replace('-', '')).toBe(companion.code);
    expect((await shown).proved).toBe(true);
    expect(phone.shown).toBeNull();
    expect(companion.refused).toBe(false);
  });
});

describe('a companion that lies is refused', () => {
  it.each<[string, () => void]>([
    [
      'handoff_mismatch',
      () => {
        companion.proves = randomBytes(32);
      },
    ],
    [
      'commitment_mismatch',
      () => {
        companion.nonce = randomBytes(32);
      },
    ],
    [
      'commitment_mismatch',
      () => {
        companion.nonce = Buffer.alloc(3);
        companion.committedTo = companion.nonce;
      },
    ],
    [
      'identity_mismatch',
      () => {
        companion.namesItself = randomBytes(32);
      },
    ],
  ])('%s', async (reason, lie) => {
    lie();
    await expect(exchange()).rejects.toMatchObject({ reason });
    expect(companion.refused).toBe(true);
  });

  it('what it has sealed under another key cannot be opened', async () => {
    companion.sealed = randomBytes(80);
    await expect(exchange()).rejects.toMatchObject({ reason: 'pairing_request_unreadable' });
  });

  it('without a proof the owner is asked', async () => {
    companion.proves = null;
    phone.codes = 'refuse';
    await expect(exchange()).rejects.toMatchObject({ reason: 'passkey_refused' });
    expect(companion.refused).toBe(true);
  });
});

/**
 * The arithmetic of the passkey step ("Shortcake"): a commitment to a nonce, a key agreed with the phone, and a short
 * code that both sides can show. Seen in whatsmeow pair-passkey.go and zapo shortcake-crypto.ts.
 */
import {
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { proto } from '../library.ts';

const KEY_BYTES = 32;
const CODE_BYTES = 5;
/** Crockford's digits without 0, as for pairing codes (whatsmeow pair-code.go linkingBase32). */
const CODE_DIGITS = '123456789ABCDEFGHJKLMNPQRSTVWXYZ';
const DIGIT_BITS = 5n;
const CODE_DIGITS_LENGTH = 8;

/** What the phone answers with: an X25519 key of its own and a nonce, 32 bytes each. */
export interface PrimaryIdentity {
  readonly publicKey: Uint8Array;
  readonly nonce: Uint8Array;
}

/** An X25519 pair for one linking. */
export interface EphemeralPair {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Buffer;
}

export function ephemeralPair(): EphemeralPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url') };
}

/** From the ADV secret that the phone has read off the QR, or agreed on by the code. */
export function handoffKey(advSecret: Uint8Array): Buffer {
  return derived(advSecret, new Uint8Array(), 'shortcake-passkey-handoff-v1');
}

/** Proves to the phone that the device which it scanned is the one that answers. */
export function handoffProof(key: Uint8Array, prologue: Uint8Array): Buffer {
  return createHmac('sha256', key).update(prologue).digest();
}

/**
 * The encoded `ProloguePayload`: who the device is for this linking, and the hash by which it is bound to a nonce
 * before it has seen the phone's, so that neither side can choose the code.
 */
export function prologuePayload(input: {
  publicKey: Uint8Array;
  deviceType: proto.DeviceProps.PlatformType;
  ref: string;
  nonce: Uint8Array;
}): Uint8Array {
  const { publicKey, deviceType, ref, nonce } = input;
  const identity = proto.CompanionEphemeralIdentity.encode({ publicKey, deviceType, ref }).finish();
  const hash = createHash('sha256').update(identity).update(nonce).digest();
  return proto.ProloguePayload.encode({
    companionEphemeralIdentity: identity,
    commitment: { hash },
  }).finish();
}

/** `XXXX-XXXX`, as the phone shows it. */
export function verificationCode(companionNonce: Uint8Array, primary: PrimaryIdentity): string {
  const digest = createHash('sha256').update(companionNonce).update(primary.publicKey).digest();
  let value = 0n;
  for (let at = 0; at < CODE_BYTES; at += 1) {
    value = (value << 8n) | BigInt((primary.nonce[at] ?? 0) ^ digest.readUInt8(at));
  }
  let digits = '';
  for (let at = 0; at < CODE_DIGITS_LENGTH; at += 1) {
    digits = CODE_DIGITS.charAt(Number(value & 31n)) + digits;
    value >>= DIGIT_BITS;
  }
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** The key that seals the pairing request. Throws for a public key that gives no secret (of low order). */
export function pairingKey(input: {
  privateKey: KeyObject;
  primaryPublicKey: Uint8Array;
  deviceType: proto.DeviceProps.PlatformType;
  ref: string;
}): Buffer {
  const { privateKey, primaryPublicKey, deviceType, ref } = input;
  const x = Buffer.from(primaryPublicKey).toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  const salt = Buffer.from(`Companion Pairing ${deviceType} with ref ${ref}`);
  return derived(diffieHellman({ privateKey, publicKey }), salt, 'Pairing Information Encryption Key');
}

/** The encoded `EncryptedPairingRequest`: AES-256-GCM with a `iv` of 12 bytes, the tag behind the ciphertext. */
export function sealedPairingRequest(key: Uint8Array, iv: Uint8Array, request: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const encryptedPayload = Buffer.concat([cipher.update(request), cipher.final(), cipher.getAuthTag()]);
  return proto.EncryptedPairingRequest.encode({ encryptedPayload, iv }).finish();
}

function derived(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, KEY_BYTES));
}

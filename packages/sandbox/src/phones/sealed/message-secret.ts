import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { proto } from 'baileys';
import { contentOf } from '../message-content.ts';

/** What is sealed under a message's secret, by the names that go into the key (whatsmeow msgsecret.go). */
export type SecretUse =
  | 'Poll Vote'
  | 'Message Edit'
  | 'Event Edit'
  | 'Poll Edit'
  | 'Poll Add Option'
  | 'Enc Reaction'
  | 'Enc Comment'
  | 'Event Response';

/** The message whose secret is used, its author and the one who seals, by their bare JIDs. */
export interface SealedAbout {
  readonly id: string;
  readonly message: proto.IMessage;
  readonly author: string;
  readonly writer: string;
}

export interface SealedValue {
  readonly encPayload: Uint8Array;
  readonly encIv: Uint8Array;
}

const TAG_BYTES = 16;

/** 32 bytes that the message carries, within its wrappers or outside of them. */
function secretOf(message: proto.IMessage): Uint8Array {
  const secret =
    message.messageContextInfo?.messageSecret ?? contentOf(message).messageContextInfo?.messageSecret;
  if (!secret) throw new Error('the message carries no secret');
  return secret;
}

/** HKDF with SHA-256, no salt and one block of output (RFC 5869). */
function derived(secret: Uint8Array, info: string): Buffer {
  const base = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
  return createHmac('sha256', base)
    .update(Buffer.concat([Buffer.from(info), Buffer.from([1])]))
    .digest();
}

interface SealKey {
  key: Buffer;
  /** What the ciphertext is bound to. */
  bound: Buffer;
}

/** Some uses bind the ciphertext to its writer. */
function keyOf(use: SecretUse, { id, message, author, writer }: SealedAbout): SealKey {
  const binds = use === 'Poll Vote' || use === 'Event Response';
  return {
    key: derived(secretOf(message), `${id}${author}${writer}${use}`),
    bound: binds ? Buffer.from(`${id}\u0000${writer}`) : Buffer.alloc(0),
  };
}

/**
 * What an assistant answers to a message: sealed under what it was told of the message's secret; `id` is that of the
 * answer (whatsmeow msgsecret.go `decryptBotMessage`).
 */
export function sealAnswer(about: SealedAbout, plaintext: Uint8Array): SealedValue {
  const { id, message, author, writer } = about;
  const told = derived(secretOf(message), 'Bot Message');
  const key = derived(told, `${id}${author}${writer}`);
  return sealWith({ key, bound: Buffer.from(`${id}\u0000${writer}`) }, plaintext);
}

/** AES-256-GCM, the tag behind the ciphertext. */
export function seal(use: SecretUse, about: SealedAbout, plaintext: Uint8Array): SealedValue {
  return sealWith(keyOf(use, about), plaintext);
}

function sealWith({ key, bound }: SealKey, plaintext: Uint8Array): SealedValue {
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv).setAAD(bound);
  return {
    encPayload: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]),
    encIv,
  };
}

/** The inverse; throws when a name, the secret or the use is another. */
export function unseal(use: SecretUse, about: SealedAbout, { encPayload, encIv }: SealedValue): Buffer {
  const { key, bound } = keyOf(use, about);
  const cut = encPayload.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, encIv, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound).setAuthTag(encPayload.subarray(cut));
  return Buffer.concat([decipher.update(encPayload.subarray(0, cut)), decipher.final()]);
}

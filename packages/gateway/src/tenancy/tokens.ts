/** Bearer tokens: shown once, stored as a hash, recognised without a query while they are in use. */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface NewToken {
  /** UUID v4: 122 random bits. Given to its owner and then forgotten. */
  token: string;
  hash: string;
  preview: string;
}

export function newToken(): NewToken {
  const token = randomUUID();
  return { token, hash: hashToken(token), preview: token.slice(0, 8) };
}

/** SHA-256, hex. A random token needs no slow hash: there is nothing to guess from. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token.toLowerCase(), 'utf8').digest('hex');
}

export function looksLikeUuid(text: string): boolean {
  return UUID.test(text);
}

/** Compares two secrets of any length without telling by its duration where they differ. */
export function sameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(one), digest(other));
}

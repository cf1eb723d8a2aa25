import { createHash } from 'node:crypto';

/** Bytes that are the same each time. */
export function bytesFrom(seed: string, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let n = 0; n * 32 < length; n += 1) parts.push(createHash('sha256').update(`${seed} ${n}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

/** With one bit changed. */
export function flipped(bytes: Uint8Array, at: number): Buffer {
  const changed = Buffer.from(bytes);
  const index = at < 0 ? bytes.length + at : at;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}

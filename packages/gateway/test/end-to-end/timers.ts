/** When a message disappears, as the phone that decrypted it reads. */
import type { Json } from './harness.ts';

export interface Timer {
  expiration: number;
  setAt: number;
}

/** The timer in a message's content, wherever its context stands; null when it stays. */
export function timerIn(message: Json): Timer | null {
  for (const [name, part] of Object.entries<Json>(message ?? {})) {
    if (name === 'quotedMessage' || typeof part !== 'object' || part === null) continue;
    if (name === 'contextInfo') {
      if (!part.expiration) return null;
      return { expiration: part.expiration, setAt: Number(part.ephemeralSettingTimestamp ?? 0) };
    }
    const found = part instanceof Uint8Array ? null : timerIn(part);
    if (found) return found;
  }
  return null;
}

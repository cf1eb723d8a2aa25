import { createHmac } from 'node:crypto';
import { type BinaryNode, isLidUser, type SignalDataSet, type SignalKeyStore } from '../library.ts';
import { goodToken } from './chat-tokens.ts';

/** Kept among the keys of the device: gone with them when it is linked anew. The library does not know it. */
const KEY_TYPE = 'nct-salt';
const OWN = 'own';
/** More is nothing that a phone sends (32 bytes). */
const MOST_BYTES = 1024;

/** Keeps the account's secret about whom it writes to, which its phone tells with the history. */
export async function storeContactSecret(keys: SignalKeyStore, secret: Uint8Array): Promise<void> {
  if (secret.length === 0 || secret.length > MOST_BYTES) return;
  const kept: SignalDataSet & Record<typeof KEY_TYPE, object> = {
    [KEY_TYPE]: { [OWN]: new Uint8Array(secret) },
  };
  await keys.set(kept);
}

/**
 * What shows the server that the account itself writes to somebody of whom it has no token, to go with the message:
 * HMAC-SHA256 of their LID under the account's secret (whatsmeow cstoken.go generateCsToken, send.go sendDM). With
 * neither, a first message is refused with 463 (WAHA issue 1992, Baileys pull request 2438). Empty while the secret is
 * not known, and for anybody without a LID.
 * @param now milliseconds
 */
export async function proofOfContact(
  keys: Pick<SignalKeyStore, 'get'>,
  to: string,
  now: number,
): Promise<BinaryNode[]> {
  if (!isLidUser(to) || (await goodToken(keys, { jid: null, lid: to }, now))) return [];
  const found: Record<string, unknown> = await keys.get(KEY_TYPE as 'session', [OWN]);
  const secret = found[OWN];
  if (!(secret instanceof Uint8Array)) return [];
  return [{ tag: 'cstoken', attrs: {}, content: createHmac('sha256', secret).update(to).digest() }];
}

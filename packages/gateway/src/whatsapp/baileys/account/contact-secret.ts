import { createHmac } from 'node:crypto';
import { type BinaryNode, isLidUser, type SignalDataSet, type SignalKeyStore } from '../library.ts';
import { delimitedField } from '../parse/protobuf-fields.ts';
import type { AppStateMutation } from './app-state-patch.ts';
import { goodToken } from './chat-tokens.ts';

/** Kept among the keys of the device: gone with them when it is linked anew. The library does not know it. */
export const CONTACT_SECRET_KEYS = 'nct-salt';
export const OWN_CONTACT_SECRET = 'own';
/** More is nothing that a phone sends (32 bytes). */
export const LONGEST_CONTACT_SECRET = 1024;

/** What the state of the account calls it, and the fields of its action (whatsmeow appstate.go dispatchAppState). */
const ENTRY = 'nct_salt_sync';
const ACTION = 80;
const SALT = 1;

/** Keeps the account's secret about whom it writes to, as its phone tells it with the history. */
export async function storeContactSecret(keys: SignalKeyStore, secret: Uint8Array): Promise<void> {
  if (secret.length === 0 || secret.length > LONGEST_CONTACT_SECRET) return;
  await write(keys, new Uint8Array(secret));
}

/** The same from the account's state, where the phone changes it and takes it away; other changes are none of it. */
export async function followContactSecret(
  keys: SignalKeyStore,
  { index, operation, bytes }: AppStateMutation,
): Promise<void> {
  if (index.length !== 1 || index[0] !== ENTRY) return;
  const action = delimitedField(bytes, ACTION);
  const secret = action && delimitedField(action, SALT);
  if (operation === 'remove') await write(keys, null);
  else if (secret) await storeContactSecret(keys, secret);
}

async function write(keys: SignalKeyStore, secret: Uint8Array | null): Promise<void> {
  const kept: SignalDataSet & Record<typeof CONTACT_SECRET_KEYS, object> = {
    [CONTACT_SECRET_KEYS]: { [OWN_CONTACT_SECRET]: secret },
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
  const found: Record<string, unknown> = await keys.get(CONTACT_SECRET_KEYS as 'session', [
    OWN_CONTACT_SECRET,
  ]);
  const secret = found[OWN_CONTACT_SECRET];
  if (!(secret instanceof Uint8Array)) return [];
  return [{ tag: 'cstoken', attrs: {}, content: createHmac('sha256', secret).update(to).digest() }];
}

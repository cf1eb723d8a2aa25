/** Keeping the limits that WhatsApp set for an account: a message that would begin a chat is not even tried. */
import type { Clock } from '../clock.ts';
import { namesPerson, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { AccountLimit } from '../whatsapp/port/account.ts';
import { accountLimited } from '../whatsapp/port/app-errors.ts';
import type { Recipient } from './recipients.ts';

export interface LimitParts {
  archive: MessageArchive;
  clock: Clock;
  /** The limit that the device is under, if any. */
  limitOf(device: MessageDevice): AccountLimit | null;
}

/**
 * Throws ACCOUNT_LIMITED when the account may not begin chats and the message would begin one. Another attempt
 * would count as one more reach-out and make it worse (Baileys messages-recv.js, on 463).
 */
export async function assertMayWrite(
  { archive, clock, limitOf }: LimitParts,
  device: MessageDevice,
  recipient: Recipient,
): Promise<void> {
  const limit = limitOf(device);
  if (!limit || limit.until <= clock.now() || !isPerson(recipient)) return;
  if (sameIdentity(recipient.chat, device) || (await archive.chats.hasChat(device, recipient.chat))) return;
  throw accountLimited(limit, clock.now());
}

/** A chat of two. */
export function isPerson({ isGroup, to }: Recipient): boolean {
  return !isGroup && namesPerson(to);
}

/** What editing, deleting and pinning have in common: another message changes a stored one. */
import type { Clock } from '../clock.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { Composed } from '../sending/content.ts';
import { type Delivered, deliver, type SendAttempt } from '../sending/delivery.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { type CopyOnDevice, chatToSendTo, type MessageCopies } from './message-copies.ts';

export interface ChangingParts {
  copies: MessageCopies;
  archive: MessageArchive;
  clock: Clock;
}

/** Sends the change to the chat of what it changes; `session` is that of the copy's device. Throws what sending throws. */
export function sendChange(
  archive: MessageArchive,
  session: WhatsAppSession,
  change: { found: CopyOnDevice; composed: Composed; attempt: SendAttempt | undefined },
): Promise<Delivered> {
  const { target, device } = change.found;
  const { composed, attempt } = change;
  return deliver(archive, { session, device, recipient: chatToSendTo(target), composed, attempt });
}

/** Which messages may still be deleted for everyone. */
import { AppError } from '../../errors.ts';
import { isNewsletter } from '../../identity/jid.ts';
import { statusOf } from '../incoming-receipts.ts';
import { NOT_SHOWN } from '../shown-kinds.ts';
import type { StoredMessage } from '../stored-message.ts';
import { POST_WINDOW_MS } from './edit-rules.ts';

/**
 * How long after sending WhatsApp deletes a message for everyone: two days and twelve hours, as announced
 * for its clients in August 2022. The server takes a later one too, but receiving clients leave the message
 * where it is, so an answer of success would be untrue.
 */
export const DELETE_WINDOW_MS = 60 * 3600_000;

/** False once the time for deleting it for everyone is over at `now` (milliseconds). */
export function withinDeleteWindow(message: StoredMessage, now: number): boolean {
  const window = isNewsletter(message.chatJid) ? POST_WINDOW_MS : DELETE_WINDOW_MS;
  return now - message.timestamp <= window;
}

/** Throws NOT_DELETABLE or DELETE_WINDOW_EXPIRED unless it can be deleted for everyone at `now`. */
export function assertDeletable(message: StoredMessage, now: number): void {
  if (message.revokedAt !== null) {
    throw new AppError('NOT_DELETABLE', { message: 'the message is deleted already' });
  }
  if (message.fromMe && statusOf(message) === 'failed') {
    throw new AppError('NOT_DELETABLE', { message: 'the message was never sent' });
  }
  if (NOT_SHOWN.includes(message.kind)) {
    throw new AppError('NOT_DELETABLE', {
      message: `a message of kind ${message.kind} cannot be deleted for everyone`,
    });
  }
  if (!withinDeleteWindow(message, now)) throw new AppError('DELETE_WINDOW_EXPIRED');
}

/** Which messages may still be edited. */
import { AppError } from '../../errors.ts';
import { isNewsletter } from '../../identity/jid.ts';
import type { MessageKind } from '../../whatsapp/port/content.ts';
import { statusOf } from '../incoming-receipts.ts';
import type { StoredMessage } from '../stored-message.ts';

/**
 * How long after sending WhatsApp takes an edit: 20 minutes (whatsmeow send.go `EditWindow`). Official
 * clients stop offering it after 15; the rest is tolerance for edits that travel late.
 */
export const EDIT_WINDOW_MS = 20 * 60_000;

/**
 * The same for a post in a channel, and for taking it back: 30 days, after which WhatsApp deletes it from its servers
 * (blog.whatsapp.com "Introducing WhatsApp Channels Globally", September 2023).
 */
export const POST_WINDOW_MS = 30 * 24 * 3600_000;

const TEXT_KINDS: readonly MessageKind[] = ['text'];
const CAPTION_KINDS: readonly MessageKind[] = ['image', 'video', 'document'];

/** True when what is edited is the caption of a file rather than a text. */
export function hasCaption(kind: MessageKind): boolean {
  return CAPTION_KINDS.includes(kind);
}

/**
 * Throws NOT_EDITABLE or EDIT_WINDOW_EXPIRED unless this message of ours can be edited at `now`
 * (milliseconds).
 */
export function assertEditable(message: StoredMessage, now: number): void {
  if (message.revokedAt !== null) {
    throw new AppError('NOT_EDITABLE', { message: 'the message was deleted' });
  }
  if (statusOf(message) === 'failed') {
    throw new AppError('NOT_EDITABLE', { message: 'the message was never sent' });
  }
  if (!TEXT_KINDS.includes(message.kind) && !hasCaption(message.kind)) {
    throw new AppError('NOT_EDITABLE', {
      message: `only text and captions can be edited, not a message of kind ${message.kind}`,
    });
  }
  if (message.context.viewOnce) {
    throw new AppError('NOT_EDITABLE', { message: 'a view-once message cannot be edited' });
  }
  const window = isNewsletter(message.chatJid) ? POST_WINDOW_MS : EDIT_WINDOW_MS;
  if (now - message.timestamp > window) throw new AppError('EDIT_WINDOW_EXPIRED');
}

/** Which messages may be passed on to another chat. */
import { AppError } from '../../errors.ts';
import { isMediaKind } from '../../media/keys.ts';
import type { MessageKind } from '../../whatsapp/port/content.ts';
import type { StoredMessage } from '../stored-message.ts';

/** What stands by itself. Polls, events and buttons belong to the chat that they were made in. */
const KINDS: readonly MessageKind[] = ['text', 'location', 'contact', 'contacts'];

/** Throws NOT_FORWARDABLE, saying why. */
export function assertForwardable(message: StoredMessage): void {
  const because = reason(message);
  if (because) throw new AppError('NOT_FORWARDABLE', { message: because });
}

function reason({ kind, revokedAt, context }: StoredMessage): string | null {
  if (revokedAt !== null) return 'the message was deleted';
  if (context.viewOnce) return 'a view-once message cannot be forwarded';
  if (kind === 'undecryptable')
    return 'the message could not be read: POST /messages/{id}/retry asks for it again';
  // The picture of a pack of stickers is under the key of its file: it would be lost with a new one.
  const isFile = isMediaKind(kind) && kind !== 'sticker_pack';
  if (!KINDS.includes(kind) && !isFile) return `a message of kind ${kind} cannot be forwarded`;
  return null;
}

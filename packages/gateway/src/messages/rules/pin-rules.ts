/** Which messages may be pinned in their chat. */
import { AppError } from '../../errors.ts';
import { isNewsletter } from '../../identity/jid.ts';
import { statusOf } from '../incoming-receipts.ts';
import { NOT_SHOWN } from '../shown-kinds.ts';
import type { StoredMessage } from '../stored-message.ts';

/** Throws NOT_PINNABLE, saying why. */
export function assertPinnable(message: StoredMessage): void {
  const because = reason(message);
  if (because) throw new AppError('NOT_PINNABLE', { message: because });
}

function reason(message: StoredMessage): string | null {
  if (message.revokedAt !== null) return 'the message was deleted';
  if (message.fromMe && statusOf(message) === 'failed') return 'the message was never sent';
  if (isNewsletter(message.chatJid)) return 'channels have no pinned messages';
  if (message.chatJid.endsWith('@broadcast')) return 'broadcasts have no pinned messages';
  if (NOT_SHOWN.includes(message.kind)) return `a message of kind ${message.kind} cannot be pinned`;
  return null;
}

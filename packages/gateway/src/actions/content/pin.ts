import type { StoredMessage } from '../../messages/stored-message.ts';
import type { Composed } from '../../sending/content.ts';
import { storedMessageKey } from '../../sending/message-key.ts';

/** waE2E.PinInChatMessage.Type. */
const PIN_FOR_ALL = 1;
const UNPIN_FOR_ALL = 2;

export interface Pin {
  target: StoredMessage;
  /** Seconds for which it stays on top of the chat; null takes it down. */
  seconds: number | null;
  /** Milliseconds. */
  now: number;
}

/**
 * Pins a message for everyone in its chat, or takes it down (Baileys Utils/messages.js, `pin`). The server tells it
 * by the stanza's `edit`: 2 (whatsmeow types/message.go EditAttributePinInChat).
 */
export function pinMessage({ target, seconds, now }: Pin): Composed {
  return {
    kind: 'pin',
    text: null,
    targetId: target.messageId,
    ...(target.fromMe ? {} : { targetSender: target.senderJid }),
    editAttribute: '2',
    message: {
      pinInChatMessage: {
        key: storedMessageKey(target),
        type: seconds === null ? UNPIN_FOR_ALL : PIN_FOR_ALL,
        senderTimestampMs: now,
      },
      messageContextInfo: { messageAddOnDurationInSecs: seconds ?? 0 },
    },
  };
}

import type { StoredMessage } from '../../messages/stored-message.ts';
import type { Composed } from '../../sending/content.ts';
import { storedMessageKey } from '../../sending/message-key.ts';

/** waE2E.ProtocolMessage.Type.REVOKE. */
const REVOKE = 0;

/**
 * "Delete for everyone" of `target` (whatsmeow send.go `BuildRevoke`). The server reads of the stanza's
 * `edit` whether its author does it, `7`, or an admin of the group, `8` (types/message.go
 * EditAttributeSenderRevoke, EditAttributeAdminRevoke).
 */
export function revokeMessage(target: StoredMessage): Composed {
  return {
    kind: 'revoke',
    text: null,
    targetId: target.messageId,
    ...(target.fromMe ? {} : { targetSender: target.senderJid, byAdmin: true }),
    editAttribute: target.fromMe ? '7' : '8',
    message: { protocolMessage: { key: storedMessageKey(target), type: REVOKE } },
  };
}

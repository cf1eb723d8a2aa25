import { member } from '../../messages/details/wire-content.ts';
import type { StoredMessage } from '../../messages/stored-message.ts';
import type { Composed } from '../../sending/content.ts';
import { unwrapped } from '../../whatsapp/port/envelopes.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';

/** waE2E.ProtocolMessage.Type.MESSAGE_EDIT. */
const MESSAGE_EDIT = 14;

const CAPTIONED = ['imageMessage', 'videoMessage', 'documentMessage'] as const;

/**
 * The edit of `target`, whose content was `original`. Edits travel in `editedMessage` round a protocol
 * message that names the target (whatsmeow send.go `BuildEdit`), in a stanza with `edit="1"` (`types/
 * message.go` EditAttributeMessageEdit). The new content is a whole one: a caption keeps its file.
 */
export function editMessage(input: {
  target: StoredMessage;
  original: WireMessage;
  text: string;
  /** Milliseconds. */
  now: number;
}): Composed {
  const { target, text } = input;
  return {
    kind: 'edit',
    text,
    targetId: target.messageId,
    editAttribute: '1',
    message: {
      editedMessage: {
        message: {
          protocolMessage: {
            key: { remoteJid: target.chatJid, fromMe: true, id: target.messageId },
            type: MESSAGE_EDIT,
            editedMessage: newContent(input.original, text),
            timestampMs: input.now,
          },
        },
      },
    },
  };
}

function newContent(original: WireMessage, text: string): WireMessage {
  const content = unwrapped(original);
  for (const name of CAPTIONED) {
    const file = member(content, name);
    if (!file) continue;
    const edited = { [name]: { ...file, caption: text } };
    return name === 'documentMessage' ? { documentWithCaptionMessage: { message: edited } } : edited;
  }
  // A link preview belongs to the old text; the quote and the mentions stay.
  const contextInfo = member(member(content, 'extendedTextMessage') ?? {}, 'contextInfo');
  return contextInfo ? { extendedTextMessage: { text, contextInfo } } : { conversation: text };
}

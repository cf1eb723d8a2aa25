import type { proto } from 'baileys';
import type { PhoneMessage } from '../inbox.ts';

export interface TextOptions {
  /** The message this one answers. */
  quoted?: PhoneMessage;
  /** Bare JIDs that are mentioned in the text as `@digits`. */
  mentions?: readonly string[];
}

/** What a reply or mention adds to a message; undefined when there is nothing to say. */
export function contextInfo(options: TextOptions): proto.IContextInfo | undefined {
  const { quoted, mentions } = options;
  if (!quoted && !mentions?.length) return undefined;
  return {
    ...(mentions?.length ? { mentionedJid: [...mentions] } : {}),
    ...(quoted ? { stanzaId: quoted.id, participant: quoted.from, quotedMessage: quoted.message } : {}),
    // Of a story, which is answered in the chat with its author.
    ...(quoted?.chat.endsWith('@broadcast') ? { remoteJid: quoted.chat } : {}),
  };
}

/** Phones send plain text as `conversation` and anything with context as `extendedTextMessage`. */
export function composeText(text: string, options: TextOptions = {}): proto.IMessage {
  const context = contextInfo(options);
  if (!context) return { conversation: text };
  return { extendedTextMessage: { text, contextInfo: context } };
}

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
  };
}

/** Phones send plain text as `conversation` and anything with context as `extendedTextMessage`. */
export function composeText(text: string, options: TextOptions = {}): proto.IMessage {
  const context = contextInfo(options);
  if (!context) return { conversation: text };
  return { extendedTextMessage: { text, contextInfo: context } };
}

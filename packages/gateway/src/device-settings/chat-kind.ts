/** The kinds of chats that settings tell apart. */
import { isGroupJid, isNewsletter } from '../identity/jid.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';

const CHAT_KINDS = ['people', 'groups', 'newsletters', 'status', 'broadcasts'] as const;
export type ChatKind = (typeof CHAT_KINDS)[number];

/** Those that a device can be deaf to: what people write to it is what it is there for. */
export const IGNORABLE = [
  'groups',
  'newsletters',
  'status',
  'broadcasts',
] as const satisfies readonly ChatKind[];
export type Ignorable = (typeof IGNORABLE)[number];

/** Those whose senders look for the ticks. */
export const READABLE = ['people', 'groups'] as const satisfies readonly ChatKind[];
export type Readable = (typeof READABLE)[number];

/** What came by a broadcast list is of those, whose chat it is in. */
export function kindOfMessage({ chat, content }: Pick<InboundMessage, 'chat' | 'content'>): ChatKind {
  return content.broadcast ? 'broadcasts' : kindOfChat(chat);
}

export function kindOfChat({ jid, lid }: Identity): ChatKind {
  const name = jid ?? lid ?? '';
  if (name === 'status@broadcast') return 'status';
  if (isGroupJid(name)) return 'groups';
  if (isNewsletter(name)) return 'newsletters';
  return name.endsWith('@broadcast') ? 'broadcasts' : 'people';
}

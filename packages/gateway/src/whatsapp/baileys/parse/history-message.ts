import { type Broadcast, isBroadcastList } from '../../port/broadcasts.ts';
import type { Identity } from '../../port/identity.ts';
import type { InboundMessage } from '../../port/messages.ts';
import { STORIES } from '../../port/stories.ts';
import { isJidGroup, isLidUser, type proto } from '../library.ts';
import { cleanTexts } from './clean-text.ts';
import { parseContent } from './content-parser.ts';
import { decodeMessage, hasContent, messageInInfo, withSecret } from './message-bytes.ts';
import { identity, type LidDirectory, type OwnAccount } from './message-source.ts';
import { withPeople } from './people.ts';
import { stampedTime } from './stamped-time.ts';

/** Names within one conversation: a group of hundreds of members writes thousands of messages. */
export class ConversationNames {
  readonly #directory: LidDirectory;
  readonly #members = new Map<string, Promise<Identity>>();

  constructor(directory: LidDirectory) {
    this.#directory = directory;
  }

  /** A conversation is named by one JID, with the other name of a person beside it (Conversation.pnJid, lidJid). */
  chat(conversation: proto.IConversation): Promise<Identity> {
    const other = conversation.pnJid ?? conversation.lidJid ?? undefined;
    return identity(conversation.id ?? '', other || undefined, this.#directory);
  }

  member(jid: string): Promise<Identity> {
    const known = this.#members.get(jid);
    if (known) return known;
    const named = identity(jid, undefined, this.#directory);
    this.#members.set(jid, named);
    return named;
  }
}

/**
 * A message of the past, or null for what is none: notes of the chat itself ("Ana joined", stub types),
 * protocol traffic, and messages that the phone no longer has the content of. `bytes`: the same info as it came,
 * with what our schema does not have; null where they are not known.
 */
export async function historyMessage(
  { info, bytes }: { info: proto.IWebMessageInfo; bytes: Uint8Array | null },
  chat: Identity,
  own: OwnAccount,
  names: ConversationNames,
): Promise<InboundMessage | null> {
  const { key, messageSecret: secret } = info;
  const came = bytes && messageInInfo(bytes);
  if (!key?.id || !came) return null;
  const message = decodeMessage(came);
  if (!hasContent(came, message)) return null;
  // The phone keeps the secret beside the message (WebMessageInfo.messageSecret), under which its changes are sealed.
  const secretBeside = secret?.length && !message.messageContextInfo?.messageSecret ? secret : null;
  const content = await withPeople(parseContent(message), own, (jid) => names.member(jid));
  if (content.kind === 'protocol') return null;
  const isGroup = isJidGroup(chat.jid ?? '') === true;
  const isList = isBroadcastList(chat.jid ?? '');
  const isShared = isGroup || isList || chat.jid === STORIES;
  const fromMe = key.fromMe === true;
  const author = info.participant || key.participant;
  if ((isGroup || isList) && !fromMe && !author) return null;
  const sender = fromMe ? { ...own } : isShared && author ? await names.member(author) : chat;
  const told = cleanTexts({
    id: key.id,
    chat: isList && !fromMe ? sender : chat,
    sender,
    pushName: info.pushName || null,
    content: { ...content, broadcast: broadcastOf(info) },
  });
  return {
    ...told,
    isGroup,
    fromMe,
    lidAddressed: isLidUser((isShared ? author : key.remoteJid) ?? '') === true,
    timestamp: stampedTime(info.messageTimestamp) ?? 0,
    raw: secretBeside ? withSecret(came, message, secretBeside) : came,
    offline: false,
    source: 'history',
  };
}

/** `broadcast` is set for what came by a list, and for stories; the key may name the chat with its author. */
function broadcastOf({ key, broadcast }: proto.IWebMessageInfo): Broadcast | null {
  const chat = key?.remoteJid ?? '';
  if (isBroadcastList(chat)) return { list: chat };
  return broadcast && chat !== STORIES ? { list: null } : null;
}

/** What Meta AI and other assistants answer: sealed under the secret of the message that asked, and for no session. */
import type { AssistantUse, MessageContent } from '../../port/content.ts';
import { type BinaryNode, getBinaryNodeChild, proto } from '../library.ts';
import { decodeProtobuf, UnreadableProtobuf } from './bounded-protobuf.ts';
import { parseContent } from './content-parser.ts';
import { accountJid } from './message-source.ts';

/** Of an assistant, and of older ones, which are named by numbers of their own (whatsmeow types/jid.go `botUserRegex`). */
const ASSISTANT = /^\d{1,20}@bot$|^(?:1313555\d{4}|131655500\d{2})@s\.whatsapp\.net$/;

/**
 * Whether a stanza, as it came or as it was journaled, is an answer of an assistant. Of others nobody takes such a
 * ciphertext (whatsmeow message.go decryptMessages).
 */
export function isAssistantAnswer(stanza: BinaryNode): boolean {
  const { from = '', participant } = stanza.attrs;
  // The first is the one that the library goes by (messages-recv.js `handleMessage`).
  if (getBinaryNodeChild(stanza, 'enc')?.attrs.type !== 'msmsg') return false;
  return ASSISTANT.test(accountJid(participant ?? from));
}

/** What of the stanza says whom it answers, and which part of an answer it is; and the sealed bytes. */
export function assistantParts(stanza: BinaryNode): { bare: BinaryNode; sealed: Uint8Array } {
  const { tag, attrs } = stanza;
  const content = ['meta', 'bot', 'enc'].flatMap((name) => {
    const child = getBinaryNodeChild(stanza, name);
    return child ? [{ tag: name, attrs: child.attrs }] : [];
  });
  const sealed = getBinaryNodeChild(stanza, 'enc')?.content;
  return {
    bare: { tag, attrs, content },
    sealed: sealed instanceof Uint8Array ? sealed : new Uint8Array(0),
  };
}

export interface AssistantAnswer {
  content: MessageContent;
  /** The seal in a form that a message may have. */
  raw: Uint8Array;
  /** The chat in which the assistant was asked, where that is another one than the one with itself. */
  chat: string | null;
}

/**
 * The answer, closed: who has the message that it answers can open it. An answer grows: a first stanza has its
 * beginning, and each further one, under an id of its own, names that one and has the whole of it so far (whatsmeow
 * types/message.go `MsgBotInfo`).
 */
export function assistantAnswer(stanza: BinaryNode, sealed: Uint8Array): AssistantAnswer {
  const { target_id: id, target_sender_jid: author, target_chat_jid: chat } = attrsOf(stanza, 'meta');
  const { edit, edit_target_id: answer } = attrsOf(stanza, 'bot');
  const isPiece = answer !== undefined && (edit === 'inner' || edit === 'last');
  const value = secretMessage(sealed);
  const targetMessageKey = { id: id ?? null, remoteJid: chat ?? null, participant: author ?? null };
  const use: AssistantUse = isPiece ? 'assistant_piece' : 'assistant_answer';
  return {
    content: {
      ...parseContent({}),
      kind: isPiece ? 'edit' : 'undecryptable',
      targetId: id ?? null,
      targetSender: author ? accountJid(author) : null,
      sealed: value && id ? use : null,
      pieceOf: isPiece ? answer : null,
    },
    raw: value
      ? proto.Message.encode({ secretEncryptedMessage: { targetMessageKey, ...value } }).finish()
      : new Uint8Array(0),
    chat: chat ? accountJid(chat) : null,
  };
}

function attrsOf(stanza: BinaryNode, name: string): BinaryNode['attrs'] {
  return getBinaryNodeChild(stanza, name)?.attrs ?? {};
}

function secretMessage(bytes: Uint8Array): { encIv: Uint8Array; encPayload: Uint8Array } | null {
  try {
    const { encIv, encPayload } = decodeProtobuf(proto.MessageSecretMessage, bytes);
    return encIv && encPayload ? { encIv, encPayload } : null;
  } catch (error) {
    if (error instanceof UnreadableProtobuf) return null;
    throw error;
  }
}

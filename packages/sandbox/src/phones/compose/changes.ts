import { proto } from 'baileys';

const { Type } = proto.Message.ProtocolMessage;

/** Which message a reaction, edit or revoke is about, as its author sees it. */
export interface TargetKey {
  readonly chat: string;
  readonly id: string;
  readonly fromMe: boolean;
  /** The author of the target; needed in groups for messages of others. */
  readonly participant?: string;
}

/** The key as it is written into a message. */
export function messageKey(target: TargetKey): proto.IMessageKey {
  return {
    remoteJid: target.chat,
    fromMe: target.fromMe,
    id: target.id,
    ...(target.participant === undefined ? {} : { participant: target.participant }),
  };
}

/** An empty emoji takes the reaction back. */
export function composeReaction(target: TargetKey, emoji: string): proto.IMessage {
  return { reactionMessage: { key: messageKey(target), text: emoji, senderTimestampMs: Date.now() } };
}

/** The wrapped form of whatsmeow send.go BuildEdit, which is also what phones send. */
export function composeEdit(target: TargetKey, content: proto.IMessage): proto.IMessage {
  return {
    editedMessage: {
      message: {
        protocolMessage: {
          key: messageKey(target),
          type: Type.MESSAGE_EDIT,
          editedMessage: content,
          timestampMs: Date.now(),
        },
      },
    },
  };
}

/** Delete for everyone. */
export function composeRevoke(target: TargetKey): proto.IMessage {
  return { protocolMessage: { key: messageKey(target), type: Type.REVOKE } };
}

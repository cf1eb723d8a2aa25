import { STORIES } from '../../port/stories.ts';
import {
  type BinaryNode,
  encodeSignedDeviceIdentity,
  encodeWAMessage,
  isJidGroup,
  type proto,
  type Socket,
} from '../library.ts';
import { mediaKind, stanzaMeta, stanzaType } from './stanza-kind.ts';

/** `edit` of an edit, a pin, an own and an admin revoke; the asker repeats it (whatsmeow retry.go). */
const EDIT_KINDS = new Set(['1', '2', '7', '8']);

/** Chats that are written to with one key for all: groups, and the chat of stories (whatsmeow message.go parseMessageSource). */
export function sharesSenderKey(chat: string): boolean {
  return isJidGroup(chat) === true || chat === STORIES;
}

/** A message of ours for one device that could not read it. */
export interface Resending {
  /** The retry receipt. */
  receipt: BinaryNode;
  messageId: string;
  count: number;
  /** The device that asks, as the receipt names it. */
  device: string;
  /** It is of our own account. */
  own: boolean;
  /** The chat, as the receipt names it. */
  chatJid: string;
  message: proto.IMessage;
}

/**
 * Sends the message once more to the one device, encrypted for it alone, in the stanza that whatsmeow makes (retry.go
 * handleRetryReceipt). The library's `relayMessage` puts a second ciphertext of it beside, as for a new message.
 */
export async function sendAgain(socket: Socket, resending: Resending): Promise<void> {
  const { receipt, messageId, count, device, message, chatJid } = resending;
  const { signalRepository, authState } = socket;
  const { type, ciphertext } = await signalRepository.encryptMessage({
    jid: device,
    data: encodeWAMessage(await contentFor(socket, resending)),
  });
  const { from = '', participant, recipient, edit } = receipt.attrs;
  const media = mediaKind(message);
  const attrs = { v: '2', type, count: String(count), ...(media ? { mediatype: media } : {}) };
  const content: BinaryNode[] = [{ tag: 'enc', attrs, content: ciphertext }];
  if (type === 'pkmsg' && authState.creds.account) {
    const identity = encodeSignedDeviceIdentity(authState.creds.account, true);
    content.push({ tag: 'device-identity', attrs: {}, content: identity });
  }
  const meta = stanzaMeta(message);
  if (meta) content.push({ tag: 'meta', attrs: meta });
  await socket.sendNode({
    tag: 'message',
    attrs: {
      to: from,
      id: messageId,
      type: stanzaType(message),
      ...(sharesSenderKey(chatJid) ? {} : { device_fanout: 'false' }),
      ...(participant ? { participant } : {}),
      ...(recipient ? { recipient } : {}),
      ...(edit && EDIT_KINDS.has(edit) ? { edit } : {}),
    },
    content,
  });
}

/** In a group, or of a story, with our sender key, which the device may lack; for a device of ours with the chat it was sent to. */
async function contentFor(socket: Socket, { own, chatJid, message }: Resending): Promise<proto.IMessage> {
  if (!sharesSenderKey(chatJid)) {
    return own ? { deviceSentMessage: { destinationJid: chatJid, message } } : message;
  }
  const { signalRepository, authState } = socket;
  const { me } = authState.creds;
  for (const meId of [me?.lid, me?.id]) {
    if (!meId || !(await signalRepository.hasSenderKey({ group: chatJid, meId }))) continue;
    const key = await signalRepository.getSenderKeyDistributionMessage({ group: chatJid, meId });
    const senderKeyDistributionMessage = { groupId: chatJid, axolotlSenderKeyDistributionMessage: key };
    return { ...message, senderKeyDistributionMessage };
  }
  return message;
}

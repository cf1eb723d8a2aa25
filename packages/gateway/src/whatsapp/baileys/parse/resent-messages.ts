import type { JournalEntry } from '../../port/credentials.ts';
import type { InboundMessage } from '../../port/messages.ts';
import { isJidGroup, jidNormalizedUser, proto } from '../library.ts';
import { decodeProtobuf } from './bounded-protobuf.ts';
import { ConversationNames, historyMessage } from './history-message.ts';
import { identity, type LidDirectory, type OwnAccount } from './message-source.ts';

/**
 * The messages in our own phone's answer to a placeholder request: it hands over what this device could
 * not read, or was never given (Baileys process-message.js PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE).
 * Empty for any other journal row; only our own account is believed, for anybody can write such a message.
 */
export async function resentMessages(
  entry: JournalEntry,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<InboundMessage[]> {
  // Decided by the row's id, so that the messages of others are not decoded twice.
  const sender = jidNormalizedUser(entry.id.slice(0, entry.id.indexOf('|')));
  if (!sender || (sender !== own.jid && sender !== own.lid)) return [];
  const { protocolMessage } = decodeProtobuf(proto.Message, entry.plaintext);
  const results = protocolMessage?.peerDataOperationRequestResponseMessage?.peerDataOperationResult ?? [];
  const messages: InboundMessage[] = [];
  for (const { placeholderMessageResendResponse: resent } of results) {
    if (!resent?.webMessageInfoBytes) continue;
    const info = decodeProtobuf(proto.WebMessageInfo, resent.webMessageInfoBytes);
    const chatJid = jidNormalizedUser(info.key?.remoteJid ?? '');
    const chat = isJidGroup(chatJid)
      ? { jid: chatJid, lid: null }
      : await identity(chatJid, undefined, directory);
    const message = await historyMessage(
      { info, bytes: resent.webMessageInfoBytes },
      chat,
      own,
      new ConversationNames(directory),
    );
    if (message) messages.push({ ...message, source: 'phone' });
  }
  return messages;
}

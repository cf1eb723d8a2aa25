import type { ChatTimer } from '../../port/chat-timers.ts';
import type { JournalEntry } from '../../port/credentials.ts';
import { unwrapped } from '../../port/envelopes.ts';
import { proto } from '../library.ts';
import { decodeProtobuf } from './bounded-protobuf.ts';

import { decodeStanza } from './journal-stanza.ts';
import { type LidDirectory, messageSource, type OwnAccount } from './message-source.ts';
import { stampedTime } from './stamped-time.ts';
import { stampOf } from './stanza-time.ts';

/**
 * The timer that a journal row sets for its chat; null for any other row. In a chat of two either side sets it by
 * a message (whatsmeow send.go SetDisappearingTimer, Baileys process-message.js EPHEMERAL_SETTING); what a member
 * writes so into a group counts for nothing, there the server says it.
 */
export async function chatTimer(
  entry: JournalEntry,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<ChatTimer | null> {
  const { stanza, unread } = await decodeStanza(entry.stanza);
  if (unread || stanza.attrs.category === 'peer') return null;
  const { protocolMessage: setting } = unwrapped(
    decodeProtobuf<proto.IMessage>(proto.Message, entry.plaintext),
  );
  if (setting?.type !== proto.Message.ProtocolMessage.Type.EPHEMERAL_SETTING) return null;
  const { chat, isGroup } = await messageSource(stanza, own, directory);
  if (isGroup) return null;
  const sentAt = stampOf(stanza.attrs.t);
  const setAt = Math.min(stampedTime(setting.ephemeralSettingTimestamp) ?? sentAt, sentAt);
  return { chat, seconds: setting.ephemeralExpiration ?? 0, setAt };
}

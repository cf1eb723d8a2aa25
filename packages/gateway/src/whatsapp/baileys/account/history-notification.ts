import type { JournalEntry } from '../../port/credentials.ts';
import { unwrapped } from '../../port/envelopes.ts';
import type { HistoryBatch } from '../../port/history.ts';
import { jidNormalizedUser, proto } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import type { OwnAccount } from '../parse/message-source.ts';

const Kind = proto.Message.HistorySyncType;

/** How the kinds of history are called here; the others bring nothing that is kept. */
const KINDS = new Map<number, HistoryBatch['kind']>([
  [Kind.INITIAL_BOOTSTRAP, 'initial'],
  [Kind.RECENT, 'recent'],
  [Kind.FULL, 'full'],
  [Kind.ON_DEMAND, 'on_demand'],
  [Kind.PUSH_NAME, 'push_names'],
]);

/**
 * The history notification in a journal row, or null for any other message. Only our own account may send
 * one: anybody can put the words into a message (whatsmeow message.go handleProtocolMessage drops them too).
 */
export function historyNotification(
  entry: JournalEntry,
  own: OwnAccount,
): proto.Message.IHistorySyncNotification | null {
  const sender = jidNormalizedUser(entry.id.slice(0, entry.id.indexOf('|')));
  // Decided by the row's id, so that the messages of others are not decoded twice.
  if (!sender || (sender !== own.jid && sender !== own.lid)) return null;
  const decoded = decodeProtobuf(proto.Message, entry.plaintext);
  const message = unwrapped<proto.IMessage>(decoded);
  return message.protocolMessage?.historySyncNotification ?? null;
}

/** Null for a kind without messages: of status posts, call logs, settings nothing is kept, of past members they are. */
export function historyKind(
  notification: proto.Message.IHistorySyncNotification,
): HistoryBatch['kind'] | null {
  return KINDS.get(notification.syncType ?? Kind.INITIAL_BOOTSTRAP) ?? null;
}

/** The past of a group, which a member shares with those who have come since ("share recent messages"). */
import type { Readable } from 'node:stream';
import { createInflate } from 'node:zlib';
import { AccountFileLost } from '../../port/account-files.ts';
import type { JournalEntry } from '../../port/credentials.ts';
import { unwrapped } from '../../port/envelopes.ts';
import type { SharedBy } from '../../port/history.ts';
import type { InboundMessage } from '../../port/messages.ts';
import { mayPass } from '../inbound/may-pass.ts';
import { isJidGroup, proto } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { ConversationNames, historyMessage } from '../parse/history-message.ts';
import { decodeStanza } from '../parse/journal-stanza.ts';
import { decodeMessage } from '../parse/message-bytes.ts';
import {
  accountJid,
  isOwn,
  type LidDirectory,
  messageSource,
  type OwnAccount,
} from '../parse/message-source.ts';
import { fieldsOf } from '../parse/protobuf-fields.ts';
import { stampedTime } from '../parse/stamped-time.ts';
import { stampOf } from '../parse/stanza-time.ts';
import { streamFields } from './protobuf-stream.ts';

/** Fields of GroupHistory, which our schema does not have (whatsmeow WAWebProtobufsGroupHistory.proto). */
const MESSAGES = 1;
/** What belongs to one of them, such as the pictures of an album: in lists of their own. */
const ASSOCIATED = 2;
const COMMENTS = 3;
/** Pinned ones, which may be older than the rest. */
const PINNED = 4;

/**
 * The apps share the last 100 messages of the last 14 days, and of what they are given take no more of each kind and
 * nothing that is twice as old (zapo spec/abprops `group_history_message_count_receiver_upper_limit`,
 * persistence/group-history.ts).
 */
const MOST_OF_EACH = 100;
const OLDEST_MS = 2 * 14 * 24 * 3600_000;

/** A message carries pictures of some kilobytes; a hundred of them are not more than this. A stranger made the file. */
const LONGEST_MESSAGE = 1024 ** 2;
const LONGEST_INFLATED = 32 * 1024 ** 2;

export interface SharedHistory {
  bundle: proto.Message.IMessageHistoryBundle;
  shared: SharedBy;
  /** Milliseconds. */
  sharedAt: number;
}

/** What is shared in a journal row; null for any other message, and for what is not for this account. */
export async function sharedHistory(
  entry: JournalEntry,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<SharedHistory | null> {
  const { stanza, unread } = await decodeStanza(entry.stanza);
  const { from: group = '', t } = stanza.attrs;
  if (unread || !isJidGroup(group)) return null;
  const bundle = unwrapped<proto.IMessage>(decodeMessage(entry.plaintext)).messageHistoryBundle;
  const receivers = (bundle?.messageHistoryMetadata?.historyReceivers ?? []).map(accountJid);
  if (!bundle || !receivers.some((jid) => jid === own.jid || jid === own.lid)) return null;
  const { sender: by, fromMe } = await messageSource(stanza, own, directory);
  return fromMe ? null : { bundle, shared: { group, by }, sharedAt: stampOf(t) };
}

export interface SharedReading extends Pick<SharedHistory, 'shared' | 'sharedAt'> {
  /** The deflated file, from its beginning. */
  open(): Promise<Readable>;
  own(): OwnAccount;
  directory: LidDirectory;
  /** A message is passed over; what is behind it is read. */
  unreadable(error: unknown): void;
}

/** The messages in a file of that kind, in its order. They are as their sharer tells them: nobody else vouches for them. */
export async function* readShared(reading: SharedReading): AsyncGenerator<InboundMessage> {
  const names = new ConversationNames(reading.directory);
  const left = new Map([MESSAGES, ASSOCIATED, COMMENTS, PINNED].map((field) => [field, MOST_OF_EACH]));
  for await (const { field, bytes } of fields(reading, new Set(left.keys()))) {
    for (const info of field === ASSOCIATED ? listed(bytes) : [bytes]) {
      const more = left.get(field) ?? 0;
      if (more === 0) break;
      left.set(field, more - 1);
      const message = await readable(reading, () => sharedMessage(info, field, reading, names));
      if (message) yield message;
    }
  }
}

async function sharedMessage(
  bytes: Uint8Array,
  field: number,
  { shared: { group, by }, sharedAt, own }: SharedReading,
  names: ConversationNames,
): Promise<InboundMessage | null> {
  const info = decodeProtobuf(proto.WebMessageInfo, bytes);
  const { key } = info;
  if (!key || (key.remoteJid && key.remoteJid !== group) || isGone(info, sharedAt)) return null;
  const participant = info.participant || key.participant || (key.fromMe ? (by.lid ?? by.jid) : null);
  const told = { ...info, participant, pushName: null, key: { ...key, fromMe: false } };
  const message = await historyMessage({ info: told, bytes }, { jid: group, lid: null }, own(), names);
  // What the account wrote nobody else tells it.
  if (!message || isOwn(message.sender, own())) return null;
  const age = sharedAt - message.timestamp;
  if (age < 0 || (age > OLDEST_MS && field !== PINNED)) return null;
  return { ...message, source: 'shared' };
}

/** It has disappeared by now. */
function isGone(info: proto.IWebMessageInfo, now: number): boolean {
  const begin = stampedTime(info.ephemeralStartTimestamp) ?? stampedTime(info.messageTimestamp);
  return Boolean(info.ephemeralDuration) && (begin ?? 0) + Number(info.ephemeralDuration) * 1000 <= now;
}

/** The messages of UnCountedAssociatedMessageList. */
function listed(bytes: Uint8Array): Uint8Array[] {
  const fields = (fieldsOf(bytes) ?? []).filter(({ number, delimited }) => number === MESSAGES && delimited);
  return fields.map(({ from, to }) => bytes.subarray(from, to));
}

async function readable<T>(reading: SharedReading, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (mayPass(error)) throw error;
    reading.unreadable(error);
    return null;
  }
}

async function* fields(reading: SharedReading, wanted: ReadonlySet<number>) {
  const source = await reading.open();
  const inflated = source.pipe(createInflate());
  source.on('error', (error) => inflated.destroy(error));
  try {
    yield* streamFields(bounded(inflated), wanted, LONGEST_MESSAGE);
  } finally {
    source.destroy();
    inflated.destroy();
  }
}

async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > LONGEST_INFLATED) throw new AccountFileLost('it inflates to more than a history of a group');
    yield chunk;
  }
}

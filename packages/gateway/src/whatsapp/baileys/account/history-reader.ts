import { Readable } from 'node:stream';
import { createInflate } from 'node:zlib';
import type { ChatTimer } from '../../port/chat-timers.ts';
import type { HistoryBatch, HistoryChat } from '../../port/history.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import type { InboundMessage } from '../../port/messages.ts';
import { mayPass } from '../inbound/may-pass.ts';
import { proto } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { cleanTexts } from '../parse/clean-text.ts';
import { ConversationNames, historyMessage } from '../parse/history-message.ts';
import { infosInConversation } from '../parse/message-bytes.ts';
import type { LidDirectory, OwnAccount } from '../parse/message-source.ts';
import { stampedTime } from '../parse/stamped-time.ts';
import { streamFields } from './protobuf-stream.ts';

/** Messages per batch: one transaction and one `history.sync` event each. */
export const HISTORY_BATCH = 100;
/** A conversation is decoded as a whole; a longer one is passed over. Phones send a few MB per file. */
const MAX_FIELD_BYTES = 64 * 1024 ** 2;

/** Groups whose past members wait for the names behind them. */
const GROUPS_AT_ONCE = 500;
const { REMOVED } = proto.PastParticipant.LeaveReason;
/** Names and mappings written in one commit. */
const NAMES_PER_WRITE = 500;

/** Field numbers of `HistorySync` (WAWebProtobufsHistorySync). */
const CONVERSATIONS = 2;
const PUSH_NAMES = 7;
const PAST_PARTICIPANTS = 12;
const LID_MAPPINGS = 15;
/** Which our schema does not have. */
const CONTACT_SECRET = 19;

/** A phone's contact token for a chat: without it WhatsApp may refuse to open the chat (463). */
export interface ChatToken {
  chat: Jid;
  token: Uint8Array;
  /** Unix seconds. */
  timestamp: number;
  senderTimestamp: number | null;
}

/** What history is good for beside the messages. */
export interface HistorySink {
  lidMappings(pairs: { lid: string; pn: string }[]): Promise<void>;
  pushNames(names: { jid: Jid; name: string }[]): Promise<void>;
  tokens(tokens: ChatToken[]): Promise<void>;
  contactSecret(secret: Uint8Array): Promise<void>;
  pastMembers(group: Jid, members: { jid: Jid; removed: boolean; leftAt: number | null }[]): Promise<void>;
  batch(batch: HistoryBatch): Promise<void>;
}

export interface HistoryReading {
  kind: HistoryBatch['kind'] | null;
  progress: number | null;
  /** The deflated file, from its beginning; called more than once. */
  open(): Promise<Readable>;
  own(): OwnAccount;
  directory: LidDirectory;
  sink: HistorySink;
  tooLong(field: number, bytes: number): void;
  /** A conversation or message is passed over; what is behind it is read. */
  unreadable(error: unknown): void;
}

/**
 * Reads one history file twice, holding one conversation and one batch of it at a time. First who is who,
 * which phones write at the end: the members of groups are named by LIDs that only this tells. Then the
 * conversations. At least one batch is reported, so that an answer to a request is heard even when empty.
 */
export async function readHistory(reading: HistoryReading): Promise<void> {
  const names = await readNames(reading);
  if (reading.kind === null) return;
  const batches = new Batches(reading, names);
  if (reading.kind !== 'push_names') {
    for await (const { bytes } of fields(reading, CONVERSATIONS)) {
      const conversation = await readable(reading, async () => decodeProtobuf(proto.Conversation, bytes));
      if (conversation) await readConversation(conversation, bytes, reading, batches);
    }
  }
  await batches.end();
}

async function readNames(reading: HistoryReading): Promise<number> {
  const { sink } = reading;
  const pairs: { pn: string; lid: string }[] = [];
  const names: { jid: Jid; name: string }[] = [];
  let count = 0;
  const past: Uint8Array[] = [];
  const flush = async (least: number): Promise<void> => {
    if (pairs.length >= least) await sink.lidMappings(pairs.splice(0));
    if (names.length >= least) await sink.pushNames(names.splice(0));
  };
  const wanted = [LID_MAPPINGS, PUSH_NAMES, PAST_PARTICIPANTS, CONTACT_SECRET];
  for await (const { field, bytes } of fields(reading, ...wanted)) {
    if (field === CONTACT_SECRET) await sink.contactSecret(bytes);
    else if (field === PAST_PARTICIPANTS) {
      // Who is who may come behind it.
      past.push(new Uint8Array(bytes));
      if (past.length >= GROUPS_AT_ONCE) await readPastMembers(reading, past.splice(0));
    } else if (field === LID_MAPPINGS) {
      const { pnJid, lidJid } = decodeProtobuf(proto.PhoneNumberToLIDMapping, bytes);
      if (pnJid && lidJid) pairs.push({ pn: pnJid, lid: lidJid });
    } else {
      const { id, pushname } = decodeProtobuf(proto.Pushname, bytes);
      if (id && pushname) names.push(cleanTexts({ jid: id, name: pushname }));
      count += 1;
    }
    await flush(NAMES_PER_WRITE);
  }
  await flush(1);
  await readPastMembers(reading, past);
  return count;
}

/** Who left which group, or was put out, before. */
async function readPastMembers(reading: HistoryReading, groups: readonly Uint8Array[]): Promise<void> {
  for (const bytes of groups) {
    const told = await readable(reading, async () => decodeProtobuf(proto.PastParticipants, bytes));
    const { groupJid, pastParticipants = [] } = told ?? {};
    if (!groupJid?.endsWith('@g.us')) continue;
    const members = pastParticipants.flatMap(({ userJid, leaveReason, leaveTs }) =>
      userJid ? [{ jid: userJid, removed: leaveReason === REMOVED, leftAt: stampedTime(leaveTs) }] : [],
    );
    while (members.length > 0) {
      await reading.sink.pastMembers(groupJid, members.splice(0, NAMES_PER_WRITE));
    }
  }
}

async function readConversation(
  conversation: proto.IConversation,
  bytes: Uint8Array,
  reading: HistoryReading,
  batches: Batches,
): Promise<void> {
  const { id, pnJid, lidJid, tcToken, tcTokenTimestamp, tcTokenSenderTimestamp } = conversation;
  if (!id) return;
  const pair = id.endsWith('@lid') ? { lid: id, pn: pnJid } : { lid: lidJid, pn: id };
  if (pair.lid && pair.pn?.endsWith('@s.whatsapp.net')) {
    await reading.sink.lidMappings([{ lid: pair.lid, pn: pair.pn }]);
  }
  if (tcToken?.length && Number(tcTokenTimestamp ?? 0) > 0) {
    const senderTimestamp = tcTokenSenderTimestamp ? Number(tcTokenSenderTimestamp) : null;
    await reading.sink.tokens([
      { chat: id, token: tcToken, timestamp: Number(tcTokenTimestamp), senderTimestamp },
    ]);
  }
  const names = new ConversationNames(reading.directory);
  const chat = await names.chat(conversation);
  const person = !id.endsWith('@g.us');
  await batches.conversation(chatIn(conversation, chat, reading.kind), person, timerIn(conversation, chat));
  // Newest first in the file; events and rows are wanted in the order of time.
  const infos = infosInConversation(bytes);
  const messages = (conversation.messages ?? []).flatMap(({ message: info }, at) =>
    info ? [{ info, bytes: infos[at] ?? null }] : [],
  );
  for (const message of messages.reverse()) {
    const read = await readable(reading, () => historyMessage(message, chat, reading.own(), names));
    if (read) await batches.add(read);
  }
}

/**
 * Muted for ever is -1, in milliseconds as in app state. The answer to a request for older messages tells nothing
 * of the chat itself, and a phone leaves out what is as it is by default.
 */
function chatIn(
  conversation: proto.IConversation,
  chat: Identity,
  kind: HistoryReading['kind'],
): HistoryChat {
  const { name, displayName, archived, pinned, muteEndTime, unreadCount, markedAsUnread } = conversation;
  const lastAt = stampedTime(conversation.conversationTimestamp ?? conversation.lastMsgTimestamp);
  const told = { chat, ...cleanTexts({ name: name || displayName || null }), lastAt };
  if (kind === 'on_demand') {
    return {
      ...told,
      archived: null,
      pinned: null,
      muted: null,
      mutedUntil: null,
      unreadCount: null,
      markedUnread: null,
    };
  }
  const end = Number(muteEndTime ?? 0);
  return {
    ...told,
    archived: archived === true,
    pinned: Number(pinned ?? 0) > 0,
    muted: end !== 0,
    mutedUntil: stampedTime(end / 1000),
    // WhatsApp Web shows -1 for a chat that was marked as unread.
    unreadCount: Math.max(unreadCount ?? 0, 0),
    markedUnread: markedAsUnread === true,
  };
}

/** When it was set is not always told: it was so when the chat was last written in. */
function timerIn(conversation: proto.IConversation, chat: Identity): ChatTimer | null {
  const { ephemeralExpiration, ephemeralSettingTimestamp, conversationTimestamp } = conversation;
  const set = stampedTime(ephemeralSettingTimestamp);
  if (!ephemeralExpiration && set === null) return null;
  return { chat, seconds: ephemeralExpiration ?? 0, setAt: set ?? stampedTime(conversationTimestamp) ?? 0 };
}

/** Null for what cannot be read because of what it is. */
async function readable<T>(reading: HistoryReading, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (mayPass(error)) throw error;
    reading.unreadable(error);
    return null;
  }
}

class Batches {
  readonly #reading: HistoryReading;
  #messages: InboundMessage[] = [];
  #timers: ChatTimer[] = [];
  #chats: HistoryChat[] = [];
  #contacts: number;
  #reported = false;

  constructor(reading: HistoryReading, names: number) {
    this.#reading = reading;
    this.#contacts = names;
  }

  async conversation(chat: HistoryChat, person: boolean, timer: ChatTimer | null): Promise<void> {
    if (timer) this.#timers.push(timer);
    this.#chats.push(chat);
    if (person) this.#contacts += 1;
    if (this.#chats.length >= HISTORY_BATCH) await this.#report();
  }

  async add(message: InboundMessage): Promise<void> {
    this.#messages.push(message);
    if (this.#messages.length >= HISTORY_BATCH) await this.#report();
  }

  async end(): Promise<void> {
    if (!this.#reported || this.#messages.length > 0 || this.#chats.length > 0) await this.#report();
  }

  async #report(): Promise<void> {
    const { kind, progress, sink } = this.#reading;
    if (kind === null) return;
    await sink.batch({
      kind,
      progress,
      messages: this.#messages,
      timers: this.#timers,
      chats: this.#chats,
      contacts: this.#contacts,
    });
    this.#messages = [];
    this.#timers = [];
    this.#chats = [];
    this.#contacts = 0;
    this.#reported = true;
  }
}

async function* fields(reading: HistoryReading, ...wanted: number[]) {
  const source = await reading.open();
  const inflated = source.pipe(createInflate());
  source.on('error', (error) => inflated.destroy(error));
  try {
    yield* streamFields(inflated, new Set(wanted), MAX_FIELD_BYTES, (field, bytes) =>
      reading.tooLong(field, bytes),
    );
  } finally {
    source.destroy();
    inflated.destroy();
  }
}

/** A payload that came inside the notification, as a file. */
export function inlineFile(payload: Uint8Array): () => Promise<Readable> {
  return async () => Readable.from([Buffer.from(payload)]);
}

/** A waE2E.Message from and to the bytes that a sender wrote, which hold more than our schema knows. */
import { contentMembers, unwrapped } from '../../port/envelopes.ts';
import { proto } from '../library.ts';
import { decodeProtobuf } from './bounded-protobuf.ts';
import { type AddedPollOption, addedPollOption } from './content/added-poll-option.ts';
import { type LaterMembers, laterMembers } from './content/later-members.ts';
import { fieldsOf, type RawField } from './protobuf-fields.ts';

/** Field numbers of waE2E.Message (WAWebProtobufsE2E.proto): what is no content, and our own device's copy. */
const SENDER_KEY = 2;
const FAST_RATCHET_KEY = 15;
const CONTEXT = 35;
/** Keys of groups, and what the apps note of a link: our schema has neither. */
const GROUP_ROOT_KEYS = 123;
const ROOT_SECRET = 127;
const LINK_PREVIEW = 130;
const BESIDE_CONTENT = new Set([
  SENDER_KEY,
  FAST_RATCHET_KEY,
  CONTEXT,
  GROUP_ROOT_KEYS,
  ROOT_SECRET,
  LINK_PREVIEW,
]);

/** Members that our schema lacks, of a type that it has: the tag of the newer, and that of the one it is read as. */
const POLL_V6 = 119;
const POLL_V5_TAG = Buffer.from([0xfa, 0x06]);
const DEVICE_SENT = 31;
/** `message` of waE2E.DeviceSentMessage. */
const SENT_MESSAGE = 2;

/** `messages` of Conversation, `message` of HistorySyncMsg and of WebMessageInfo (WAWebProtobufsHistorySync.proto). */
const CONVERSATION_MESSAGES = 2;
const HISTORY_INFO = 1;
const INFO_MESSAGE = 2;

const DEEPEST = 8;

/** With what our schema does not have. */
export type DecodedMessage = proto.Message & { addedPollOption?: AddedPollOption; later?: LaterMembers };

/**
 * Decodes a message. What is in an envelope that our schema does not have yet is taken out of it. Throws
 * UnreadableProtobuf, and nothing else.
 */
export function decodeMessage(bytes: Uint8Array): DecodedMessage {
  const message = decodeProtobuf(proto.Message, bytes);
  if (says(message)) return message;
  const added = within(bytes, DEEPEST, addedPollOption);
  if (added) return Object.assign(message, { addedPollOption: added });
  const later = within(bytes, DEEPEST, laterMembers);
  if (later) return Object.assign(message, { later });
  const older = asOlderForm(bytes);
  if (older) return decodeProtobuf(proto.Message, older);
  const inside = inUnknownEnvelope(bytes, DEEPEST);
  if (!inside) return message;
  inside.messageContextInfo ??= message.messageContextInfo ?? null;
  return inside;
}

/** Whether there is anything in a message beside keys, secrets and times: also what our schema does not have. */
export function hasContent(bytes: Uint8Array, decoded: proto.IMessage): boolean {
  return says(decoded) || holdsSomething(bytes, DEEPEST);
}

/**
 * The message that another device of our account sent, out of its copy for us, and null for other messages. Its
 * secret may be on the copy alone (whatsmeow `UnwrapRaw`), and is taken along.
 */
export function ownCopyBytes(bytes: Uint8Array): Uint8Array | null {
  const fields = fieldsOf(bytes) ?? [];
  const copy = lastField(bytes, DEVICE_SENT);
  const message = copy && lastField(copy, SENT_MESSAGE);
  if (!message) return null;
  const context = fields.findLast(({ number }) => number === CONTEXT);
  if (!context || (fieldsOf(message) ?? []).some(({ number }) => number === CONTEXT)) return message;
  return Buffer.concat([bytes.subarray(context.start, context.to), message]);
}

/** The encoded message in an encoded WebMessageInfo; null when there is none. */
export function messageInInfo(info: Uint8Array): Uint8Array | null {
  return lastField(info, INFO_MESSAGE);
}

/** The encoded WebMessageInfos of an encoded Conversation, one for each of its messages, in their order. */
export function infosInConversation(conversation: Uint8Array): (Uint8Array | null)[] {
  // As many as the phone has: it is our own account's.
  const messages = (fieldsOf(conversation, Number.POSITIVE_INFINITY) ?? []).filter(
    ({ number, delimited }) => number === CONVERSATION_MESSAGES && delimited,
  );
  return messages.map(({ from, to }) => lastField(conversation.subarray(from, to), HISTORY_INFO));
}

/** The message with the secret that its phone keeps beside it; what it says of it itself goes before. */
export function withSecret(bytes: Uint8Array, message: proto.IMessage, secret: Uint8Array): Uint8Array {
  const messageContextInfo = { ...message.messageContextInfo, messageSecret: secret };
  // Of two fields with one number, the later counts (protobuf.dev "Last One Wins").
  return Buffer.concat([bytes, proto.Message.encode({ messageContextInfo }).finish()]);
}

function lastField(bytes: Uint8Array, wanted: number): Uint8Array | null {
  const field = (fieldsOf(bytes) ?? []).findLast(({ number, delimited }) => number === wanted && delimited);
  return field ? bytes.subarray(field.from, field.to) : null;
}

/** A poll of the sixth form is one of the fifth by another number: both tags are of two bytes. */
function asOlderForm(bytes: Uint8Array): Uint8Array | null {
  const poll = (fieldsOf(bytes) ?? []).find(({ number, delimited }) => number === POLL_V6 && delimited);
  if (!poll) return null;
  const copy = Buffer.from(bytes);
  POLL_V5_TAG.copy(copy, poll.start);
  return copy;
}

/** In the message itself, or in an envelope that says nothing else. */
function within<T>(bytes: Uint8Array, left: number, read: (bytes: Uint8Array) => T | null): T | null {
  const here = read(bytes);
  if (here || left === 0) return here;
  for (const field of contentFields(bytes) ?? []) {
    const inside = inEnvelope(bytes.subarray(field.from, field.to));
    const found = inside && within(inside, left - 1, read);
    if (found) return found;
  }
  return null;
}

function says(message: proto.IMessage): boolean {
  return contentMembers(unwrapped(message)).length > 0;
}

function holdsSomething(bytes: Uint8Array, left: number): boolean {
  const fields = contentFields(bytes);
  // A text, or anything else that is no message, is something.
  if (fields === null) return true;
  return fields.some((field) => {
    if (field.to === field.from) return false;
    const inside = left > 0 && inEnvelope(bytes.subarray(field.from, field.to));
    return inside ? holdsSomething(inside, left - 1) : true;
  });
}

function inUnknownEnvelope(bytes: Uint8Array, left: number): proto.Message | null {
  if (left === 0) return null;
  for (const field of contentFields(bytes) ?? []) {
    const content = inEnvelope(bytes.subarray(field.from, field.to));
    const message = content && messageIn(content);
    if (!message) continue;
    const found = says(message) ? message : inUnknownEnvelope(content, left - 1);
    if (found) return found;
  }
  return null;
}

/** FutureProofMessage is `{1: Message}` and nothing else: known by that, whatever its field is called. */
function inEnvelope(value: Uint8Array): Uint8Array | null {
  const [only, ...others] = fieldsOf(value) ?? [];
  if (only?.number !== 1 || !only.delimited || others.length > 0) return null;
  return value.subarray(only.from, only.to);
}

function messageIn(bytes: Uint8Array): proto.Message | null {
  try {
    return decodeProtobuf(proto.Message, asOlderForm(bytes) ?? bytes);
  } catch {
    return null;
  }
}

function contentFields(bytes: Uint8Array): RawField[] | null {
  const fields = fieldsOf(bytes);
  return fields?.filter(({ number, delimited }) => delimited && !BESIDE_CONTENT.has(number)) ?? null;
}

import { proto } from 'baileys';
import { messageKey, type TargetKey } from '../compose/changes.ts';
import type { PhoneMessage } from '../inbox.ts';
import { contentOf } from '../message-content.ts';
import { type SealedAbout, type SealedValue, type SecretUse, seal, unseal } from './message-secret.ts';

const { SecretEncType } = proto.Message.SecretEncryptedMessage;
/** Which the library does not know (whatsmeow WAWebProtobufsE2E.proto). */
const POLL_EDIT: number = 4;
const POLL_ADD_OPTION: number = 5;
/** The tag of `pollAddOptionMessage`, 121, length-delimited; neither does it know that. */
const ADD_OPTION_TAG = Buffer.from([0xca, 0x07]);

const EDITS: ReadonlyMap<unknown, SecretUse> = new Map<unknown, SecretUse>([
  [SecretEncType.MESSAGE_EDIT, 'Message Edit'],
  [POLL_EDIT, 'Poll Edit'],
]);

/** Seals an edit as phones do since May 2026: the whole open message, under the secret of the edited one. */
export function sealEdit(key: TargetKey, about: SealedAbout, edit: proto.IMessage): proto.IMessage {
  const value = sealMessage('Message Edit', about, contentOf(edit));
  return { secretEncryptedMessage: { ...target(key), ...value, secretEncType: SecretEncType.MESSAGE_EDIT } };
}

/** The new form of a calendar event. */
export function sealEventEdit(key: TargetKey, about: SealedAbout, event: proto.IMessage): proto.IMessage {
  const value = sealMessage('Event Edit', about, event);
  return { secretEncryptedMessage: { ...target(key), ...value, secretEncType: SecretEncType.EVENT_EDIT } };
}

/** The new form of a poll. */
export function sealPollEdit(key: TargetKey, about: SealedAbout, poll: proto.IMessage): proto.IMessage {
  const value = sealMessage('Poll Edit', about, poll);
  return { secretEncryptedMessage: { ...target(key), ...value, secretEncType: POLL_EDIT } };
}

/** A further option of a poll: waE2E.PollAddOptionMessage is `{1: key of the poll, 2: the option}`. */
export function sealPollOption(key: TargetKey, about: SealedAbout, optionName: string): proto.IMessage {
  const { targetMessageKey } = target(key);
  const added = Buffer.concat([
    delimited(0x0a, proto.MessageKey.encode(targetMessageKey).finish()),
    delimited(0x12, proto.Message.PollCreationMessage.Option.encode({ optionName }).finish()),
  ]);
  const plain = Buffer.concat([ADD_OPTION_TAG, delimited(null, added)]);
  const value = seal('Poll Add Option', about, plain);
  return { secretEncryptedMessage: { targetMessageKey, ...value, secretEncType: POLL_ADD_OPTION } };
}

/** Bytes with their length, behind a tag: what phones write here is below 16 KiB. */
function delimited(tag: number | null, bytes: Uint8Array): Buffer {
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([...(tag === null ? [] : [tag]), ...length]), bytes]);
}

/** The form of a reaction in announcement groups: what it reacts to is said outside of the seal alone. */
export function sealReaction(key: TargetKey, about: SealedAbout, emoji: string): proto.IMessage {
  const reaction = { text: emoji, senderTimestampMs: Date.now() };
  const plain = proto.Message.ReactionMessage.encode(reaction).finish();
  return { encReactionMessage: { ...target(key), ...seal('Enc Reaction', about, plain) } };
}

/** A comment on a message of an announcement group. */
export function sealComment(key: TargetKey, about: SealedAbout, comment: proto.IMessage): proto.IMessage {
  return { encCommentMessage: { ...target(key), ...sealMessage('Enc Comment', about, comment) } };
}

/** Whether this person comes to an event; there is no open form. */
export function sealEventResponse(
  key: TargetKey,
  about: SealedAbout,
  answer: proto.Message.IEventResponseMessage,
): proto.IMessage {
  const plain = proto.Message.EventResponseMessage.encode({ timestampMs: Date.now(), ...answer }).finish();
  const { targetMessageKey: eventCreationMessageKey } = target(key);
  return { encEventResponseMessage: { eventCreationMessageKey, ...seal('Event Response', about, plain) } };
}

/** The message that a sealed edit, reaction or comment speaks of; undefined for others. */
export function sealedTarget(message: proto.IMessage): string | undefined {
  return sealedPart(contentOf(message))?.id;
}

/**
 * The same change without its seal, when one of the authors' and one of the writers' addresses open it: clients
 * differ in whether they use LIDs or phone numbers. Else undefined.
 */
export function openChange(
  change: proto.IMessage,
  about: PhoneMessage,
  authors: readonly string[],
  writers: readonly string[],
): proto.IMessage | undefined {
  const part = sealedPart(contentOf(change));
  if (!part) return undefined;
  for (const author of authors) {
    for (const writer of writers) {
      try {
        const { id, message } = about;
        return openForm(part, unseal(part.use, { id, message, author, writer }, part.value));
      } catch {
        // Another pair of addresses may fit.
      }
    }
  }
  return undefined;
}

interface SealedPart {
  use: SecretUse;
  id: string;
  key: proto.IMessageKey;
  value: SealedValue;
}

function sealedPart(content: proto.IMessage): SealedPart | undefined {
  const edit = content.secretEncryptedMessage;
  const parts = [
    { use: 'Enc Reaction' as const, part: content.encReactionMessage },
    { use: 'Enc Comment' as const, part: content.encCommentMessage },
    { use: EDITS.get(edit?.secretEncType) ?? ('Event Edit' as const), part: edit },
  ];
  for (const { use, part } of parts) {
    const { targetMessageKey: key, encPayload, encIv } = part ?? {};
    if (key?.id && encPayload && encIv) return { use, id: key.id, key, value: { encPayload, encIv } };
  }
  return undefined;
}

function openForm({ use, key }: SealedPart, plaintext: Buffer): proto.IMessage {
  if (use === 'Enc Reaction') {
    return { reactionMessage: { ...proto.Message.ReactionMessage.decode(plaintext), key } };
  }
  const message = proto.Message.decode(plaintext);
  if (use === 'Enc Comment') return { commentMessage: { message, targetMessageKey: key } };
  if (message.protocolMessage) return { protocolMessage: { ...message.protocolMessage, key } };
  const type = proto.Message.ProtocolMessage.Type.MESSAGE_EDIT;
  return { protocolMessage: { key, type, editedMessage: message } };
}

function sealMessage(use: SecretUse, about: SealedAbout, message: proto.IMessage): SealedValue {
  return seal(use, about, proto.Message.encode(message).finish());
}

function target(key: TargetKey): { targetMessageKey: proto.IMessageKey } {
  return { targetMessageKey: messageKey(key) };
}

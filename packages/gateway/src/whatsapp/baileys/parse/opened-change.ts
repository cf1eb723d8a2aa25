/** What was sealed under a message's secret, once it is open: as bytes of a waE2E.Message, and in our terms. */
import type { EventResponse, MessageContent, SealedUse } from '../../port/content.ts';
import { unwrapped } from '../../port/envelopes.ts';
import type { OpenedChange } from '../../port/wire-message.ts';
import { proto } from '../library.ts';
import { decodeProtobuf, UnreadableProtobuf } from './bounded-protobuf.ts';
import { cleanTexts } from './clean-text.ts';
import { parseContent } from './content-parser.ts';
import { decodeMessage } from './message-bytes.ts';

const { ProtocolMessage, EventResponseMessage } = proto.Message;

/** Null for what cannot be read, or says something else than its use. */
export function openedChange(use: SealedUse, plaintext: Uint8Array): OpenedChange | null {
  try {
    if (use === 'event_response') return { bytes: new Uint8Array(0), content: eventAnswer(plaintext) };
    // Our schema has it not: encoded anew, it would be gone.
    if (use === 'poll_add_option') return addedOption(plaintext);
    if (use === 'assistant_answer' || isOtherThanEdit(use, plaintext)) {
      return { bytes: plaintext, content: cleanTexts(parseContent(decodeMessage(plaintext))) };
    }
    const bytes = proto.Message.encode(openForm(use, plaintext)).finish();
    return { bytes, content: cleanTexts(parseContent(decodeMessage(bytes))) };
  } catch (error) {
    if (error instanceof UnreadableProtobuf) return null;
    throw error;
  }
}

/** A piece of an assistant's answer that is no new form of it: it takes it back, for one. */
function isOtherThanEdit(use: SealedUse, plaintext: Uint8Array): boolean {
  if (use !== 'assistant_piece') return false;
  const { protocolMessage } = unwrapped<proto.IMessage>(decodeMessage(plaintext));
  return protocolMessage != null && !protocolMessage.editedMessage;
}

/** The message as it would have been sent unsealed. */
function openForm(
  use: Exclude<SealedUse, 'event_response' | 'poll_add_option' | 'assistant_answer'>,
  plaintext: Uint8Array,
): proto.IMessage {
  switch (use) {
    case 'reaction':
      return { reactionMessage: decodeProtobuf(proto.Message.ReactionMessage, plaintext) };
    case 'comment':
      return { commentMessage: { message: decodeMessage(plaintext) } };
    case 'message_edit':
    case 'event_edit':
    case 'poll_edit':
    case 'assistant_piece': {
      const { protocolMessage, ...content } = unwrapped<proto.IMessage>(decodeMessage(plaintext));
      // Phones seal the whole edit, others the new content alone.
      const editedMessage = protocolMessage?.editedMessage ?? content;
      return { protocolMessage: { type: ProtocolMessage.Type.MESSAGE_EDIT, editedMessage } };
    }
  }
}

function addedOption(plaintext: Uint8Array): OpenedChange | null {
  const content = cleanTexts(parseContent(decodeMessage(plaintext)));
  return content.kind === 'poll_option' ? { bytes: plaintext, content } : null;
}

const ANSWERS = new Map<number, EventResponse['response']>([
  [EventResponseMessage.EventResponseType.GOING, 'going'],
  [EventResponseMessage.EventResponseType.NOT_GOING, 'not_going'],
  [EventResponseMessage.EventResponseType.MAYBE, 'maybe'],
]);

function eventAnswer(plaintext: Uint8Array): MessageContent {
  const { response, extraGuestCount } = decodeProtobuf(EventResponseMessage, plaintext);
  const answer = ANSWERS.get(response ?? 0) ?? 'unknown';
  const extraGuests = Math.max(0, extraGuestCount ?? 0);
  return {
    ...parseContent({}),
    kind: 'event_response',
    text: answer,
    eventResponse: { response: answer, extraGuests },
  };
}

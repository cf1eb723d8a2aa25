/** Which stored message a request is about: the id in its path, with what tells it from others of that id. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ErrorCode } from '../../errors.ts';
import { normaliseJid } from '../../identity/jid.ts';
import type { MessageName } from '../../identity/message-name.ts';
import { LONGEST_MESSAGE_ID } from '../../sending/message-key.ts';
import { namesOfChat } from '../../sending/recipients.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import { refusing, stated } from '../description/stated.ts';
import { HoldingDevice, selectedDevice } from './device.ts';

/** A message id as a parameter of the path. */
export const MessageIdParam = Type.String({
  description:
    "WhatsApp's id of the message, or its `record_id`. Senders may use an id again: alone it means the message that " +
    'was stored first under it',
  examples: ['3EB0F8A1B2C3D4E5F6'],
});

/** The id of a message as a member of a body. */
export function messageIdText(description: string) {
  return stated(Type.String({ description }), {
    minLength: 1,
    maxLength: LONGEST_MESSAGE_ID,
    pattern: '\\S',
  });
}

/** `record_id` of an answer. */
export const RecordId = Type.String({
  description: 'Our own id of the message, unique; accepted wherever the id of a message is',
  examples: ['0b7f6f0e-6a0c-4c57-9d0c-5f0b8d9a3c21'],
});

/** A chat as a member of a body or query: phone number or JID. */
export function ChatText(options: { description: string; minLength?: number; examples?: string[] }) {
  return refusing('what is no phone number and no JID', Type.String(options));
}

const InChat = Type.Optional(
  ChatText({
    description: 'The chat of the message, by phone number or JID, where another chat has one of the same id',
    examples: ['5511999999999'],
  }),
);

/** Of an operation on a message that is stored. */
export const MessageQuery = Type.Object({ device_id: HoldingDevice, chat: InChat });

/** How finding that message can end. */
export const MESSAGE_FAILURES = [
  'INVALID_RECIPIENT',
  'DEVICE_NOT_FOUND',
  'MESSAGE_NOT_FOUND',
] as const satisfies readonly ErrorCode[];

/** The message `id` as the request narrows it down; throws INVALID_RECIPIENT or VALIDATION_ERROR. */
export function messageName(request: FastifyRequest, id: string): MessageName {
  const chat = chatOf(request.query);
  return {
    id,
    deviceId: selectedDevice(request),
    chat: chat === undefined || chat === '' ? undefined : chatNames(chat),
  };
}

/** The names of a chat as a caller gives it: also of a broadcast list, such as that of stories. */
export function chatNames(text: string): Jid[] {
  const broadcast = text.endsWith('@broadcast') && normaliseJid(text);
  return broadcast ? [broadcast] : namesOfChat(text, 'chat');
}

function chatOf(query: unknown): string | undefined {
  if (typeof query !== 'object' || query === null || !('chat' in query)) return undefined;
  return typeof query.chat === 'string' ? query.chat : undefined;
}

/** Tag `chats`: being online and typing, and hearing of others that they are. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Presences } from '../../../chats/presence.ts';
import { CHAT_CHANGE_FAILURES } from '../../../chats/targets.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { ChatText } from '../../request/message.ts';
import { Jid, OneOf } from '../../schemas.ts';
import { ChatPath } from './schemas.ts';

export interface PresenceParts {
  presences: Presences;
}

/** By the words that callers use; WhatsApp knows two states, and recording as a kind of the first. */
const STATES = {
  typing: 'composing',
  composing: 'composing',
  recording: 'composing',
  paused: 'paused',
  stop: 'paused',
} as const;

const ONLINE = {
  available: 'available',
  online: 'available',
  unavailable: 'unavailable',
  offline: 'unavailable',
} as const;

const words = <K extends string>(of: Record<K, string>) => Object.keys(of) as K[];

export const presenceRoutes: FastifyPluginAsyncTypebox<PresenceParts> = async (app, { presences }) => {
  const shared = { tags: ['chats'], headers: DeviceHeaders, querystring: DeviceQuery };

  app.post(
    '/chats/:jid/typing',
    {
      schema: {
        ...shared,
        operationId: 'sendChatTyping',
        summary: 'Show in a chat that you type or record',
        description:
          'Others see it for some 25 s, or until `paused`, and only while the account is shown as online ' +
          '(`POST /presence`).',
        params: ChatPath,
        body: Type.Object({
          device_id: DeviceId,
          state: OneOf(words(STATES), {
            description: '`typing` and `composing` are the same, as are `paused` and `stop`',
          }),
          media: Type.Optional(
            OneOf(['text', 'audio', 'recording'] as const, {
              default: 'text',
              description: '`audio`, or `recording`: a voice note is being recorded',
            }),
          ),
        }),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            chat_jid: Jid,
            state: OneOf(['composing', 'paused'] as const),
            media: OneOf(['text', 'audio'] as const),
          }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const { state: word, media: kind } = request.body;
      const state = STATES[word];
      const media = word === 'recording' || (kind !== undefined && kind !== 'text') ? 'audio' : 'text';
      const name = { deviceId: selectedDevice(request), jid: request.params.jid };
      const shown = state === 'composing' && media === 'audio' ? 'recording' : state;
      const chat_jid = await presences.type(request.caller, name, shown);
      return { success: true as const, chat_jid, state, media } as const;
    },
  );

  app.post(
    '/presence',
    {
      schema: {
        ...shared,
        operationId: 'sendPresence',
        summary: 'Show the account as online or offline',
        description:
          'Until the device connects again. While it is online, WhatsApp tells the presence of contacts that were ' +
          'subscribed to, and the phone rings less.',
        body: Type.Optional(
          Type.Object({
            device_id: DeviceId,
            state: Type.Optional(OneOf(words(ONLINE), { default: 'available' })),
          }),
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            state: OneOf(['available', 'unavailable'] as const),
          }),
          ...failures('DEVICE_NOT_FOUND', 'DEVICE_AMBIGUOUS', 'KEPT_OFFLINE', ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      const state = ONLINE[request.body?.state ?? 'available'];
      await presences.send(request.caller, selectedDevice(request), state);
      return { success: true as const, state };
    },
  );

  app.post(
    '/presence/subscribe',
    {
      schema: {
        ...shared,
        operationId: 'subscribePresence',
        summary: 'Ask to be told when a contact comes online or goes',
        description:
          'Events `contact.presence` and `chat.presence` tell it, until the device connects again, and only while the ' +
          'account is shown as online. What the contact hides is not told.',
        body: Type.Object({
          device_id: DeviceId,
          jid: ChatText({
            description: 'A phone number, or the JID of a person',
            minLength: 1,
            examples: ['5511999999999'],
          }),
          ensure_online: Type.Optional(
            Type.Boolean({ default: false, description: 'Show the account as online first' }),
          ),
        }),
        response: {
          200: Type.Object({ success: Type.Literal(true), subject_jid: Jid }),
          ...failures(...CHAT_CHANGE_FAILURES, 'KEPT_OFFLINE'),
        },
      },
    },
    async (request) => {
      const { jid, ensure_online: online } = request.body;
      const name = { deviceId: selectedDevice(request), jid };
      const subject = await presences.subscribe(request.caller, name, { online: online === true });
      return { success: true as const, subject_jid: subject };
    },
  );
};

/** Tag `chats`: the list, and one chat, without asking WhatsApp. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Chats } from '../../../chats/chats.ts';
import { CHAT_FAILURES } from '../../../chats/targets.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { CursorText, nextPage } from '../../request/page.ts';
import { OneOf } from '../../schemas.ts';
import { ChatObject, ChatPath, ChatWithTimer, chatObject } from './schemas.ts';

export interface ReadParts {
  chats: Chats;
}

const MOST = 1000;
/** Of a page that is asked for by its cursor alone. */
const USUAL = 100;

const ListQuery = Type.Object({
  device_id: DeviceId,
  q: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'Part of the name, case and accents aside, or at least three digits of the number',
    }),
  ),
  type: Type.Optional(OneOf(['group', 'contact'] as const)),
  unread: Type.Optional(
    Type.Boolean({ description: 'With unread messages or marked as unread, or without' }),
  ),
  archived: Type.Optional(Type.Boolean()),
  pinned: Type.Optional(Type.Boolean()),
  muted: Type.Optional(Type.Boolean()),
  label: Type.Optional(
    Type.String({ maxLength: 20, description: 'Id of a label of a business account that is on the chat' }),
  ),
  cursor: CursorText,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MOST, description: 'Without it and `cursor` all are given' }),
  ),
});

export const readRoutes: FastifyPluginAsyncTypebox<ReadParts> = async (app, { chats }) => {
  const shared = { tags: ['chats'], headers: DeviceHeaders };

  app.get(
    '/chats',
    {
      schema: {
        ...shared,
        operationId: 'getChats',
        summary: "List the account's chats",
        description:
          'Conversations, saved contacts and joined groups, the newest written in first, as the devices of the ' +
          'account show them. From what is stored, also while the device is not connected.',
        querystring: ListQuery,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            chats: Type.Array(ChatObject),
            count: Type.Integer({ description: 'How many are in this answer' }),
            ...nextPage,
          }),
          ...failures('DEVICE_NOT_FOUND', 'DEVICE_AMBIGUOUS'),
        },
      },
    },
    async (request) => {
      const { q, type, unread, archived, pinned, muted, label, cursor, limit } = request.query;
      const page = await chats.list(request.caller, selectedDevice(request), {
        q,
        unread,
        archived,
        pinned,
        muted,
        label,
        groups: type === undefined ? undefined : type === 'group',
        cursor,
        limit: limit ?? (cursor === undefined ? undefined : USUAL),
      });
      const listed = page.chats.map(chatObject);
      return { success: true as const, chats: listed, count: listed.length, next_cursor: page.nextCursor };
    },
  );

  app.get(
    '/chats/:jid',
    {
      schema: {
        ...shared,
        operationId: 'getChat',
        summary: 'Read a chat',
        description: 'Everything that is known of it.',
        params: ChatPath,
        querystring: DeviceQuery,
        response: {
          200: Type.Object({ success: Type.Literal(true), chat: ChatWithTimer }),
          ...failures(...CHAT_FAILURES),
        },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), jid: request.params.jid };
      const { timer, ...listed } = await chats.get(request.caller, name);
      return {
        success: true as const,
        chat: { ...chatObject(listed), ephemeral_seconds: timer?.seconds ?? null },
      };
    },
  );
};

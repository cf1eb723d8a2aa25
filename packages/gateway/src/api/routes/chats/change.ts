/** Tag `chats`: what is set of a chat, on all devices of the account. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ChatChanges } from '../../../chats/changes.ts';
import { CHAT_CHANGE_FAILURES } from '../../../chats/targets.ts';
import { invalidField } from '../../../errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, milliseconds, Nullable } from '../../schemas.ts';
import { ChatPath } from './schemas.ts';

export interface ChangeParts {
  changes: ChatChanges;
}

/** A year; WhatsApp's apps offer eight hours, a week and for ever. */
const LONGEST_MUTE_SECONDS = 365 * 86_400;

const done = { success: Type.Literal(true), chat_jid: Jid };

export const changeRoutes: FastifyPluginAsyncTypebox<ChangeParts> = async (app, { changes }) => {
  const shared = { tags: ['chats'], headers: DeviceHeaders, params: ChatPath, querystring: DeviceQuery };
  const everywhere = 'On all devices of the account; nobody else sees it.';
  const nameOf = (request: Parameters<typeof selectedDevice>[0] & { params: { jid: string } }) => ({
    deviceId: selectedDevice(request),
    jid: request.params.jid,
  });

  for (const pinned of [true, false]) {
    app.route({
      method: pinned ? 'POST' : 'DELETE',
      url: '/chats/:jid/pin',
      schema: {
        ...shared,
        operationId: pinned ? 'pinChat' : 'unpinChat',
        summary: pinned ? 'Pin a chat to the top of the list' : 'Take a chat from the top of the list',
        description: everywhere,
        response: {
          200: Type.Object({ ...done, pinned: Type.Boolean() }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
      handler: async (request) => {
        const chat_jid = await changes.pin(request.caller, nameOf(request), pinned);
        return { success: true as const, chat_jid, pinned };
      },
    });
  }

  app.post(
    '/chats/:jid/mute',
    {
      schema: {
        ...shared,
        operationId: 'muteChat',
        summary: 'Mute or unmute a chat',
        description: everywhere,
        body: Type.Object({
          device_id: DeviceId,
          muted: Type.Boolean({ examples: [true] }),
          duration_seconds: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: LONGEST_MUTE_SECONDS,
              description: 'Default: for ever',
              examples: [28800],
            }),
          ),
        }),
        response: {
          200: Type.Object({
            ...done,
            muted: Type.Boolean(),
            duration_seconds: Nullable(Type.Integer({ description: 'Null: for ever, or not muted' })),
          }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const { muted, duration_seconds: seconds } = request.body;
      const chat_jid = await changes.mute(request.caller, nameOf(request), { muted, seconds });
      return {
        success: true as const,
        chat_jid,
        muted,
        duration_seconds: muted ? (seconds ?? null) : null,
      };
    },
  );

  app.post(
    '/chats/:jid/archive',
    {
      schema: {
        ...shared,
        operationId: 'archiveChat',
        summary: 'Archive or unarchive a chat',
        description:
          `${everywhere} An archived chat is no longer pinned. Where the account is set so, a new message takes ` +
          'it out of the archive.',
        body: Type.Object({
          device_id: DeviceId,
          archived: Type.Boolean({ examples: [true] }),
          last_message_timestamp: Type.Optional(
            refusing(
              'a text that is no time',
              Type.Union([Type.Integer({ minimum: 1 }), Type.String({ maxLength: 40 })], {
                description: 'Of the newest message, Unix seconds or RFC 3339. Default: as stored',
              }),
            ),
          ),
        }),
        response: {
          200: Type.Object({ ...done, archived: Type.Boolean() }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const { archived, last_message_timestamp: given } = request.body;
      const lastAt = lastTime(given);
      const chat_jid = await changes.archive(request.caller, nameOf(request), { archived, lastAt });
      return { success: true as const, chat_jid, archived };
    },
  );

  app.post(
    '/chats/:jid/read',
    {
      schema: {
        ...shared,
        operationId: 'markChatRead',
        summary: 'Mark a chat as read',
        description:
          'On all devices of the account. The authors of up to 256 unread messages get read receipts, unless the ' +
          'account hides them or `receipts` is false.',
        body: Type.Optional(
          Type.Object({
            device_id: DeviceId,
            receipts: Type.Optional(Type.Boolean({ default: true })),
          }),
        ),
        response: {
          200: Type.Object({ ...done, read: Type.Literal(true) }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const receipts = request.body?.receipts !== false;
      const chat_jid = await changes.read(request.caller, nameOf(request), { receipts });
      return { success: true as const, chat_jid, read: true as const };
    },
  );

  app.post(
    '/chats/:jid/unread',
    {
      schema: {
        ...shared,
        operationId: 'markChatUnread',
        summary: 'Mark a chat as unread',
        description: everywhere,
        response: {
          200: Type.Object({ ...done, read: Type.Literal(false) }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const chat_jid = await changes.markUnread(request.caller, nameOf(request));
      return { success: true as const, chat_jid, read: false as const };
    },
  );

  app.post(
    '/chats/:jid/clear',
    {
      schema: {
        ...shared,
        operationId: 'clearChat',
        summary: 'Delete the messages of a chat, on our side',
        description: `${everywhere} No list shows them any more.`,
        body: Type.Optional(
          Type.Object({
            device_id: DeviceId,
            keep_starred: Type.Optional(
              Type.Boolean({ default: false, description: 'Starred messages stay' }),
            ),
          }),
        ),
        response: {
          200: Type.Object({ ...done, cleared: Type.Literal(true) }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const keepsStarred = request.body?.keep_starred === true;
      const chat_jid = await changes.clear(request.caller, nameOf(request), { keepsStarred });
      return { success: true as const, chat_jid, cleared: true as const };
    },
  );

  app.delete(
    '/chats/:jid',
    {
      schema: {
        ...shared,
        operationId: 'deleteChat',
        summary: 'Delete a chat with its messages, on our side',
        description: `${everywhere} It is in the list again once something is written in it. A group is not left.`,
        response: {
          200: Type.Object({ ...done, deleted: Type.Literal(true) }),
          ...failures(...CHAT_CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const chat_jid = await changes.remove(request.caller, nameOf(request));
      return { success: true as const, chat_jid, deleted: true as const };
    },
  );
};

/** Milliseconds. */
function lastTime(given: number | string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = typeof given === 'number' ? given : /^\d{1,15}$/.test(given) ? Number(given) : null;
  // Some count milliseconds.
  if (seconds !== null) return seconds > MOST_SECONDS ? seconds : seconds * 1000;
  const at = milliseconds(String(given));
  if (at !== undefined) return at;
  throw invalidField('last_message_timestamp', 'must be Unix seconds or RFC 3339', given);
}

/** The year 5138. */
const MOST_SECONDS = 100_000_000_000;

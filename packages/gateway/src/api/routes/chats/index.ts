/** Tag `chats`: the list of chats, settings of each, presence. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type ChangeParts, changeRoutes } from './change.ts';
import { type DisappearingParts, disappearingRoutes } from './disappearing.ts';
import { type MessagesOfChatParts, messagesOfChatRoutes } from './messages.ts';
import { type PresenceParts, presenceRoutes } from './presence.ts';
import { type ReadParts, readRoutes } from './read.ts';

export type ChatsParts = ReadParts & ChangeParts & PresenceParts & DisappearingParts & MessagesOfChatParts;

export const chatsRoutes: FastifyPluginAsyncTypebox<ChatsParts> = async (app, parts) => {
  await app.register(readRoutes, parts);
  await app.register(changeRoutes, parts);
  await app.register(presenceRoutes, parts);
  await app.register(disappearingRoutes, parts);
  await app.register(messagesOfChatRoutes, parts);
};

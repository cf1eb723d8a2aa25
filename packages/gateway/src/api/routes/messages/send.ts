/** Tag "messages": every operation under `/send`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { type SendDeps, sendRoute } from './send-kind.ts';
import { mediaKinds } from './send-media.ts';
import { acceptNulls } from './send-request.ts';
import { textKinds } from './send-text.ts';

export const sendRoutes: FastifyPluginAsyncTypebox<SendDeps> = async (app, deps) => {
  acceptNulls(app as unknown as FastifyInstance);
  const route = sendRoute(app as unknown as FastifyInstance, deps);
  textKinds(route);
  mediaKinds(route);
};

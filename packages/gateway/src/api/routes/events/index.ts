/** Tag `events`: for those who pull instead of being pushed to. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { LongRequests, type WatchedAuthenticator } from '../../request/long-requests.ts';
import { type PullParts, pullRoutes } from './pull.ts';
import { type StreamParts, streamRoutes } from './stream.ts';

export interface EventsParts extends Omit<PullParts & StreamParts, 'long'> {
  authenticator: WatchedAuthenticator;
}

export const eventsRoutes: FastifyPluginAsyncTypebox<EventsParts> = async (app, parts) => {
  const long = new LongRequests(parts.authenticator);
  // Polls and streams would otherwise be what the closing server waits for.
  app.addHook('preClose', async () => long.stop());
  await app.register(pullRoutes, { ...parts, long });
  await app.register(streamRoutes, { ...parts, long });
};

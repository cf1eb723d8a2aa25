/** Tag `status`: stories, and who sees them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { InlineFiles } from '../../../media/outgoing/inline-files.ts';
import { acceptFilesInJson } from '../../request/json-body.ts';
import { type PostingParts, postingRoutes } from './posting.ts';
import { type PrivacyParts, storyPrivacyRoutes } from './privacy.ts';
import { type ReactingParts, reactingRoutes } from './reacting.ts';
import { type ReadingParts, readingRoutes } from './reading.ts';

export type StatusParts = PostingParts &
  PrivacyParts &
  ReactingParts &
  ReadingParts & { inlineFiles: InlineFiles };

export const statusRoutes: FastifyPluginAsyncTypebox<StatusParts> = async (app, parts) => {
  acceptFilesInJson(app, parts.inlineFiles);
  await app.register(postingRoutes, parts);
  await app.register(readingRoutes, parts);
  await app.register(reactingRoutes, parts);
  await app.register(storyPrivacyRoutes, parts);
};

/** Tag `newsletters`: channels and their posts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { InlineFiles } from '../../../media/outgoing/inline-files.ts';
import { acceptFilesInJson } from '../../request/json-body.ts';
import { type AdminParts, adminRoutes } from './admins.ts';
import { type ChannelParts, channelRoutes } from './channels.ts';
import { directoryRoutes } from './directory.ts';
import { manageRoutes } from './manage.ts';
import { type PostChangeParts, postChangeRoutes } from './post-changes.ts';
import { type PostParts, postRoutes } from './posts.ts';

export type NewslettersParts = ChannelParts &
  PostParts &
  PostChangeParts &
  AdminParts & { inlineFiles: InlineFiles };

export const newslettersRoutes: FastifyPluginAsyncTypebox<NewslettersParts> = async (app, parts) => {
  acceptFilesInJson(app, parts.inlineFiles);
  await app.register(channelRoutes, parts);
  await app.register(directoryRoutes, parts);
  await app.register(manageRoutes, parts);
  await app.register(postRoutes, parts);
  await app.register(postChangeRoutes, parts);
  await app.register(adminRoutes, parts);
};

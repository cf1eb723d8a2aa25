/** Tag `contacts`: who is on WhatsApp, under which names, and what is known of them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type AppStateParts, appStateRoutes } from './app-state.ts';
import { type BlockListParts, blockListRoutes } from './block-list.ts';
import { type CheckParts, checkRoutes } from './check.ts';
import { type ListParts, listRoutes } from './list.ts';
import { type PictureParts, pictureRoutes } from './picture.ts';
import { type ProfileParts, profileRoutes } from './profile.ts';
import { type ResolveParts, resolveRoutes } from './resolve.ts';

export type ContactsParts = CheckParts &
  ResolveParts &
  ProfileParts &
  PictureParts &
  BlockListParts &
  ListParts &
  AppStateParts;

export const contactsRoutes: FastifyPluginAsyncTypebox<ContactsParts> = async (app, parts) => {
  await app.register(checkRoutes, parts);
  await app.register(resolveRoutes, parts);
  await app.register(profileRoutes, parts);
  await app.register(pictureRoutes, parts);
  await app.register(blockListRoutes, parts);
  await app.register(listRoutes, parts);
  await app.register(appStateRoutes, parts);
};

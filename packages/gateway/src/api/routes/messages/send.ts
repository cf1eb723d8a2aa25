/** Tag `messages`: every operation under `/send`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { acceptMultipart } from '../../request/multipart.ts';
import { type AlbumParts, albumRoute } from './send-album.ts';
import { buttonKinds } from './send-buttons.ts';
import { contactKinds } from './send-contacts.ts';
import { sendRoute } from './send-kind.ts';
import { mediaKinds } from './send-media.ts';
import { placeKinds } from './send-places.ts';
import { pollKinds } from './send-polls.ts';
import { productKinds } from './send-products.ts';
import { textKinds } from './send-text.ts';

export const sendRoutes: FastifyPluginAsyncTypebox<AlbumParts> = async (app, parts) => {
  await acceptMultipart(app);
  const route = sendRoute(app, parts);
  textKinds(route);
  mediaKinds(route);
  placeKinds(route);
  contactKinds(route);
  pollKinds(route);
  buttonKinds(route);
  productKinds(route);
  albumRoute(app, parts);
};

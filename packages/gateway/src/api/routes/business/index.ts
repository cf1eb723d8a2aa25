/** Tag `business`: what businesses sell and say of themselves. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { catalogRoutes } from './catalog.ts';
import { orderRoutes } from './orders.ts';
import { businessProfileRoutes } from './profile.ts';
import type { BusinessParts } from './whose.ts';

export type { BusinessParts };

export const businessRoutes: FastifyPluginAsyncTypebox<BusinessParts> = async (app, parts) => {
  await app.register(catalogRoutes, parts);
  await app.register(businessProfileRoutes, parts);
  await app.register(orderRoutes, parts);
};

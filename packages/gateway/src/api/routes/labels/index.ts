/** Tag `labels`: labels of business accounts, and what has them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Labels } from '../../../labels/labels.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { manageRoutes } from './manage.ts';
import { markRoutes } from './mark.ts';

export interface LabelsParts {
  labels: Labels;
  idempotency: Idempotency;
}

export const labelsRoutes: FastifyPluginAsyncTypebox<LabelsParts> = async (app, parts) => {
  await app.register(manageRoutes, parts);
  await app.register(markRoutes, parts);
};

/** Tag `business`: what a business sells. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DeviceHeaders } from '../../request/device.ts';
import { opaqueInQuery } from '../../request/given.ts';
import { nextPage } from '../../request/page.ts';
import { NamedQuery } from '../contacts/named.ts';
import { namesOf } from '../contacts/person.ts';
import { CollectionAnswer, collectionAnswer, Owner, ProductAnswer, productAnswer } from './schemas.ts';
import { type BusinessParts, FAILURES, tags, whoseIn } from './whose.ts';

const Success = Type.Literal(true);

const page = (usual: number, most: number) => ({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: usual })),
  cursor: Type.Optional(
    opaqueInQuery({
      maxLength: 2000,
      description: '`next_cursor` of the answer before, of the same business',
    }),
  ),
});
const PRODUCTS = { usual: 50, most: 100 };
const COLLECTIONS = { usual: 20, most: 50 };
const OF_EACH = { usual: 10, most: 50 };

const OF_WHOM = 'Of the business that `jid` or `number` names, or of the account itself. ';

export const catalogRoutes: FastifyPluginAsyncTypebox<BusinessParts> = async (app, { businesses }) => {
  const shared = { tags, headers: DeviceHeaders };

  app.get(
    '/business/catalog',
    {
      schema: {
        ...shared,
        operationId: 'getBusinessCatalog',
        summary: 'List what a business sells',
        description: `${OF_WHOM}Asked of WhatsApp page by page, in the business's order.`,
        querystring: Type.Object({ ...NamedQuery.properties, ...page(PRODUCTS.usual, PRODUCTS.most) }),
        response: {
          200: Type.Object({
            success: Success,
            business: Owner,
            products: Type.Array(ProductAnswer),
            count: Type.Integer({ description: 'Of this page' }),
            ...nextPage,
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { limit = PRODUCTS.usual, cursor = null } = request.query;
      const { owner, found } = await businesses.catalog(whoseIn(request, request.query), { limit, cursor });
      const products = found.items.map(productAnswer);
      return {
        success: true as const,
        business: namesOf(owner),
        products,
        count: products.length,
        next_cursor: found.next,
      };
    },
  );

  app.get(
    '/business/catalog/:productId',
    {
      schema: {
        ...shared,
        operationId: 'getBusinessProduct',
        summary: 'One product of a business',
        description: OF_WHOM.trim(),
        params: Type.Object({ productId: Type.String({ maxLength: 100, examples: ['5558888777666'] }) }),
        querystring: NamedQuery,
        response: {
          200: Type.Object({ success: Success, business: Owner, product: ProductAnswer }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const whose = whoseIn(request, request.query);
      const { owner, found } = await businesses.product(whose, request.params.productId);
      return { success: true as const, business: namesOf(owner), product: productAnswer(found) };
    },
  );

  app.get(
    '/business/collections',
    {
      schema: {
        ...shared,
        operationId: 'getBusinessCollections',
        summary: 'List the collections that a business has sorted its products into',
        description: `${OF_WHOM}Each comes with its first products.`,
        querystring: Type.Object({
          ...NamedQuery.properties,
          ...page(COLLECTIONS.usual, COLLECTIONS.most),
          products: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: OF_EACH.most,
              default: OF_EACH.usual,
              description: 'How many products of each',
            }),
          ),
        }),
        response: {
          200: Type.Object({
            success: Success,
            business: Owner,
            collections: Type.Array(CollectionAnswer),
            count: Type.Integer({ description: 'Of this page' }),
            ...nextPage,
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { limit = COLLECTIONS.usual, cursor = null, products = OF_EACH.usual } = request.query;
      const wanted = { limit, cursor, products };
      const { owner, found } = await businesses.collections(whoseIn(request, request.query), wanted);
      const collections = found.items.map(collectionAnswer);
      return {
        success: true as const,
        business: namesOf(owner),
        collections,
        count: collections.length,
        next_cursor: found.next,
      };
    },
  );
};

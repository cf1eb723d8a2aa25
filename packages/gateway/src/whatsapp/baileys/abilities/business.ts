/** Catalogues, orders and profiles of businesses, asked of the server each time. */
import type { BusinessChange, SessionBusiness } from '../../port/business.ts';
import { RequestRefused } from '../../port/errors.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import type { BinaryNode } from '../library.ts';
import { askBusinessProfile } from '../outbound/business-profile.ts';
import { mexQuery } from '../outbound/mex-query.ts';
import { parseCatalog, parseCollections, parseOneProduct, parseOrder } from '../parse/business.ts';

/**
 * Since 2026 the server does not answer `w:biz:catalog` any more, which the library asks (Baileys issue 2717); WhatsApp
 * Web asks GraphQL (whatsapp-rust pull request 1252; the numbers of zapo spec/mex).
 */
const CATALOG = { queryId: '9916553288394782', path: 'xwa_product_catalog_get_product_catalog' };
const PRODUCT = { queryId: '9647868451963105', path: 'xwa_product_catalog_get_product' };
const COLLECTIONS = { queryId: '9430970660362540', path: 'xwa_product_catalog_get_collections' };
const ORDER = { queryId: '26593811266898374', path: 'xwa_checkout_get_order_info' };

/** Pixels of the pictures that are asked for beside the originals. */
const WIDE = { width: '600', height: '600' };
const NOT_FOUND = 404;

export function business(link: Link): SessionBusiness {
  return {
    profile: (owner) => link.ask((socket) => askBusinessProfile(socket, owner)),

    change: (change) =>
      link.ask(async (socket) => {
        // A part of it (`mutation_type="delta"`), as zapo has it (transport/node/builders/business.ts).
        const attrs = { v: '3', mutation_type: 'delta' };
        await socket.query({
          tag: 'iq',
          attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:biz' },
          content: [{ tag: 'business_profile', attrs, content: changedFields(change) }],
        });
        assertAnswered();
      }),

    catalog: (jid, { limit, cursor }) =>
      link.ask(async (socket) => {
        const wanted = { jid, ...WIDE, allow_shop_source: 'ALLOWSHOPSOURCE_TRUE', limit: String(limit) };
        const request = { product_catalog: { ...wanted, ...after(cursor) } };
        return parseCatalog(await mexQuery(socket, { ...CATALOG, variables: { request } }));
      }),

    product: (jid, id) =>
      link.ask(async (socket) => {
        const request = { product: { jid, product_id: id, ...WIDE } };
        const found = parseOneProduct(await mexQuery(socket, { ...PRODUCT, variables: { request } }));
        if (!found) throw new RequestRefused(NOT_FOUND, 'the business has no such product');
        return found;
      }),

    collections: (jid, { limit, products, cursor }) =>
      link.ask(async (socket) => {
        const counts = { collection_limit: String(limit), item_limit: String(products) };
        const request = { collections: { biz_jid: jid, ...counts, ...WIDE, ...after(cursor) } };
        return parseCollections(await mexQuery(socket, { ...COLLECTIONS, variables: { request } }));
      }),

    order: (seller, id, token) =>
      link.ask(async (socket) => {
        const order = {
          id,
          jid: seller,
          token: { sensitive_string_value: token },
          image_dimensions: { width: Number(WIDE.width), height: Number(WIDE.height) },
        };
        const answer = await mexQuery(socket, { ...ORDER, variables: { request: { order } } });
        const found = parseOrder(id, answer);
        if (!found) throw new RequestRefused(NOT_FOUND, 'there is no such order');
        return found;
      }),
  };
}

function after(cursor: string | null) {
  return cursor === null ? {} : { after: cursor };
}

function changedFields({ websites, categoryIds, hours, ...texts }: BusinessChange): BinaryNode[] {
  const field = (tag: string, content: string): BinaryNode =>
    content === '' ? { tag, attrs: {} } : { tag, attrs: {}, content: Buffer.from(content, 'utf8') };
  const sites = websites?.length === 0 ? [''] : (websites ?? []);
  const categories = categoryIds?.map((id) => ({ tag: 'category', attrs: { id } }));
  const days = hours?.days.map((each) => ({
    tag: 'business_hours_config',
    attrs: {
      day_of_week: each.day,
      mode: each.mode,
      ...(each.mode === 'specific_hours'
        ? { open_time: String(each.open), close_time: String(each.close) }
        : {}),
    },
  }));
  return [
    ...(['address', 'description', 'email'] as const).flatMap((tag) => {
      const content = texts[tag];
      return content === undefined ? [] : [field(tag, content)];
    }),
    ...sites.map((url) => field('website', url)),
    ...(categories ? [{ tag: 'categories', attrs: {}, content: categories }] : []),
    ...(hours && days ? [{ tag: 'business_hours', attrs: { timezone: hours.timezone }, content: days }] : []),
  ];
}

import type { Account } from '../state/directory.ts';
import type { OrderedItem, PlacedOrder, Shop, SoldProduct } from '../state/shop.ts';
import type { IqRequest } from './answer.ts';
import { type Json, type Operation, objectIn, textIn } from './mex-operation.ts';

/** Of a page, and the most of one that this network gives. */
const USUAL_PAGE = 10;
const LARGEST_PAGE = 100;

/** Who asks sees what is hidden of the own business alone. */
interface Asked {
  shop: Shop;
  own: boolean;
}

function shopOf({ network, sender }: IqRequest, jid: unknown): Asked | null {
  const account: Account | undefined = network.directory.resolve(textIn(jid));
  if (!account?.business) return null;
  const nothing = { products: [], collections: [], orders: new Map() };
  return { shop: account.business.shop ?? nothing, own: account === sender.account };
}

/** `products` page by page, each cursor being the place of the next one (zapo spec/mex QueryCatalog). */
const catalog: Operation = {
  path: 'xwa_product_catalog_get_product_catalog',
  run: (request, variables) => {
    const wanted = objectIn(objectIn(variables.request).product_catalog);
    const asked = shopOf(request, wanted.jid);
    if (!asked) return null;
    const { items, paging } = page(shown(asked), wanted.limit, wanted.after);
    return { product_catalog: { products: items.map(described), ...paging } };
  },
};

const product: Operation = {
  path: 'xwa_product_catalog_get_product',
  run: (request, variables) => {
    const { jid, product_id: id } = objectIn(objectIn(variables.request).product);
    const asked = shopOf(request, jid);
    const found = asked && shown(asked).find((each) => each.id === textIn(id));
    return found ? { product_catalog: { product: described(found) } } : null;
  },
};

const collections: Operation = {
  path: 'xwa_product_catalog_get_collections',
  run: (request, variables) => {
    const wanted = objectIn(objectIn(variables.request).collections);
    const asked = shopOf(request, wanted.biz_jid);
    if (!asked) return null;
    const { items, paging } = page(asked.shop.collections, wanted.collection_limit, wanted.after);
    const sold = shown(asked);
    return {
      collections: items.map(({ id, name, products }) => ({
        id,
        name,
        status_info: { status: 'APPROVED', can_appeal: 'false' },
        products: products
          .flatMap((each) => sold.find((one) => one.id === each) ?? [])
          .slice(0, countOf(wanted.item_limit))
          .map(described),
      })),
      ...paging,
    };
  },
};

/** By the token of its message: who has that may see it. Another token is no order. */
const order: Operation = {
  path: 'xwa_checkout_get_order_info',
  run: (request, variables) => {
    const { jid, id, token } = objectIn(objectIn(variables.request).order);
    const placed = shopOf(request, jid)?.shop.orders.get(textIn(id));
    const given = textIn(objectIn(token).sensitive_string_value);
    return placed?.token === given ? { order: orderInfo(placed) } : null;
  },
};

function shown({ shop, own }: Asked): readonly SoldProduct[] {
  return own ? shop.products : shop.products.filter(({ hidden }) => !hidden);
}

function page<T>(all: readonly T[], limit: unknown, after: unknown): { items: readonly T[]; paging: object } {
  const start = after ? Number(Buffer.from(textIn(after), 'base64').toString('utf8')) : 0;
  const end = start + countOf(limit);
  const next = end < all.length ? Buffer.from(String(end), 'utf8').toString('base64') : undefined;
  return { items: all.slice(start, end), paging: { paging: next === undefined ? {} : { after: next } } };
}

/** Numbers are texts in these requests. */
function countOf(limit: unknown): number {
  const wanted = Number(textIn(limit) || USUAL_PAGE);
  return Number.isSafeInteger(wanted) && wanted > 0 ? Math.min(wanted, LARGEST_PAGE) : USUAL_PAGE;
}

function described(sold: SoldProduct): Json {
  const { id, name, description = '', retailerId, price, salePrice, currency, imageUrl } = sold;
  return {
    id,
    name,
    description,
    ...(retailerId === undefined ? {} : { retailer_id: retailerId }),
    ...(price === undefined ? {} : { price: String(price) }),
    ...(salePrice === undefined ? {} : { sale_price: { price: String(salePrice) } }),
    ...(currency === undefined ? {} : { currency }),
    product_availability: (sold.availability ?? 'in stock').toUpperCase().replaceAll(' ', '_'),
    is_hidden: sold.hidden ?? false,
    status_info: { status: 'APPROVED', can_appeal: false },
    media: {
      images: imageUrl ? [{ id: `${id}-1`, request_image_url: imageUrl, original_image_url: imageUrl }] : [],
    },
  };
}

function orderInfo({ at, items }: PlacedOrder): Json {
  const total = items.reduce(
    (sum, { product: sold, quantity }) => sum + Number(sold.price ?? 0) * quantity,
    0,
  );
  const currency = items.find(({ product: sold }) => sold.currency)?.product.currency;
  return {
    creation_time_stamp: String(at),
    products: items.map(orderedProduct),
    price_details: { currency, subtotal_amount: String(total), total_amount: String(total) },
  };
}

function orderedProduct({ product: sold, quantity, variant = {} }: OrderedItem): Json {
  const { id, name, price, currency, media } = described(sold);
  return {
    id,
    name,
    price,
    currency,
    media,
    quantity: String(quantity),
    variant_info: {
      variant_properties: Object.entries(variant).map(([property, value]) => ({ name: property, value })),
    },
  };
}

/** By the numbers of zapo spec/mex; the second of the catalogue is of WhatsApp Web of September 2026 (Baileys issue 2717). */
export const businessOperations: ReadonlyArray<readonly [string, Operation]> = [
  ['9916553288394782', catalog],
  ['30445081048424116', catalog],
  ['9647868451963105', product],
  ['9430970660362540', collections],
  ['26593811266898374', order],
];

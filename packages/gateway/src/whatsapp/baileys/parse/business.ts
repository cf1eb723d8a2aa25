/** Catalogues and orders from GraphQL answers (zapo spec/mex QueryCatalog, QueryProductCollections, BizQueryOrder). */
import type { Order, OrderedProduct, Page, Product, ProductCollection } from '../../port/business.ts';
import { cleanTexts } from './clean-text.ts';
import { type Json, object, text } from './json-fields.ts';
import { stampedTime } from './stamped-time.ts';

export function parseCatalog(answer: unknown): Page<Product> {
  const { products, paging } = object(object(answer).product_catalog);
  return { items: listOf(products).flatMap((each) => parseProduct(each) ?? []), next: nextIn(paging) };
}

export function parseCollections(answer: unknown): Page<ProductCollection> {
  const { collections, paging } = object(answer);
  const items = listOf(collections).flatMap((each) => {
    const { id, name, status_info: status, products } = object(each);
    if (text(id) === '') return [];
    return [
      {
        ...cleanTexts({ id: text(id), name: text(name), reviewStatus: word(object(status).status) }),
        products: listOf(products).flatMap((product) => parseProduct(product) ?? []),
      },
    ];
  });
  return { items, next: nextIn(paging) };
}

/** Of `xwa_product_catalog_get_product`; null when it names none. */
export function parseOneProduct(answer: unknown): Product | null {
  return parseProduct(object(object(answer).product_catalog).product);
}

export function parseOrder(id: string, answer: unknown): Order | null {
  const order = object(answer).order;
  if (typeof order !== 'object' || order === null) return null;
  const { creation_time_stamp: createdAt, products, price_details: price } = object(order);
  const { currency, subtotal_amount: subtotal, total_amount: total } = object(price);
  return cleanTexts({
    id,
    createdAt: stampedTime(Number(createdAt ?? 0)),
    currency: word(currency),
    subtotal: thousandths(subtotal),
    total: thousandths(total),
    products: listOf(products).map(orderedProduct),
  });
}

function parseProduct(value: unknown): Product | null {
  const told = object(value);
  if (text(told.id) === '') return null;
  return cleanTexts({
    id: text(told.id),
    retailerId: word(told.retailer_id),
    name: text(told.name),
    description: text(told.description),
    url: word(told.url),
    currency: word(told.currency),
    price: thousandths(told.price),
    salePrice: thousandths(object(told.sale_price).price),
    availability: word(told.product_availability)?.toLowerCase().replaceAll('_', ' ') ?? null,
    maxAvailable: thousandths(told.max_available),
    // A flag of its own there, and a word of an enumeration in requests.
    hidden: told.is_hidden === true || told.is_hidden === 'ISHIDDEN_TRUE',
    reviewStatus: word(object(told.status_info).status),
    images: listOf(object(told.media).images).map((image) => {
      const { id, request_image_url: url, original_image_url: original } = object(image);
      return { id: text(id), url: text(url), originalUrl: text(original) };
    }),
  });
}

function orderedProduct(value: unknown): OrderedProduct {
  const told = object(value);
  const [image] = listOf(object(told.media).images);
  const chosen = listOf(object(told.variant_info).variant_properties).map(object);
  return {
    id: text(told.id),
    name: text(told.name),
    price: thousandths(told.price),
    currency: word(told.currency),
    quantity: thousandths(told.quantity) ?? 0,
    imageUrl: word(object(image).request_image_url),
    variant: Object.fromEntries(chosen.map(({ name, value: chose }: Json) => [text(name), text(chose)])),
  };
}

/** A whole number that may be written as a text; null for what is none, or too large to be exact. */
function thousandths(value: unknown): number | null {
  if (typeof value !== 'number' && (typeof value !== 'string' || value.trim() === '')) return null;
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

function nextIn(paging: unknown): string | null {
  return word(object(paging).after);
}

function word(value: unknown): string | null {
  return text(value) || null;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

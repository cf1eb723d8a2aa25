/** What businesses sell and say of themselves, as the answers show it. */
import { type Static, Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import {
  OPENING_DAYS,
  OPENING_MODES,
  type Order,
  type Product,
  type ProductCollection,
} from '../../../whatsapp/port/business.ts';
import type { BusinessProfile } from '../../../whatsapp/port/contacts.ts';
import { Nullable, Rfc3339 } from '../../schemas.ts';
import { personNames } from '../contacts/person.ts';

const Text = Type.String();
const Currency = Nullable(Type.String({ description: 'ISO 4217', examples: ['BRL'] }));
const Money = (description: string) =>
  Nullable(Type.Number({ description: `${description}, in units of the currency`, examples: [19.9] }));

export const Owner = Type.Object(personNames, { title: 'BusinessNames', description: 'The business' });

export const ProductAnswer = Type.Object(
  {
    id: Type.String({ examples: ['5558888777666'] }),
    retailer_id: Nullable(Type.String({ description: "The business's own number for it" })),
    name: Text,
    description: Text,
    url: Nullable(Text),
    currency: Currency,
    price: Money('Null when none is told'),
    sale_price: Money('While it is cheaper'),
    availability: Nullable(Type.String({ examples: ['in stock', 'out of stock'] })),
    max_available: Nullable(Type.Integer()),
    hidden: Type.Boolean({ description: 'Shown to the business alone' }),
    review_status: Nullable(Type.String({ description: "WhatsApp's review", examples: ['APPROVED'] })),
    images: Type.Array(Type.Object({ id: Text, url: Text, original_url: Text })),
  },
  { title: 'Product' },
);

export const CollectionAnswer = Type.Object(
  {
    id: Text,
    name: Text,
    review_status: Nullable(Text),
    products: Type.Array(ProductAnswer),
  },
  { title: 'ProductCollection' },
);

export const OrderAnswer = Type.Object(
  {
    id: Text,
    created_at: Nullable(Rfc3339),
    currency: Currency,
    subtotal: Money('Before what the business adds'),
    total: Money('In all'),
    products: Type.Array(
      Type.Object({
        id: Text,
        name: Text,
        price: Money('Of one'),
        currency: Currency,
        quantity: Type.Integer(),
        image_url: Nullable(Text),
        variant: Type.Record(Text, Text, { description: 'What was chosen, such as `Colour` → `red`' }),
      }),
    ),
  },
  { title: 'Order' },
);

const Time = Nullable(Type.String({ description: 'Of `specific_hours`: `HH:MM`', examples: ['09:00'] }));

export const ProfileAnswer = Type.Object(
  {
    address: Text,
    description: Text,
    email: Text,
    websites: Type.Array(Text),
    categories: Type.Array(Type.Object({ id: Text, name: Text })),
    hours: Nullable(
      Type.Object({
        timezone: Type.String({ examples: ['America/Sao_Paulo'] }),
        days: Type.Array(
          Type.Object({
            day: Type.String({ examples: [...OPENING_DAYS] }),
            mode: Type.String({ examples: [...OPENING_MODES] }),
            opens_at: Time,
            closes_at: Time,
          }),
        ),
      }),
    ),
    options: Type.Record(Text, Text, { description: "Further settings, by WhatsApp's names" }),
  },
  { title: 'BusinessDetails' },
);

export function productAnswer(product: Product): Static<typeof ProductAnswer> {
  const { retailerId, salePrice, maxAvailable, reviewStatus, images, price, ...same } = product;
  return {
    ...same,
    retailer_id: retailerId,
    price: money(price),
    sale_price: money(salePrice),
    max_available: maxAvailable,
    review_status: reviewStatus,
    images: images.map(({ id, url, originalUrl }) => ({ id, url, original_url: originalUrl })),
  };
}

export function collectionAnswer({ id, name, reviewStatus, products }: ProductCollection) {
  return { id, name, review_status: reviewStatus, products: products.map(productAnswer) };
}

export function orderAnswer(order: Order): Static<typeof OrderAnswer> {
  const { id, currency, products } = order;
  return {
    id,
    created_at: rfc3339OrNull(order.createdAt),
    currency,
    subtotal: money(order.subtotal),
    total: money(order.total),
    products: products.map(({ imageUrl, price, ...same }) => ({
      ...same,
      price: money(price),
      image_url: imageUrl,
    })),
  };
}

export function profileAnswer(profile: BusinessProfile): Static<typeof ProfileAnswer> {
  const { address, description, email, websites, categories, options, timezone, hours } = profile;
  const days = hours.map(({ day, mode, open, close }) => ({
    day,
    mode,
    opens_at: clockTime(open),
    closes_at: clockTime(close),
  }));
  return {
    address,
    description,
    email,
    websites,
    categories,
    hours: days.length === 0 && timezone === '' ? null : { timezone, days },
    options,
  };
}

/** WhatsApp counts in thousandths, of yen as of dinars. */
function money(thousandths: number | null): number | null {
  return thousandths === null ? null : thousandths / 1000;
}

/** From minutes since midnight; null for what is no such number. */
function clockTime(minutes: string): string | null {
  const total = minutes === '' ? Number.NaN : Number(minutes);
  if (!Number.isInteger(total) || total < 0 || total > 24 * 60) return null;
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${two(Math.floor(total / 60))}:${two(total % 60)}`;
}

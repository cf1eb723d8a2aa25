/** What a business sells and says of itself. Every call asks the server. */
import type { BusinessProfile } from './contacts.ts';
import type { Jid } from './identity.ts';
import type { OpaqueText } from './opaque.ts';

export interface ProductImage {
  id: string;
  /** Of the size that was asked for. */
  url: string;
  originalUrl: string;
}

/** Prices are thousandths of the currency's unit, as WhatsApp has them whatever the currency; null: none is told. */
export interface Product {
  id: string;
  /** The number that the business itself has for it. */
  retailerId: string | null;
  name: string;
  description: string;
  url: string | null;
  /** ISO 4217. */
  currency: string | null;
  price: number | null;
  salePrice: number | null;
  /** `in stock`, `out of stock`… in lower case. */
  availability: string | null;
  maxAvailable: number | null;
  hidden: boolean;
  /** WhatsApp's review: `APPROVED`, `PENDING`, `REJECTED`… */
  reviewStatus: string | null;
  images: ProductImage[];
}

export interface Page<T> {
  items: T[];
  /** Null: there are no more. */
  next: string | null;
}

export interface PageWanted {
  limit: number;
  /** As a page before it said. */
  cursor: OpaqueText | null;
}

/** A group of products, as the business has sorted them. */
export interface ProductCollection {
  id: string;
  name: string;
  reviewStatus: string | null;
  products: Product[];
}

export interface OrderedProduct {
  id: string;
  name: string;
  /** Of one, in thousandths. */
  price: number | null;
  currency: string | null;
  quantity: number;
  imageUrl: string | null;
  /** What was chosen where the product has variants: `Colour` → `red`. */
  variant: Record<string, string>;
}

export interface Order {
  id: string;
  /** Milliseconds; null when it was not told. */
  createdAt: number | null;
  currency: string | null;
  /** In thousandths. */
  subtotal: number | null;
  total: number | null;
  products: OrderedProduct[];
}

export const OPENING_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type OpeningDay = (typeof OPENING_DAYS)[number];
/** A closed day is one that is not listed (zapo protocol/business.ts). */
export const OPENING_MODES = ['specific_hours', 'open_24h', 'appointment_only'] as const;

export type OpeningHours = { day: OpeningDay } & (
  | { mode: 'open_24h' | 'appointment_only' }
  /** Minutes since midnight. */
  | { mode: 'specific_hours'; open: number; close: number }
);

/** What is left out stays as it is; an empty text or list takes it off. */
export interface BusinessChange {
  address?: string;
  description?: string;
  email?: string;
  websites?: string[];
  categoryIds?: string[];
  hours?: { timezone: string; days: OpeningHours[] };
}

export interface SessionBusiness {
  /** Null for who is no business. */
  profile(owner: Jid): Promise<BusinessProfile | null>;
  /** Of the account itself. */
  change(change: BusinessChange): Promise<void>;
  catalog(owner: Jid, page: PageWanted): Promise<Page<Product>>;
  product(owner: Jid, id: string): Promise<Product>;
  /** Each with the first `products` of it. */
  collections(owner: Jid, page: PageWanted & { products: number }): Promise<Page<ProductCollection>>;
  /** `token`: as the message of the order has it. */
  order(seller: Jid, id: string, token: OpaqueText): Promise<Order>;
}

/** What a business sells, and what was ordered of it. */

export interface SoldProduct {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly retailerId?: string;
  /** Thousandths of the currency's unit, whatever the currency. */
  readonly price?: number | string;
  readonly salePrice?: number;
  /** ISO 4217. */
  readonly currency?: string;
  readonly availability?: 'in stock' | 'out of stock';
  readonly hidden?: boolean;
  readonly imageUrl?: string;
}

export interface SoldCollection {
  readonly id: string;
  readonly name: string;
  readonly products: readonly string[];
}

export interface PlacedOrder {
  readonly token: string;
  /** Unix seconds. */
  readonly at: number;
  readonly items: readonly OrderedItem[];
}

export interface OrderedItem {
  readonly product: SoldProduct;
  readonly quantity: number;
  readonly variant?: Readonly<Record<string, string>>;
}

export interface Shop {
  readonly products: readonly SoldProduct[];
  readonly collections: readonly SoldCollection[];
  readonly orders: Map<string, PlacedOrder>;
}

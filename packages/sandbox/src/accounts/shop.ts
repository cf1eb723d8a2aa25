/** What a business sells, and what was ordered of it. Written by the app alone: its stanzas are not imitated. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Account } from '../state/directory.ts';
import type { OrderedItem, Shop } from '../state/shop.ts';

/** Throws for an account that is no business. */
export function stock(
  account: Account,
  { products, collections = [] }: Pick<Shop, 'products'> & Partial<Pick<Shop, 'collections'>>,
): void {
  const { business } = account;
  if (!business) throw new Error(`${account.user} is no business`);
  account.business = {
    ...business,
    shop: { products, collections, orders: business.shop?.orders ?? new Map() },
  };
}

/** Somebody orders of the business; its message brings the id and the token. */
export function placeOrder(seller: Account, items: readonly OrderedItem[]): { id: string; token: string } {
  const shop = seller.business?.shop;
  if (!shop) throw new Error(`${seller.user} sells nothing`);
  const id = String(randomInt(10 ** 13, 10 ** 14 - 1));
  const token = randomBytes(24).toString('base64');
  shop.orders.set(id, { token, at: Math.floor(Date.now() / 1000), items });
  return { id, token };
}

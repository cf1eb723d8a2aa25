/** How most of these tests begin: a shop whose phone is linked to a device of a new tenant, and people who write to it. */
import type { Phone } from '@wuts/sandbox';
import { type Api, World } from './harness.ts';

export interface Shop {
  world: World;
  /** Of the tenant's admin. */
  token: string;
  /** With that token, until the gateway is restarted. */
  api: Api;
  deviceId: string;
  /** The account's own phone. */
  shop: Phone;
  contact: Phone;
  friend: Phone;
}

/** `tenant` is its name; the rest is of `World.create`. */
export async function openShop({
  tenant = 'shop',
  ...options
}: { tenant?: string } & Parameters<typeof World.create>[0] = {}): Promise<Shop> {
  const world = await World.create(options);
  const token = await world.tenant(tenant);
  const [shop, contact, friend] = [
    await world.sandbox.createPhone({ number: '5511999994001', name: 'Shop' }),
    await world.sandbox.createPhone({ number: '5511999994002', name: 'Contact' }),
    await world.sandbox.createPhone({ number: '5511999994003', name: 'Friend' }),
  ];
  const deviceId = await world.linkByQr(token, shop);
  return { world, token, api: world.as(token), deviceId, shop, contact, friend };
}

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

/** A shop with a group of its own and the contact, and somebody of another tenant. */
export async function openShopWithGroup(
  options: Parameters<typeof openShop>[0],
): Promise<Shop & { group: string; stranger: Api }> {
  const opened = await openShop(options);
  const { world, shop, contact } = opened;
  const stranger = world.as(await world.tenant('elsewhere'));
  return { ...opened, stranger, group: (await shop.createGroup('Team', [contact])).jid };
}

/** A shop whose list of chats was filled before its phone was linked. */
import type { Phone } from '@wuts/sandbox';
import { type Api, World } from '../harness.ts';

export interface ListedChats {
  world: World;
  token: string;
  api: Api;
  /** Id of the shop's device. */
  device: string;
  shop: Phone;
  ana: Phone;
  bia: Phone;
  /** Bia's, with the shop in it. */
  group: { jid: string };
}

/** `past`: how many messages there are with Ana, who is saved, pinned, and has two of them unread. The group is muted. */
export async function fillChats({ past }: { past: number }): Promise<ListedChats> {
  const world = await World.create();
  const phone = (number: string, name: string) => world.sandbox.createPhone({ number, name });
  const shop = await phone('5511999994001', 'Shop');
  const ana = await phone('5511999994002', 'Ana');
  const bia = await phone('5511999994003', 'Bia');
  const group = await bia.createGroup('Before', [shop]);
  await shop.past.fill(ana, past, 1_700_000_000);
  await shop.past.show(ana, { name: 'Ana Souza', unread: 2 });
  await shop.account.saveContact(ana, 'Ana Souza');
  await shop.account.muteChat(group);
  await shop.account.pinChat(ana);
  const token = await world.tenant('chats');
  const device = await world.linkByQr(token, shop);
  return { world, token, api: world.as(token), device, shop, ana, bia, group };
}

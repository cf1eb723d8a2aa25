import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventName } from '../../../src/events/catalogue/names.ts';
import { problems } from '../../events/schema.ts';
import { type Api, type Json, until, World } from '../harness.ts';

let world: World;
let api: Api;
let deviceId: string;
let shop: Phone;
let ana: Phone;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('account');
  api = world.as(token);
  shop = await world.sandbox.createPhone({ number: '5511944440001', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511944440002', name: 'Ana' });
  await shop.past.add(ana, [{ text: 'long ago', timestamp: 1_700_000_000 }]);
  deviceId = await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());

/** An event as `GET /events` gives it; its `data` must be as its schema says. */
async function event(name: EventName, fits: (data: Json) => boolean = () => true): Promise<Json> {
  const found = await until(`${name} is an event`, async () => {
    const { events } = (await api.get(`/events?limit=1000&event=${name}`)).body;
    return events.find((each: Json) => fits(each.data));
  });
  expect(problems(name, found.data), `${name} ${JSON.stringify(found.data)}`).toEqual([]);
  expect(found).toMatchObject({ event: name, device_id: deviceId });
  return found.data;
}

test('the end of the first sync, and the history', async () => {
  await event('app_state.sync_complete', ({ collection }) => collection === 'regular_low');
  const { messages } = await event('history.sync', ({ count }) => count === 1);
  expect(messages).toMatchObject([{ content: 'long ago', chat_jid: ana.jid, source: 'history' }]);
});

test('what the user does with chats and messages on the phone', async () => {
  const chat = { chat_jid: ana.jid, chat_lid: ana.lid };
  const { account } = shop;
  await account.pinChat(ana);
  expect(await event('chat.pin')).toEqual({ ...chat, pinned: true });
  const until8h = Date.now() + 8 * 3_600_000;
  await account.muteChat(ana, until8h);
  expect(await event('chat.mute')).toMatchObject({ ...chat, muted: true });
  await account.archiveChat(ana);
  expect(await event('chat.archive')).toEqual({ ...chat, archived: true });
  await account.markChatRead(ana);
  expect(await event('chat.mark_as_read')).toEqual({ ...chat, read: true });
  await account.clearChat(ana);
  expect(await event('chat.clear')).toEqual(chat);
  const { id } = await shop.sendText(ana, 'never mind');
  await account.deleteForMe(id);
  expect(await event('message.delete_for_me')).toMatchObject({ ...chat, message_id: id, is_from_me: true });
  await account.deleteChat(ana);
  expect(await event('chat.delete')).toEqual(chat);
});

test('contacts, settings and labels', async () => {
  const contact = { jid: ana.jid, lid: ana.lid, phone_number: ana.number };
  const { account } = shop;
  await account.saveContact(ana, 'Ana Souza', 'Ana');
  expect(await event('contact.changed')).toMatchObject({ contact });
  await account.setUnarchiveChats(true);
  expect(await event('settings.unarchive_chats')).toEqual({ unarchive_chats: true });
  await account.muteStatusOf(ana);
  expect(await event('settings.user_status_mute')).toEqual({ contact, muted: true });
  await account.editLabel({ id: '7', name: 'Paid', color: 2 });
  expect(await event('label.edit')).toEqual({ label_id: '7', name: 'Paid', color: 2, deleted: false });
  await account.labelChat(ana, '7');
  expect(await event('label.association_chat')).toMatchObject({ label_id: '7', chat_jid: ana.jid });
  await account.labelMessage(ana, '3EB0AA', '7');
  expect(await event('label.association_message')).toMatchObject({ message_id: '3EB0AA', labeled: true });
  await ana.sendText(shop, 'oi');
  expect(await event('contact.pushname')).toMatchObject({ contact, push_name: 'Ana' });
});

test('block list, privacy and channels', async () => {
  await shop.block(ana);
  const blocklist = await event('privacy.blocklist');
  expect(blocklist).toMatchObject({ blocked: [{ lid: ana.lid }], unblocked: [] });
  await shop.setPrivacy('last', 'contacts');
  expect(await event('privacy.settings')).toMatchObject({ settings: { last: 'contacts' } });
  const { newsletters } = world.sandbox.network;
  const news = newsletters.create('Offers');
  await shop.account.followNewsletter(news);
  expect(JSON.stringify(await event('newsletter.join'))).toContain(news.jid);
  newsletters.liveUpdate(news.jid, [{ serverId: 9, views: 4, reactions: { '👍': 2 } }]);
  expect(JSON.stringify(await event('newsletter.live_update'))).toContain('"👍":2');
  await shop.account.muteNewsletter(news);
  expect(await event('newsletter.mute_change')).toMatchObject({ muted: true });
  await shop.account.unfollowNewsletter(news);
  await event('newsletter.leave');
});

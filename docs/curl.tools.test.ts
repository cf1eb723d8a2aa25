/** Runs the curl lines of README and guides as they stand there, by bash, against a gateway on the sandbox. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhoneMessage } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Json, until } from '../packages/gateway/test/end-to-end/harness.ts';
import { jpeg, sha256 } from '../packages/gateway/test/end-to-end/samples.ts';
import { changedStore } from '../packages/gateway/test/moving/whatsmeow/sample-store.ts';
import { startProxy } from '../packages/gateway/test/worlds/proxies.ts';
import { answers, Tour } from './tour.ts';
import { tourOfChats } from './tour-of-chats.ts';
import { tourOfGroups } from './tour-of-groups.ts';

const tour = new Tour();
let picture: Buffer;

beforeAll(() => tour.open());

afterAll(() => tour.close());

test('README: register', async () => {
  const [answer] = answers(await tour.run('register'));
  tour.variables.TOKEN = answer.token;
  expect(answer.tenant.name).toBe('Acme');
});

test('README: link', async () => {
  const [device, qr, status] = answers(await tour.run('link'));
  expect(status.data.connected).toBe(false);
  await tour.shop.scanQr(qr.data.qr_code);
  await tour.world.untilConnected(tour.variables.TOKEN, device.device.id);
});

test('README: send', async () => {
  const [sent] = answers(await tour.run('send'));
  tour.variables.ID = sent.message_id;
  expect((await tour.contact.waitForMessage((message) => message.id === sent.message_id)).text).toBe(
    'Hello from WUTS',
  );
});

test('README: follow', async () => {
  const [status, edited] = answers(await tour.run('follow'));
  expect(['pending', 'delivered']).toContain(status.status);
  expect(edited.success).toBe(true);
  await tour.contact.waitForMessage((message) => message.editOf === tour.variables.ID);
});

test('README: media', async () => {
  picture = await jpeg();
  tour.variables.MEDIA_ID = (await tour.contact.sendImage(tour.shop.number, { bytes: picture })).id;
  await until('the picture has come', async () => {
    const got = await tour.world.as(tour.variables.TOKEN).get(`/messages/${tour.variables.MEDIA_ID}/media`);
    return got.status === 200;
  });
  await tour.run('media');
  expect(sha256(await readFile(join(tour.folder, 'picture.jpg')))).toBe(sha256(picture));
});

test('media.md: wait, head, range', async () => {
  await tour.run('wait');
  expect(sha256(await readFile(join(tour.folder, 'picture.jpg')))).toBe(sha256(picture));
  expect(await tour.run('head')).toContain(sha256(picture));
  await tour.run('range');
  const part = await readFile(join(tour.folder, 'part.bin'));
  expect(part.equals(picture.subarray(0, 100))).toBe(true);
});

test('media.md: send a document', async () => {
  const [sent] = answers(await tour.run('send-document'));
  const got = await tour.contact.waitForMessage((message) => message.id === sent.message_id);
  expect((await tour.contact.downloadMedia(got)).toString()).toBe('Hello');
});

test('media.md: send an album', async () => {
  const [sent] = answers(await tour.run('album'));
  const items = await tour.contact.waitForAlbum(sent.message_id);
  expect(items.map(({ text }) => text)).toEqual(['The front', 'The back']);
  expect(sha256(await tour.contact.downloadMedia(items[0] as PhoneMessage))).toBe(sha256(picture));
});

test('linking.md: what would move in', async () => {
  const one = "delete from whatsmeow_device where jid <> '551199990001:2@s.whatsapp.net'";
  await writeFile(
    join(tour.folder, 'session.tar.gz'),
    changedStore((database) => database.exec(one)),
  );
  const [would] = answers(await tour.run('import'));
  expect(would).toMatchObject({ dry_run: true, source: { format: 'whatsmeow' }, status: 'new' });
});

tourOfGroups(tour);
tourOfChats(tour);

test('errors.md: the same key sends once', async () => {
  const [first, second] = answers(await tour.run('idempotent'));
  expect(second.message_id).toBe(first.message_id);
  await tour.contact.waitForMessage((message) => message.id === first.message_id);
  expect(tour.contact.inbox.filter((message) => message.text === 'Your order has left')).toHaveLength(1);
});

test('events.md: pull', async () => {
  const [first, latest] = answers(await tour.run('events-pull'));
  expect(first.events.map((event: Json) => event.event)).toContain('message.received');
  expect(latest).toMatchObject({ success: true, events: [], has_more: false });
});

test.each([
  ['send-text.md', 'text-quoting', 'extendedTextMessage'],
  ['send-text.md', 'disappearing', 'extendedTextMessage'],
  ['send-text.md', 'own-id', 'conversation'],
  ['send-text.md', 'mentions', 'extendedTextMessage'],
  ['send-text.md', 'preview', 'extendedTextMessage'],
  ['send-text.md', 'reaction', 'reactionMessage'],
  ['send-places-contacts-polls.md', 'location', 'locationMessage'],
  ['send-places-contacts-polls.md', 'contact', 'contactMessage'],
  ['send-places-contacts-polls.md', 'poll', 'pollCreationMessageV3'],
  ['send-places-contacts-polls.md', 'event', 'eventMessage'],
  ['payments.md', 'payment', 'requestPaymentMessage'],
  ['send-interactive.md', 'buttons', 'interactiveMessage'],
  ['send-interactive.md', 'list', 'interactiveMessage'],
  ['send-interactive.md', 'template', 'templateMessage'],
  ['send-interactive.md', 'product', 'productMessage'],
])('%s: %s', async (_page, name, member) => {
  const [sent] = answers(await tour.run(name));
  const got = await tour.contact.waitForMessage((message) => message.id === sent.message_id);
  expect(Object.keys(got.message)).toContain(member);
  if (name === 'poll') tour.variables.POLL = got.id;
});

test('stories.md: post, choose who sees them, follow and take back', async () => {
  const [sent] = answers(await tour.run('story'));
  await tour.contact.waitForMessage((message) => message.id === sent.message_id);
  const [, chosen] = answers(await tour.run('story-privacy'));
  expect(chosen).toMatchObject({ type: 'whitelist', count: 1 });
  tour.variables.STORY = sent.message_id;
  const [accepted] = answers(await tour.run('story-later'));
  expect(accepted.status).toBe('scheduled');
  const [followed, deleted] = answers(await tour.run('story-follow'));
  expect([followed.story.reached, deleted.status_type]).toEqual([2, 'revoke']);
});

test('stories.md: what contacts post', async () => {
  tour.variables.SEEN = (await tour.contact.stories.postText('Good morning', { to: [tour.shop] })).id;
  await until('the story is there', async () => {
    const headers = { authorization: `Bearer ${tour.variables.TOKEN}` };
    return (await fetch(`${tour.world.gateway.url}/stories/${tour.variables.SEEN}`, { headers })).ok;
  });
  const [list, story, seen] = answers(await tour.run('story-inbox'));
  expect(list.contacts[0].stories[0].message_id).toBe(tour.variables.SEEN);
  expect([story.story.seen, seen.message_id]).toEqual([false, tour.variables.SEEN]);
  const [reacted] = answers(await tour.run('story-reaction'));
  await tour.contact.waitForMessage((message) => message.id === reacted.message_id);
});

test('newsletters.md: make, publish, read', async () => {
  const [made] = answers(await tour.run('newsletter'));
  tour.variables.NEWSLETTER = made.newsletter.id;
  const [sent, list] = answers(await tour.run('newsletter-post'));
  expect(list.messages.map(({ server_id }: Json) => server_id)).toEqual([sent.server_id]);
  tour.variables.POST = sent.message_id;
  const [edited, live, gone] = answers(await tour.run('newsletter-change'));
  expect([edited.success, live.seconds, gone.message_id]).toEqual([true, 300, sent.message_id]);
  const [found] = answers(await tour.run('newsletter-search'));
  expect(found.newsletters.map(({ id }: Json) => id)).toEqual([made.newsletter.id]);
});

test('pacing-and-limits.md: status', async () => {
  const [status] = answers(await tour.run('status-limit'));
  expect(status.data.limit).toBeNull();
});

test('later-and-bulk.md: schedule, look, cancel', async () => {
  const [made] = answers(await tour.run('schedule'));
  expect(made.status).toBe('scheduled');
  tour.variables.JOB = made.job_id;
  const [list, one, cancelled] = answers(await tour.run('jobs'));
  expect(list.jobs.map(({ id }: Json) => id)).toContain(made.job_id);
  expect(one.job.state).toBe('scheduled');
  expect(cancelled.job.state).toBe('cancelled');
});

test('later-and-bulk.md: bulk', async () => {
  const [made] = answers(await tour.run('bulk'));
  tour.variables.BULK = made.bulk.id;
  await tour.contact.waitForMessage((message) => message.text === 'We are closed on Friday');
  const [outcome] = answers(await tour.run('bulk-outcome'));
  expect(outcome.messages).toHaveLength(1);
});

test('finding-messages.md: lists and one message', async () => {
  const [chat, pictures] = answers(await tour.run('list-messages'));
  expect(chat.messages.map((message: Json) => message.message_id)).toContain(tour.variables.ID);
  expect(pictures.messages.map((message: Json) => message.message_id)).toEqual([tour.variables.MEDIA_ID]);
  const [one] = answers(await tour.run('get-message'));
  expect(one.message).toMatchObject({ message_id: tour.variables.ID, is_from_me: true });
  const [byChat] = answers(await tour.run('get-message-by-chat'));
  expect(byChat).toEqual(one);
  const [search] = answers(await tour.run('search-messages'));
  expect(search).toMatchObject({ success: true, complete: true });
  const [poll] = answers(await tour.run('poll-results'));
  expect(poll).toMatchObject({ message_id: tour.variables.POLL, total_voters: 0 });
});

test('business.md: what is sold, ordered, said', async () => {
  const product = { id: '5550001', name: 'Hat', price: 19_900, currency: 'BRL' };
  tour.world.sandbox.stock(tour.shop, { products: [product] });
  await tour.contact.becomeBusiness({ name: 'Contact' });
  const [own, other, sorted] = answers(await tour.run('business-catalog'));
  expect([own.products[0].price, other.count, sorted.count]).toEqual([19.9, 0, 0]);
  const { id, token } = tour.world.sandbox.placeOrder(tour.shop, [{ product, quantity: 2 }]);
  const sent = await tour.contact.sendRaw(tour.shop, {
    orderMessage: { orderId: id, token, sellerJid: tour.shop.jid },
  });
  Object.assign(tour.variables, { ORDER: id, ORDER_TOKEN: token, ORDER_MESSAGE: sent.id });
  const api = tour.world.as(tour.variables.TOKEN);
  await until('the order is here', async () => (await api.get(`/messages/${sent.id}`)).status === 200);
  const [byMessage, byToken] = answers(await tour.run('business-order'));
  expect(byToken.order).toEqual(byMessage.order);
  const [changed, read] = answers(await tour.run('business-profile'));
  expect(read.profile).toEqual(changed.profile);
});

test('newsletters.md: who runs one', async () => {
  const [asked, listed, taken] = answers(await tour.run('newsletter-admins'));
  await tour.contact.waitForMessage(({ id }) => id === asked.invite_sent.message_id);
  expect(listed.invited).toEqual([taken.person]);
});

test('contacts.md: check and resolve', async () => {
  const [checked] = answers(await tour.run('check-numbers'));
  expect(checked.data).toEqual({ [tour.contact.number]: true, '5511988887777': false });
  const [resolved] = answers(await tour.run('resolve-people'));
  expect(resolved.items).toMatchObject([{ jid: tour.contact.jid, lid: tour.contact.lid }]);
});

test('contacts.md: list, save, remove', async () => {
  const [all, found] = answers(await tour.run('list-contacts'));
  expect(all.contacts.map(({ jid }: Json) => jid)).toContain(tour.contact.jid);
  expect(found.contacts).toMatchObject([{ push_name: 'Contact' }]);
  const [saved, removed] = answers(await tour.run('save-contact'));
  expect(saved.contact).toMatchObject({ jid: tour.contact.jid, full_name: 'Ana Souza', saved: true });
  expect(removed).toMatchObject({ success: true, jid: tour.contact.jid });
  expect(Object.keys(await tour.shop.account.contacts())).toEqual([]);
});

test('contacts.md: block', async () => {
  const [blocked, list, back] = answers(await tour.run('block-list'));
  expect(blocked.data).toMatchObject({ jid: tour.contact.jid, blocked: true, count: 1 });
  expect(list.data.items).toMatchObject([{ jid: tour.contact.jid }]);
  expect(back.data).toMatchObject({ blocked: false, count: 0 });
});

test('contacts.md: profile and picture', async () => {
  await tour.contact.setPicture(picture);
  const [profile] = answers(await tour.run('contact-profile'));
  expect(profile.data.user_info.Status).toBe(profile.data.about);
  const [info] = answers(await tour.run('contact-picture'));
  expect(info.data).toMatchObject({ jid: tour.contact.jid, type: 'image', unchanged: false });
  expect(sha256(await readFile(join(tour.folder, 'contact.jpg')))).toBe(sha256(picture));
});

test('changing-messages.md: forward', async () => {
  const [sent] = answers(await tour.run('forward'));
  const got = await tour.contact.waitForMessage((message) => message.id === sent.message_id);
  expect(sha256(await tour.contact.downloadMedia(got))).toBe(sha256(picture));
});

test('changing-messages.md: pin and star', async () => {
  const [pinned, , starred] = answers(await tour.run('pin-star'));
  expect(starred).toMatchObject({ message_id: tour.variables.MEDIA_ID, starred: true });
  expect(pinned.pinned_message_id).toBe(tour.variables.MEDIA_ID);
  await tour.contact.waitForMessage(
    (message) => message.pinOf === tour.variables.MEDIA_ID && message.pinned === false,
  );
});

test('changing-messages.md: edit, then delete', async () => {
  await tour.run('edit');
  await tour.contact.waitForMessage(
    ({ editOf, text }) => editOf === tour.variables.ID && text === 'The new text',
  );
  await tour.run('delete');
  await tour.contact.waitForMessage((message) => message.revokeOf === tour.variables.ID);
});

test('calls.md', async () => {
  const api = tour.world.as(tour.variables.TOKEN);
  const call = await tour.contact.call(tour.shop);
  const { devices } = (await api.get('/devices')).body;
  Object.assign(tour.variables, { CALL: call.id, DEVICE: devices[0].id });
  const [rejected] = answers(await tour.run('call-reject'));
  expect(rejected.call_id).toBe(call.id);
  await tour.contact.waitForCall(({ callId, signal }) => callId === call.id && signal === 'reject');
  const [set, read] = answers(await tour.run('call-settings'));
  expect(read).toEqual(set);
  expect((await api.put(`/devices/${tour.variables.DEVICE}/calls`, { reject: false })).status).toBe(200);
});

test('profile.md', async () => {
  await writeFile(join(tour.folder, 'photo.jpg'), await jpeg());
  await tour.run('profile-change');
  const sent = await tour.world
    .as(tour.variables.TOKEN)
    .post('/send/text', { number: tour.contact.number, text: 'named' });
  const got = await tour.contact.waitForMessage(({ id }) => id === sent.body.message_id);
  expect(got.pushName).toBe('Loja 01');
  const [set, found, removed] = answers(await tour.run('profile-picture'));
  expect([found.picture_id, removed.success]).toEqual([set.picture_id, true]);
  const [before, after] = answers(await tour.run('privacy'));
  expect([before.data.LastSeen, after.data.LastSeen]).toEqual(['all', 'contacts']);
});

test('device-settings.md', async () => {
  const { devices } = (await tour.world.as(tour.variables.TOKEN).get('/devices')).body;
  Object.assign(tour.variables, { DEVICE: devices[0].id });
  const [set, read] = answers(await tour.run('device-settings'));
  expect(read).toEqual(set);
  const none = { ignore: [], mark_read: [], read_receipts: true, presence: 'as_asked' };
  const undone = await tour.world
    .as(tour.variables.TOKEN)
    .put(`/devices/${tour.variables.DEVICE}/settings`, none);
  expect(undone.body).toMatchObject(none);
});

test('proxies.md', async () => {
  const proxy = await startProxy('socks5');
  const { devices } = (await tour.world.as(tour.variables.TOKEN).get('/devices')).body;
  Object.assign(tour.variables, { PROXY_URL: proxy.url, DEVICE: devices[0].id });
  const [set, read] = answers(await tour.run('proxy-set'));
  expect([set.reconnect, read.effective.source]).toEqual(['connected', 'device']);
  const [, list] = answers(await tour.run('proxy-tenant'));
  expect(list.tenant_proxy.proxy_url).toContain('shop:***@');
  const [tried] = answers(await tour.run('proxy-test'));
  expect(tried).toMatchObject({ ok: true, unreachable: null });
  const deleted = answers(await tour.run('proxy-delete'));
  expect(deleted.map((each) => each.deleted)).toEqual([true, true]);
  await proxy.stop();
});

test('no marked block was left out', () => {
  expect([...tour.blocks.keys()]).toEqual([]);
});

/** Runs the curl lines of README and guides as they stand there, by bash, against a gateway on the sandbox. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Phone, PhoneMessage } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changedStore } from '../packages/gateway/test/moving/whatsmeow/sample-store.ts';
import { type Json, MASTER_TOKEN, until, World } from '../packages/gateway/test/story/harness.ts';
import { jpeg, sha256 } from '../packages/gateway/test/story/samples.ts';
import { startProxy } from '../packages/gateway/test/worlds/proxies.ts';

const ROOT = join(import.meta.dirname, '..');

/** What the blocks find in their environment, filled as the tour goes on. */
const variables = {
  TOKEN: '',
  ID: '',
  NUMBER: '',
  MEDIA_ID: '',
  GROUP: '',
  POLL: '',
  JOB: '',
  BULK: '',
  DEVICE: '',
  PROXY_URL: '',
  INVITE: '',
  COMMUNITY: '',
  CALL: '',
  NEWSLETTER: '',
  POST: '',
  ORDER: '',
  ORDER_TOKEN: '',
  ORDER_MESSAGE: '',
  STORY: '',
  SEEN: '',
  LABEL: '',
};
const blocks = new Map<string, string>();
let world: World;
let folder: string;
let shop: Phone;
let contact: Phone;
let picture: Buffer;

beforeAll(async () => {
  for (const file of await pages()) {
    const text = await readFile(file, 'utf8');
    for (const [, name = '', script = ''] of text.matchAll(
      /<!-- test: ([\w-]+) -->\n```bash\n([\s\S]*?)```/g,
    )) {
      blocks.set(name, script);
    }
  }
  folder = await mkdtemp(join(tmpdir(), 'wuts-docs-'));
  world = await World.create({
    sandbox: { companionRegRefresh: 'never' },
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
  });
  shop = await world.sandbox.createPhone({ number: '5511999994001', name: 'Shop' });
  await shop.becomeBusiness({ name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994002', name: 'Contact' });
  variables.NUMBER = contact.number;
  variables.GROUP = (await shop.createGroup('Team', [contact])).jid;
});
afterAll(async () => {
  await world?.destroy();
  await rm(folder, { recursive: true, force: true });
});

async function pages(): Promise<string[]> {
  const guides = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.md'));
  return [join(ROOT, 'README.md'), ...guides.map((name) => join(import.meta.dirname, name))];
}

/** Runs a block in an empty folder; any HTTP status from 400 on fails it. Returns what it printed. */
async function run(name: string): Promise<string> {
  const script = blocks.get(name);
  if (script === undefined) throw new Error(`no block is marked "<!-- test: ${name} -->"`);
  blocks.delete(name);
  const strict = 'set -eu\ncurl() { command curl --fail-with-body "$@"; }\n';
  const child = spawn('bash', ['-c', `${strict}${script}`], {
    cwd: folder,
    env: { PATH: process.env.PATH, BASE: world.gateway.url, MASTER_TOKEN, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const [code] = await once(child, 'close');
  const text = Buffer.concat(output).toString('utf8');
  expect(code, text).toBe(0);
  return text;
}

/** `curl -s` ends its output without a line break: answers stand side by side. */
function answers(output: string): Json[] {
  return output
    .replaceAll('}{', '}\n{')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test('README: register', async () => {
  const [answer] = answers(await run('register'));
  variables.TOKEN = answer.token;
  expect(answer.tenant.name).toBe('Acme');
});

test('README: link', async () => {
  const [device, qr, status] = answers(await run('link'));
  expect(status.data.connected).toBe(false);
  await shop.scanQr(qr.data.qr_code);
  await world.untilConnected(variables.TOKEN, device.device.id);
});

test('README: send', async () => {
  const [sent] = answers(await run('send'));
  variables.ID = sent.message_id;
  expect((await contact.waitForMessage((message) => message.id === sent.message_id)).text).toBe(
    'Hello from WUTS',
  );
});

test('README: follow', async () => {
  const [status, edited] = answers(await run('follow'));
  expect(['pending', 'delivered']).toContain(status.status);
  expect(edited.success).toBe(true);
  await contact.waitForMessage((message) => message.editOf === variables.ID);
});

test('README: media', async () => {
  picture = await jpeg();
  variables.MEDIA_ID = (await contact.sendImage(shop.number, { bytes: picture })).id;
  await until('the picture has come', async () => {
    const got = await world.as(variables.TOKEN).get(`/messages/${variables.MEDIA_ID}/media`);
    return got.status === 200;
  });
  await run('media');
  expect(sha256(await readFile(join(folder, 'picture.jpg')))).toBe(sha256(picture));
});

test('media.md: wait, head, range', async () => {
  await run('wait');
  expect(sha256(await readFile(join(folder, 'picture.jpg')))).toBe(sha256(picture));
  expect(await run('head')).toContain(sha256(picture));
  await run('range');
  const part = await readFile(join(folder, 'part.bin'));
  expect(part.equals(picture.subarray(0, 100))).toBe(true);
});

test('media.md: send a document', async () => {
  const [sent] = answers(await run('send-document'));
  const got = await contact.waitForMessage((message) => message.id === sent.message_id);
  expect((await contact.downloadMedia(got)).toString()).toBe('Hello');
});

test('media.md: send an album', async () => {
  const [sent] = answers(await run('album'));
  const items = await contact.waitForAlbum(sent.message_id);
  expect(items.map(({ text }) => text)).toEqual(['The front', 'The back']);
  expect(sha256(await contact.downloadMedia(items[0] as PhoneMessage))).toBe(sha256(picture));
});

test('groups.md: the groups, and one with its members', async () => {
  const [{ groups }, { group }] = answers(await run('groups'));
  expect(groups.map(({ jid }: Json) => jid)).toEqual([variables.GROUP]);
  expect(group.participants.map(({ jid }: Json) => jid)).toEqual([shop.jid, contact.jid]);
});

test('groups.md: an invite is looked at and joined', async () => {
  const { jid } = await contact.createGroup('Of others', []);
  variables.INVITE = `https://chat.whatsapp.com/${await contact.groupInvite({ jid })}`;
  const [seen, joined] = answers(await run('groups-join'));
  expect(seen).toMatchObject({ group: { jid, name: 'Of others' }, already_member: false });
  expect(joined).toEqual({ success: true, pending_approval: false, group_jid: jid });
});

test('groups.md: those who ask are let in', async () => {
  const group = { jid: variables.GROUP };
  await shop.setGroupApproval(group, true);
  await contact.leaveGroup(group);
  await contact.joinGroup(await shop.groupInvite(group));
  const [{ requests }, { participants }] = answers(await run('groups-requests'));
  expect(requests).toMatchObject([{ jid: contact.jid, method: 'invite_link' }]);
  expect(participants).toMatchObject([{ jid: contact.jid, status: 200, error: null }]);
});

test('groups.md: a community is made, a group linked to it and taken out again', async () => {
  const [{ community: made }] = answers(await run('groups-community-made'));
  expect(made).toMatchObject({
    name: 'Our street',
    members_count: 2,
    groups: [{ is_announcement_group: true }],
  });
  variables.COMMUNITY = made.jid;
  const [{ community }, linked, unlinked] = answers(await run('groups-community'));
  expect(community).toMatchObject({ jid: variables.COMMUNITY, name: 'Our street' });
  const names = { community_jid: variables.COMMUNITY, group_jid: variables.GROUP };
  expect([linked, unlinked]).toMatchObject([
    { ...names, linked: true },
    { ...names, linked: false },
  ]);
});

test('groups.md: a group is made and changed, and its members', async () => {
  const [{ group }] = answers(await run('group-make'));
  expect(await contact.groupInfo(group)).toMatchObject({ subject: 'Deliveries', announcement: true });
  expect(await run('group-list')).toContain(`\r\n${contact.number},${contact.jid},`);
  await run('group-change');
  const place = { jid: variables.GROUP };
  expect(await contact.groupInfo(place)).toMatchObject({
    description: 'Who drives when',
    locked: true,
    ephemeral: 604_800,
  });
  const [{ participants }] = answers(await run('group-members'));
  expect(participants).toMatchObject([{ jid: contact.jid, is_admin: true, status: 200, error: null }]);
  await shop.demote(place, contact);
});

test('linking.md: what would move in', async () => {
  const one = "delete from whatsmeow_device where jid <> '551199990001:2@s.whatsapp.net'";
  await writeFile(
    join(folder, 'session.tar.gz'),
    changedStore((database) => database.exec(one)),
  );
  const [would] = answers(await run('import'));
  expect(would).toMatchObject({ dry_run: true, source: { format: 'whatsmeow' }, status: 'new' });
});

test('labels.md: a label, and what it is on', async () => {
  const [{ label }, { labels }] = answers(await run('make-label'));
  expect(labels).toEqual([{ ...label, chats: 0, messages: 0 }]);
  variables.LABEL = label.id;
  const [chat, message, chats, messages, off] = answers(await run('put-label'));
  expect([chat.labeled, message.message_id, off.labeled]).toEqual([true, variables.ID, false]);
  expect(chats.chats).toMatchObject([{ jid: contact.jid }]);
  expect(messages.messages).toMatchObject([{ message_id: variables.ID }]);
});

test('chats.md: the list, and one chat', async () => {
  const [{ chats, count }, { chats: unread }, { chat }] = answers(await run('chats'));
  expect(chats).toHaveLength(count);
  expect(chats.map(({ jid }: Json) => jid)).toContain(variables.GROUP);
  expect(unread.every((each: Json) => each.unread_count > 0 || each.marked_unread)).toBe(true);
  expect(chat).toMatchObject({ jid: contact.jid, type: 'contact' });
});

test('chats.md: settings, which the phone has', async () => {
  const [pinned, unpinned, muted, archived, read, marked] = answers(await run('change-chat'));
  expect([pinned.pinned, unpinned.pinned, archived.archived, read.read, marked.read]).toEqual([
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(muted.duration_seconds).toBe(28_800);
  expect(await shop.account.pins()).toEqual([]);
});

test('chats.md: messages that disappear', async () => {
  const [week, off] = answers(await run('chat-timer'));
  expect(week).toMatchObject({ chat_jid: contact.jid, preset: '7d', seconds: 604_800 });
  expect(off).toMatchObject({ preset: 'off', seconds: 0 });
});

test('chats.md: messages of a chat, and a file of them', async () => {
  const [{ messages }] = answers(await run('export-chat'));
  expect(messages.length).toBeGreaterThan(0);
  const lines = (await readFile(join(folder, 'chat.jsonl'), 'utf8')).trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ complete: true, count: lines.length - 2 });
});

test('chats.md: presence', async () => {
  const [online, typing, subscribed] = answers(await run('presence'));
  expect([online.state, typing.state, subscribed.subject_jid]).toEqual([
    'available',
    'composing',
    contact.jid,
  ]);
});

test('errors.md: the same key sends once', async () => {
  const [first, second] = answers(await run('idempotent'));
  expect(second.message_id).toBe(first.message_id);
  await contact.waitForMessage((message) => message.id === first.message_id);
  expect(contact.inbox.filter((message) => message.text === 'Your order has left')).toHaveLength(1);
});

test('events.md: pull', async () => {
  const [first, latest] = answers(await run('events-pull'));
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
  const [sent] = answers(await run(name));
  const got = await contact.waitForMessage((message) => message.id === sent.message_id);
  expect(Object.keys(got.message)).toContain(member);
  if (name === 'poll') variables.POLL = got.id;
});

test('stories.md: post, choose who sees them, follow and take back', async () => {
  const [sent] = answers(await run('story'));
  await contact.waitForMessage((message) => message.id === sent.message_id);
  const [, chosen] = answers(await run('story-privacy'));
  expect(chosen).toMatchObject({ type: 'whitelist', count: 1 });
  variables.STORY = sent.message_id;
  const [accepted] = answers(await run('story-later'));
  expect(accepted.status).toBe('scheduled');
  const [followed, deleted] = answers(await run('story-follow'));
  expect([followed.story.reached, deleted.status_type]).toEqual([2, 'revoke']);
});

test('stories.md: what contacts post', async () => {
  variables.SEEN = (await contact.stories.postText('Good morning', { to: [shop] })).id;
  await until('the story is there', async () => {
    const headers = { authorization: `Bearer ${variables.TOKEN}` };
    return (await fetch(`${world.gateway.url}/stories/${variables.SEEN}`, { headers })).ok;
  });
  const [list, story, seen] = answers(await run('story-inbox'));
  expect(list.contacts[0].stories[0].message_id).toBe(variables.SEEN);
  expect([story.story.seen, seen.message_id]).toEqual([false, variables.SEEN]);
});

test('newsletters.md: make, publish, read', async () => {
  const [made] = answers(await run('newsletter'));
  variables.NEWSLETTER = made.newsletter.id;
  const [sent, list] = answers(await run('newsletter-post'));
  expect(list.messages.map(({ server_id }: Json) => server_id)).toEqual([sent.server_id]);
  variables.POST = sent.message_id;
  const [edited, live, gone] = answers(await run('newsletter-change'));
  expect([edited.success, live.seconds, gone.message_id]).toEqual([true, 300, sent.message_id]);
  const [found] = answers(await run('newsletter-search'));
  expect(found.newsletters.map(({ id }: Json) => id)).toEqual([made.newsletter.id]);
});

test('pacing-and-limits.md: status', async () => {
  const [status] = answers(await run('status-limit'));
  expect(status.data.limit).toBeNull();
});

test('later-and-bulk.md: schedule, look, cancel', async () => {
  const [made] = answers(await run('schedule'));
  expect(made.status).toBe('scheduled');
  variables.JOB = made.job_id;
  const [list, one, cancelled] = answers(await run('jobs'));
  expect(list.jobs.map(({ id }: Json) => id)).toContain(made.job_id);
  expect(one.job.state).toBe('scheduled');
  expect(cancelled.job.state).toBe('cancelled');
});

test('later-and-bulk.md: bulk', async () => {
  const [made] = answers(await run('bulk'));
  variables.BULK = made.bulk.id;
  await contact.waitForMessage((message) => message.text === 'We are closed on Friday');
  const [outcome] = answers(await run('bulk-outcome'));
  expect(outcome.messages).toHaveLength(1);
});

test('finding-messages.md: lists and one message', async () => {
  const [chat, pictures] = answers(await run('list-messages'));
  expect(chat.messages.map((message: Json) => message.message_id)).toContain(variables.ID);
  expect(pictures.messages.map((message: Json) => message.message_id)).toEqual([variables.MEDIA_ID]);
  const [one] = answers(await run('get-message'));
  expect(one.message).toMatchObject({ message_id: variables.ID, is_from_me: true });
  const [byChat] = answers(await run('get-message-by-chat'));
  expect(byChat).toEqual(one);
  const [search] = answers(await run('search-messages'));
  expect(search).toMatchObject({ success: true, complete: true });
  const [poll] = answers(await run('poll-results'));
  expect(poll).toMatchObject({ message_id: variables.POLL, total_voters: 0 });
});

test('contacts.md: check and resolve', async () => {
  const [checked] = answers(await run('check-numbers'));
  expect(checked.data).toEqual({ [contact.number]: true, '5511988887777': false });
  const [resolved] = answers(await run('resolve-people'));
  expect(resolved.items).toMatchObject([{ jid: contact.jid, lid: contact.lid }]);
});

test('contacts.md: list, save, remove', async () => {
  const [all, found] = answers(await run('list-contacts'));
  expect(all.contacts.map(({ jid }: Json) => jid)).toContain(contact.jid);
  expect(found.contacts).toMatchObject([{ push_name: 'Contact' }]);
  const [saved, removed] = answers(await run('save-contact'));
  expect(saved.contact).toMatchObject({ jid: contact.jid, full_name: 'Ana Souza', saved: true });
  expect(removed).toMatchObject({ success: true, jid: contact.jid });
  expect(Object.keys(await shop.account.contacts())).toEqual([]);
});

test('contacts.md: block', async () => {
  const [blocked, list, back] = answers(await run('block-list'));
  expect(blocked.data).toMatchObject({ jid: contact.jid, blocked: true, count: 1 });
  expect(list.data.items).toMatchObject([{ jid: contact.jid }]);
  expect(back.data).toMatchObject({ blocked: false, count: 0 });
});

test('contacts.md: profile and picture', async () => {
  await contact.setPicture(picture);
  const [profile] = answers(await run('contact-profile'));
  expect(profile.data.user_info.Status).toBe(profile.data.about);
  const [info] = answers(await run('contact-picture'));
  expect(info.data).toMatchObject({ jid: contact.jid, type: 'image', unchanged: false });
  expect(sha256(await readFile(join(folder, 'contact.jpg')))).toBe(sha256(picture));
});

test('changing-messages.md: forward', async () => {
  const [sent] = answers(await run('forward'));
  const got = await contact.waitForMessage((message) => message.id === sent.message_id);
  expect(sha256(await contact.downloadMedia(got))).toBe(sha256(picture));
});

test('changing-messages.md: pin and star', async () => {
  const [pinned, , starred] = answers(await run('pin-star'));
  expect(starred).toMatchObject({ message_id: variables.MEDIA_ID, starred: true });
  expect(pinned.pinned_message_id).toBe(variables.MEDIA_ID);
  await contact.waitForMessage((message) => message.pinOf === variables.MEDIA_ID && message.pinned === false);
});

test('changing-messages.md: edit, then delete', async () => {
  await run('edit');
  await contact.waitForMessage(({ editOf, text }) => editOf === variables.ID && text === 'The new text');
  await run('delete');
  await contact.waitForMessage((message) => message.revokeOf === variables.ID);
});

test('calls.md', async () => {
  const api = world.as(variables.TOKEN);
  const call = await contact.call(shop);
  const { devices } = (await api.get('/devices')).body;
  Object.assign(variables, { CALL: call.id, DEVICE: devices[0].id });
  const [rejected] = answers(await run('call-reject'));
  expect(rejected.call_id).toBe(call.id);
  await contact.waitForCall(({ callId, signal }) => callId === call.id && signal === 'reject');
  const [set, read] = answers(await run('call-settings'));
  expect(read).toEqual(set);
  expect((await api.put(`/devices/${variables.DEVICE}/calls`, { reject: false })).status).toBe(200);
});

test('profile.md', async () => {
  await writeFile(join(folder, 'photo.jpg'), await jpeg());
  await run('profile-change');
  const sent = await world.as(variables.TOKEN).post('/send/text', { number: contact.number, text: 'named' });
  const got = await contact.waitForMessage(({ id }) => id === sent.body.message_id);
  expect(got.pushName).toBe('Loja 01');
  const [set, found, removed] = answers(await run('profile-picture'));
  expect([found.picture_id, removed.success]).toEqual([set.picture_id, true]);
  const [before, after] = answers(await run('privacy'));
  expect([before.data.LastSeen, after.data.LastSeen]).toEqual(['all', 'contacts']);
});

test('device-settings.md', async () => {
  const { devices } = (await world.as(variables.TOKEN).get('/devices')).body;
  Object.assign(variables, { DEVICE: devices[0].id });
  const [set, read] = answers(await run('device-settings'));
  expect(read).toEqual(set);
  const none = { ignore: [], mark_read: [], read_receipts: true, presence: 'as_asked' };
  const undone = await world.as(variables.TOKEN).put(`/devices/${variables.DEVICE}/settings`, none);
  expect(undone.body).toMatchObject(none);
});

test('proxies.md', async () => {
  const proxy = await startProxy('socks5');
  const { devices } = (await world.as(variables.TOKEN).get('/devices')).body;
  Object.assign(variables, { PROXY_URL: proxy.url, DEVICE: devices[0].id });
  const [set, read] = answers(await run('proxy-set'));
  expect([set.reconnect, read.effective.source]).toEqual(['connected', 'device']);
  const [, list] = answers(await run('proxy-tenant'));
  expect(list.tenant_proxy.proxy_url).toContain('shop:***@');
  const [tried] = answers(await run('proxy-test'));
  expect(tried).toMatchObject({ ok: true, unreachable: null });
  const deleted = answers(await run('proxy-delete'));
  expect(deleted.map((each) => each.deleted)).toEqual([true, true]);
  await proxy.stop();
});

test('business.md: what is sold, ordered, said', async () => {
  const product = { id: '5550001', name: 'Hat', price: 19_900, currency: 'BRL' };
  world.sandbox.stock(shop, { products: [product] });
  await contact.becomeBusiness({ name: 'Contact' });
  const [own, other, sorted] = answers(await run('business-catalog'));
  expect([own.products[0].price, other.count, sorted.count]).toEqual([19.9, 0, 0]);
  const { id, token } = world.sandbox.placeOrder(shop, [{ product, quantity: 2 }]);
  const sent = await contact.sendRaw(shop, { orderMessage: { orderId: id, token, sellerJid: shop.jid } });
  Object.assign(variables, { ORDER: id, ORDER_TOKEN: token, ORDER_MESSAGE: sent.id });
  const api = world.as(variables.TOKEN);
  await until('the order is here', async () => (await api.get(`/messages/${sent.id}`)).status === 200);
  const [byMessage, byToken] = answers(await run('business-order'));
  expect(byToken.order).toEqual(byMessage.order);
  const [changed, read] = answers(await run('business-profile'));
  expect(read.profile).toEqual(changed.profile);
});

test('newsletters.md: who runs one', async () => {
  const [asked, listed, taken] = answers(await run('newsletter-admins'));
  await contact.waitForMessage(({ id }) => id === asked.invite_sent.message_id);
  expect(listed.invited).toEqual([taken.person]);
});

test('no marked block was left out', () => {
  expect([...blocks.keys()]).toEqual([]);
});

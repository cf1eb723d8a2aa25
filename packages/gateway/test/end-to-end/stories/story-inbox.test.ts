/** The stories of contacts: listed by contact, seen by us, taken back by their authors. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { type Api, type Json, until, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

const HOUR = 3600_000;

let world: World;
let clock: AdvancingClock;
let token: string;
let device: string;
let shop: Phone;
let ana: Phone;
let bob: Phone;
/** The server tells nobody the number. */
let hidden: Phone;

const api = (): Api => world.as(token);

beforeAll(async () => {
  clock = new AdvancingClock();
  world = await World.create({ clock });
  token = await world.tenant('inbox');
  shop = await world.sandbox.createPhone({ number: '5511999998801', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999998802', name: 'Ana' });
  bob = await world.sandbox.createPhone({ number: '5511999998803', name: 'Bob' });
  hidden = await world.sandbox.createPhone({ number: '5511999998804', name: 'Hidden' });
  device = await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());

async function list(query = ''): Promise<Json> {
  const answer = await api().get(`/stories${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

async function story(id: string): Promise<Json> {
  const answer = await api().get(`/stories/${id}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.story;
}

async function events(...names: string[]): Promise<Json[]> {
  const query = names.map((name) => `event=${name}`).join('&');
  return (await api().get(`/events?limit=1000&${query}`)).body.events;
}

/** Resolves once the event of that name about the message is there. */
const told = (name: string, id: string) =>
  until(`${name} of ${id}`, async () =>
    (await events(name)).find(({ data }: Json) => data.message_id === id),
  );

const receiptsOf = (phone: Phone, id: string) =>
  phone.receivedReceipts.filter(({ type, messageId }) => type === 'read' && messageId === id);

describe('the stories of contacts', () => {
  test('are listed by contact, the newest first, with how they look', async () => {
    const first = await ana.stories.postText('Good morning', {
      to: [shop],
      background: 0xff_10_20_30,
      color: 0xff_ff_80_40,
      font: 2,
    });
    const event = await told('story.received', first.id);
    expect(event.data).toMatchObject({
      message_type: 'text',
      content: 'Good morning',
      background_color: '#102030',
      text_color: '#ff8040',
      font: 2,
      sender: { jid: ana.jid, lid: ana.lid, phone_number: ana.number, push_name: 'Ana' },
    });
    expect(await told('message.received', first.id)).toMatchObject({
      data: { chat_jid: 'status@broadcast', details: { background_color: '#102030' } },
    });
    const picture = await jpeg(120, 90);
    const { imageMessage } = { imageMessage: await bob.uploadMedia('image', picture) };
    const second = await bob.stories.post(
      { imageMessage: { ...imageMessage, mimetype: 'image/jpeg', caption: 'Hats' } },
      { to: [shop.number, ana.number] },
    );
    await told('story.received', second.id);
    const { contacts, count, next_cursor } = await list();
    expect([count, next_cursor]).toEqual([2, null]);
    expect(contacts.map(({ contact }: Json) => contact.jid).sort()).toEqual([ana.jid, bob.jid]);
    const [ofBob] = contacts.filter(({ contact }: Json) => contact.jid === bob.jid);
    expect(ofBob).toMatchObject({
      name: 'Bob',
      muted: false,
      count: 1,
      unseen_count: 1,
      stories: [
        { message_id: second.id, message_type: 'image', content: 'Hats', seen: false, seen_at: null },
      ],
    });
    const { media, record_id } = ofBob.stories[0];
    expect(media.url).toBe(`/messages/${record_id}/media`);
    const file = await api().get(media.url);
    expect([file.status, sha256(file.bytes)]).toEqual([200, sha256(picture)]);
    expect(await story(second.id)).toMatchObject({
      is_from_me: false,
      sender: { jid: bob.jid },
      device_id: device,
    });
  });

  test('are seen once, which the contact is told with whose story it is', async () => {
    const { id } = await ana.stories.postText('Look', { to: [shop] });
    await told('story.received', id);
    const marked = await api().post(`/stories/${id}/seen`);
    expect(marked.status, JSON.stringify(marked.body)).toBe(200);
    await ana.waitForReceipt(({ type, messageId }) => type === 'read' && messageId === id);
    expect(receiptsOf(ana, id)).toMatchObject([{ chat: 'status@broadcast', from: shop.jid }]);
    expect(await story(id)).toMatchObject({ seen: true, seen_at: marked.body.seen_at });
    const again = await api().post(`/stories/${id}/seen`);
    expect(again.body).toEqual(marked.body);
    const other = await ana.stories.postText('Look again', { to: [shop] });
    await told('story.received', other.id);
    await api().post(`/stories/${other.id}/seen`);
    await ana.waitForReceipt(({ type, messageId }) => type === 'read' && messageId === other.id);
    expect(receiptsOf(ana, id)).toHaveLength(1);
  });

  test('are seen in secret where the device hides what it reads', async () => {
    await api().put(`/devices/${device}/settings`, { read_receipts: false });
    const { id } = await ana.stories.postText('A secret', { to: [shop] });
    await told('story.received', id);
    expect((await api().post(`/stories/${id}/seen`)).status).toBe(200);
    expect(await story(id)).toMatchObject({ seen: true });
    await api().put(`/devices/${device}/settings`, { read_receipts: true });
    const open = await ana.stories.postText('None', { to: [shop] });
    await told('story.received', open.id);
    await api().post(`/stories/${open.id}/seen`);
    await ana.waitForReceipt(({ type, messageId }) => type === 'read' && messageId === open.id);
    expect(receiptsOf(ana, id)).toEqual([]);
  });

  test('are seen as well when the phone has shown them', async () => {
    const { id } = await bob.stories.postText('On the phone', { to: [shop] });
    await told('story.received', id);
    await shop.waitForMessage((message) => message.id === id);
    await shop.markRead('status@broadcast', [id]);
    await until('it is seen', async () => (await story(id)).seen);
    const unseen = await list('?seen=false');
    expect(
      unseen.contacts.flatMap(({ stories }: Json) => stories.map((each: Json) => each.message_id)),
    ).not.toContain(id);
  });

  test('are gone when their author takes them back, also while the file is on its way', async () => {
    const picture = await jpeg(300, 300);
    const content = {
      imageMessage: { ...(await ana.uploadMedia('image', picture)), mimetype: 'image/jpeg' },
    };
    const { id } = await ana.stories.post(content, { to: [shop] });
    const { data } = await told('story.received', id);
    const [file] = await Promise.all([api().get(data.media.url), ana.stories.delete(id)]);
    expect(file.status).toBe(200);
    expect(sha256(file.bytes)).toBe(sha256(picture));
    const deleted = await told('story.deleted', id);
    expect(deleted.data).toMatchObject({ record_id: data.record_id, sender: { jid: ana.jid } });
    const { contacts } = await list();
    expect(
      contacts.flatMap(({ stories }: Json) => stories.map((each: Json) => each.message_id)),
    ).not.toContain(id);
    for (const path of [`/stories/${id}`, `/stories/${data.record_id}`]) {
      const gone = await api().get(path);
      expect([gone.status, gone.body.error_code], path).toEqual([404, 'MESSAGE_NOT_FOUND']);
    }
    expect((await api().post(`/stories/${id}/seen`)).status).toBe(404);
  });

  test('are answered in the chat with their author, and say which one is', async () => {
    const { id } = await ana.stories.postText('Coffee?', { to: [shop] });
    await told('story.received', id);
    const answer = await api().post('/send/text', {
      to: ana.number,
      text: 'Yes',
      quoted: { message_id: id },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const got = await ana.waitForMessage((message) => message.id === answer.body.message_id);
    expect([got.chat, got.message.extendedTextMessage?.contextInfo]).toMatchObject([
      shop.jid,
      { stanzaId: id, remoteJid: 'status@broadcast', participant: ana.jid },
    ]);
    // No story of somebody else is quoted so, whatever its id.
    const other = await api().post('/send/text', { to: bob.number, text: 'Yes', quoted: { message_id: id } });
    const wrong = await bob.waitForMessage((message) => message.id === other.body.message_id);
    expect(wrong.message.extendedTextMessage?.contextInfo?.stanzaId ?? null).toBeNull();

    const ours = await api().post('/status/text', { text: 'Tea?', audience: [ana.number] });
    await ana.waitForMessage((message) => message.id === ours.body.message_id);
    const reply = await ana.sendText(shop.number, 'Tea!', { quoted: ours.body.message_id });
    const { data } = await told('message.received', reply.id);
    expect(data.quoted).toMatchObject({
      message_id: ours.body.message_id,
      chat_jid: 'status@broadcast',
      body: 'Tea?',
    });
  });

  test('of a contact that is known by LID alone are found under that', async () => {
    world.sandbox.faults.hideOtherName(hidden.number);
    await hidden.stories.postText('Who am I?', { to: [shop] });
    const found = await until('the story is there', async () => {
      const { contacts } = await list(`?contact=${encodeURIComponent(hidden.lid)}`);
      return contacts[0];
    });
    expect(found).toMatchObject({ contact: { lid: hidden.lid }, count: 1 });
    const seen = await api().post(`/stories/${found.stories[0].record_id}/seen`);
    expect(seen.status).toBe(200);
    await hidden.waitForReceipt(({ type }) => type === 'read');
  });

  test('of a contact that the account keeps apart say so', async () => {
    await shop.account.muteStatusOf(bob);
    const muted = async () => (await list(`?contact=${bob.number}`)).contacts[0]?.muted === true;
    await until('it is marked', muted);
    await shop.account.muteStatusOf(bob, false);
    await until('it is no more', async () => !(await muted()));
  });

  test('come page by page, each contact once', async () => {
    const all = (await list()).contacts.map(({ contact }: Json) => contact.lid);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await list(`?limit=1${cursor && `&cursor=${cursor}`}`);
      expect(page.contacts).toHaveLength(1);
      seen.push(page.contacts[0].contact.lid);
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(all);
    const odd = await api().get('/stories?cursor=AAAA');
    expect([odd.status, odd.body.error_code]).toEqual([400, 'INVALID_REQUEST']);
  });

  test('of somebody who posts all day are counted, and no more of them are read than a page has', async () => {
    const posts = Array.from({ length: 35 }, (_, index) => `Post ${index}`);
    for (const text of posts) await hidden.stories.postText(text, { to: [shop] });
    const of = async (query: string) =>
      (await list(query)).contacts.find(({ contact }: Json) => contact.lid === hidden.lid);
    const all = await until('all are there', async () => {
      const found = await of('');
      return found?.count === 36 && found;
    });
    expect(all.stories).toHaveLength(30);
    expect(all.unseen_count).toBe(35);
    const whole = await of(`?contact=${encodeURIComponent(hidden.lid)}`);
    expect(whole.stories.map(({ content }: Json) => content)).toEqual([...posts.toReversed(), 'Who am I?']);
    expect((await of('?seen=true')).stories).toHaveLength(1);
  });

  test('are the same after a restart, and over after a day', async () => {
    const before = await list();
    await world.restartGateway();
    await world.untilConnected(token, device);
    expect(await list()).toEqual(before);
    clock.advance(25 * HOUR);
    expect((await list()).contacts).toEqual([]);
    const since = new Date(clock.now() - 48 * HOUR).toISOString();
    expect((await list(`?after=${since}`)).count).toBe(before.count);
  });
});

test('neither another tenant nor another account on the device has any of it', async () => {
  const { id } = await ana.stories.postText('For the shop', { to: [shop] });
  await told('story.received', id);
  const { record_id: record } = await story(id);
  const other = world.as(await world.tenant('others'));
  await other.post('/devices', { name: 'theirs' });
  expect((await other.get('/stories')).body.contacts).toEqual([]);
  for (const each of [id, record]) {
    expect((await other.get(`/stories/${each}`)).status).toBe(404);
    expect((await other.post(`/stories/${each}/seen`)).status).toBe(404);
  }
  expect((await api().post(`/logout?device_id=${device}`)).status).toBe(200);
  const qr = (await api().get(`/qr?device_id=${device}`)).body.data.qr_code;
  const successor = await world.sandbox.createPhone({ number: '5511999998809', name: 'Successor' });
  await successor.scanQr(qr);
  await world.untilConnected(token, device);
  expect((await list()).contacts).toEqual([]);
  const late = await api().post(`/stories/${record}/seen`);
  expect([late.status, late.body.error_code]).toEqual([409, 'ACCOUNT_CHANGED']);
  expect(receiptsOf(ana, id)).toEqual([]);
});

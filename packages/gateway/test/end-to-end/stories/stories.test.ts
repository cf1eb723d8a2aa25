/** Stories ("status"): posted to those who may see them, seen, taken back; and who may see them. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

const STORIES = 'status@broadcast';

let world: World;
let api: Api;
let shop: Phone;
let ana: Phone;
let bob: Phone;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('stories');
  shop = await world.sandbox.createPhone({ number: '5511999998501', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999998502', name: 'Ana' });
  bob = await world.sandbox.createPhone({ number: '5511999998503', name: 'Bob' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());

const got = (phone: Phone, id: string) => phone.waitForMessage((message) => message.id === id);

async function posted(path: string, body: object): Promise<Json> {
  const answer = await api.post(path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

async function story(id: string): Promise<Json> {
  return (await api.get(`/stories/${id}`)).body.story;
}

/** Who sees the stories, once the phone has told the server. */
async function chosen(type: string): Promise<Json> {
  return until(`the stories are for ${type}`, async () => {
    const [list] = (await api.get('/status/privacy')).body.lists;
    return list.type === type && list;
  });
}

describe('a story', () => {
  test('of text reaches those who were named, and our own phone, and says how it looks', async () => {
    const body = await posted('/status/text', {
      text: 'Open until ten',
      background_color: '#102030',
      text_color: '#ff8040',
      font: 2,
      audience: [ana.number],
    });
    expect(body).toMatchObject({ success: true, status_type: 'text', recipients: 2, reached: 2 });
    const { chat, message } = await got(ana, body.message_id);
    expect(chat).toBe(STORIES);
    expect(message.extendedTextMessage).toMatchObject({
      text: 'Open until ten',
      backgroundArgb: 0xff_10_20_30,
      textArgb: 0xff_ff_80_40,
      font: 2,
    });
    await got(shop, body.message_id);
    expect(bob.inbox.map(({ id }) => id)).not.toContain(body.message_id);
    expect((await api.get(`/messages/${body.message_id}`)).body.message).toMatchObject({
      chat_jid: STORIES,
      content: 'Open until ten',
    });
  });

  test('of a picture', async () => {
    const picture = await jpeg(120, 90);
    const data = `data:image/jpeg;base64,${picture.toString('base64')}`;
    const body = await posted('/status/media', { data, caption: 'Hats', audience: [ana.jid] });
    expect(body).toMatchObject({ status_type: 'image', mime_type: 'image/jpeg' });
    const message = await got(ana, body.message_id);
    expect(message.text).toBe('Hats');
    expect(sha256(await ana.downloadMedia(message))).toBe(sha256(picture));
  });

  test('is seen: the view is counted', async () => {
    const { message_id: id } = await posted('/status/text', { text: 'Look', audience: [ana.number] });
    await got(ana, id);
    expect((await story(id)).views).toBe(0);
    await ana.markRead(STORIES, [id]);
    await until('the view is there', async () => (await story(id)).views === 1);
  });

  test('is taken back from those who have it', async () => {
    const { message_id: id } = await posted('/status/text', { text: 'A mistake', audience: [ana.number] });
    await got(ana, id);
    const deleted = await api.delete(`/stories/${id}`);
    expect(deleted.status, JSON.stringify(deleted.body)).toBe(200);
    const revoke = await got(ana, deleted.body.message_id);
    expect(revoke.revokeOf).toBe(id);
    expect(await story(id)).toMatchObject({ state: 'deleted' });
    const again = await api.delete(`/stories/${id}`);
    expect([again.status, again.body.error_code]).toEqual([409, 'NOT_DELETABLE']);
  });

  test('posted twice with one key is one', async () => {
    const body = { text: 'Once', audience: [ana.number] };
    const key = { 'idempotency-key': 'story-1' };
    const first = await api.post('/status/text', body, key);
    const second = await api.post('/status/text', body, key);
    expect(second.body.message_id).toBe(first.body.message_id);
    await got(ana, first.body.message_id);
    expect(ana.inbox.filter(({ text }) => text === 'Once')).toHaveLength(1);
  });
});

describe('who sees stories', () => {
  test('is chosen for all devices of the account: only some, all but some, all', async () => {
    const put = async (body: object) => (await api.put('/status/privacy', body)).body;
    const some = await put({ type: 'whitelist', list: [ana.number] });
    expect(some).toMatchObject({ success: true, type: 'whitelist', count: 1, list: [ana.jid] });
    expect(await chosen('whitelist')).toEqual({ type: 'whitelist', default: true, list: [ana.jid] });
    const told = (await api.get('/events?limit=1000')).body.events.filter(
      ({ event }: Json) => event === 'settings.status_privacy',
    );
    expect(told.at(-1).data).toMatchObject({ type: 'whitelist', list: [{ jid: ana.jid }] });
    const { message_id: id } = await posted('/status/text', { text: 'For some' });
    await got(ana, id);
    expect(bob.inbox.map((message) => message.id)).not.toContain(id);
    expect(await put({ type: 'contacts', list: [ana.number] })).toMatchObject({ count: 0, list: [] });
    expect(await chosen('contacts')).toEqual({ type: 'contacts', default: true, list: [] });
  });

  test('are the contacts of the account, but for those on the list', async () => {
    await shop.account.saveContact(ana, 'Ana');
    await shop.account.saveContact(bob, 'Bob');
    await until('both are known', async () => (await api.get('/contacts')).body.count >= 2);
    const all = await posted('/status/text', { text: 'For all' });
    expect(all.recipients).toBe(3);
    await Promise.all([got(ana, all.message_id), got(bob, all.message_id)]);
    await api.put('/status/privacy', { type: 'blacklist', list: [bob.number] });
    await chosen('blacklist');
    const most = await posted('/status/text', { text: 'For most' });
    expect(most.recipients).toBe(2);
    await got(ana, most.message_id);
    expect(bob.inbox.map(({ id }) => id)).not.toContain(most.message_id);
  });
});

test.each([
  ['/status/text', { text: '' }, 'text'],
  ['/status/text', { text: 'x', background_color: 'red' }, 'background_color'],
  ['/status/text', { text: 'x', audience: ['nobody'] }, 'audience.0'],
  ['/status/media', { media_type: 'image' }, 'data'],
  ['/status/media', { data: 'aGk=' }, 'media_type'],
])('%s refuses %j', async (path, body, field) => {
  const { status, body: answer } = await api.post(path, body);
  expect([status, answer.error_code]).toEqual([400, 'INVALID_REQUEST']);
  expect(answer.validation.map((each: Json) => each.field)).toContain(field);
});

test('an empty list of those who alone may see them is refused', async () => {
  const { status, body } = await api.put('/status/privacy', { type: 'whitelist', list: [] });
  expect([status, body.error_code, body.error]).toEqual([
    400,
    'INVALID_REQUEST',
    'list: list cannot be empty for whitelist',
  ]);
});

test('a device that is not connected says so in the words of stories', async () => {
  const token = await world.tenant('unlinked');
  const other = world.as(token);
  await other.post('/devices', { name: 'new' });
  const { status, body } = await other.post('/status/text', { text: 'x' });
  expect([status, body.error_code, body.reason]).toEqual([503, 'DEVICE_DISCONNECTED', 'never_linked']);
});

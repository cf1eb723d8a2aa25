/** Channels: made, found, followed, written in and read, with a phone that follows or writes. */
import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

let world: World;
let api: Api;
let shop: Phone;
let reader: Phone;
/** Ours, made through the API. */
let offers: string;
/** Of somebody else. */
let news: string;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('channels');
  shop = await world.sandbox.createPhone({ number: '5511999998401', name: 'Shop' });
  reader = await world.sandbox.createPhone({ number: '5511999998402', name: 'Reader' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  const made = await api.post('/newsletters', { name: 'Offers', description: 'What is new' });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  offers = made.body.newsletter.id;
  const { network } = world.sandbox;
  const owner = network.directory.resolve(reader.jid);
  if (!owner) throw new Error('the reader has an account');
  news = network.newsletters.create('City news', { owner, description: 'All day' }).jid;
  await reader.account.followNewsletter(offers);
});
afterAll(() => world.destroy());

const posts = async (jid: string, query = ''): Promise<Json[]> => {
  const answer = await api.get(`/newsletters/${jid}/messages${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(answer.body.count).toBe(answer.body.messages.length);
  return answer.body.messages;
};

describe('a channel', () => {
  test('of ours is described in the documented shape', async () => {
    const { body } = await api.get(`/newsletters/${offers}`);
    expect(body.newsletter).toMatchObject({
      id: offers,
      state: { type: 'active' },
      thread_metadata: {
        name: { text: 'Offers' },
        description: { text: 'What is new' },
        subscribers_count: '2',
        verification: 'unverified',
      },
      viewer_metadata: { mute: 'off', role: 'owner' },
      name: 'Offers',
      subscribers: 2,
    });
  });

  test('is found by its link, and by the end of that', async () => {
    const { body } = await api.get(`/newsletters/${offers}/invite`);
    expect(body).toMatchObject({ success: true, jid: offers });
    expect(body.invite_link).toBe(`https://whatsapp.com/channel/${body.invite_code}`);
    for (const name of [body.invite_code, body.invite_link]) {
      const found = await api.get(`/newsletters/${encodeURIComponent(name)}`);
      expect(found.body.newsletter?.id, name).toBe(offers);
    }
  });

  test('is followed, muted, and followed no more', async () => {
    const role = async () => (await api.get(`/newsletters/${news}`)).body.newsletter.viewer_metadata;
    expect((await api.post(`/newsletters/${news}/subscribe`)).body).toEqual({
      success: true,
      jid: news,
      subscribed: true,
    });
    expect(await role()).toEqual({ mute: 'off', role: 'subscriber' });
    await api.post(`/newsletters/${news}/mute`, { muted: true });
    expect(await role()).toEqual({ mute: 'on', role: 'subscriber' });
    const listed = await api.get('/newsletters');
    expect(listed.body.newsletters.map(({ id }: Json) => id).sort()).toEqual([offers, news].sort());
    expect((await api.delete(`/newsletters/${news}/subscribe`)).body.subscribed).toBe(false);
    expect(await role()).toEqual({ mute: 'off', role: 'guest' });
  });

  test('has the picture that it is made with, cut to a square', async () => {
    const picture = (await jpeg(900, 700)).toString('base64');
    const made = await api.post('/newsletters', { name: 'Shown', picture });
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    const { direct_path: path } = made.body.newsletter.thread_metadata.picture;
    const kept = world.sandbox.cdn.objects().find((object) => path.startsWith(object.path));
    const { format, width, height } = await sharp(kept?.bytes).metadata();
    expect({ format, width, height }).toEqual({ format: 'jpeg', width: 640, height: 640 });
    const bad = await api.post('/newsletters', { name: 'Shown', picture: 'aGk=' });
    expect([bad.status, bad.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
  });

  test('that WhatsApp does not know, and what is no channel', async () => {
    const unknown = '120363499999999999@newsletter';
    const asked = await Promise.all([
      api.get(`/newsletters/${unknown}`),
      api.get(`/newsletters/${unknown}/messages`),
      api.post(`/newsletters/${unknown}/subscribe`),
      api.post(`/newsletters/${unknown}/messages`, { text: 'hello' }),
    ]);
    expect(asked.map(({ status, body }) => [status, body.error_code])).toEqual(
      asked.map(() => [404, 'NOT_FOUND']),
    );
    const group = await api.get('/newsletters/120363039000000000@g.us/messages');
    expect([group.status, group.body.error_code]).toEqual([400, 'INVALID_RECIPIENT']);
  });
});

describe('a post', () => {
  test('of ours reaches the follower as it is written, and says nothing beside', async () => {
    const sent = await api.post(`/newsletters/${offers}/messages`, { text: 'Hats, half price' });
    expect(sent.body).toMatchObject({
      success: true,
      newsletter: offers,
      status_type: 'text',
      server_id: expect.any(Number),
    });
    const got = await reader.waitForMessage(({ id }) => id === sent.body.message_id);
    expect([got.chat, got.text]).toEqual([offers, 'Hats, half price']);
    // What is in it everybody may read: no secret that others could answer under.
    expect(got.message.messageContextInfo).toBeFalsy();
    const [newest] = (await posts(offers, '?count=1')) as [Json];
    expect(newest).toMatchObject({
      MessageServerID: sent.body.server_id,
      MessageID: sent.body.message_id,
      Type: 'text',
      content: 'Hats, half price',
      ViewsCount: 0,
      ReactionCounts: {},
    });
    const stored = await api.get(`/messages/${sent.body.message_id}`);
    expect(stored.body.message).toMatchObject({ chat_jid: offers, content: 'Hats, half price' });
  });

  test.each([
    '/newsletters/{}/media',
    '/send/image',
  ])('with a picture by %s is uploaded as it is', async (path) => {
    const picture = await jpeg(120, 80);
    const base64 = picture.toString('base64');
    const body =
      path === '/send/image'
        ? { to: offers, image: base64, caption: 'Red' }
        : { media_type: 'image', media: base64, caption: 'Red' };
    const sent = await api.post(path.replace('{}', offers), body);
    expect(sent.status, JSON.stringify(sent.body)).toBe(200);
    const got = await reader.waitForMessage(({ id }) => id === sent.body.message_id);
    expect(got.message.imageMessage).toMatchObject({ caption: 'Red' });
    expect(got.message.imageMessage?.mediaKey?.length ?? 0).toBe(0);
    expect(sha256(await reader.downloadMedia(got))).toBe(sha256(picture));
    const served = await api.get(`/messages/${sent.body.message_id}/media`);
    expect(sha256(served.bytes)).toBe(sha256(picture));
  });

  test('is looked at and reacted to by its number; the counts say so', async () => {
    await api.post(`/newsletters/${news}/subscribe`);
    const { serverId } = await reader.channels.post(news, 'Rain at noon');
    const read = await api.post(`/newsletters/${news}/read`, { server_ids: [String(serverId)] });
    expect(read.body).toEqual({ success: true, newsletter: news, count: 1 });
    const react = (reaction: string) =>
      api.post(`/newsletters/${news}/reaction`, { server_id: serverId, reaction });
    expect((await react('👍')).body).toMatchObject({ success: true, server_id: serverId, reaction: '👍' });
    expect((await posts(news))[0]).toMatchObject({ views: 1, reactions: { '👍': 1 } });
    await react('');
    expect((await posts(news))[0]).toMatchObject({ ReactionCounts: {} });
  });

  test('of the one followed comes in as a message, too', async () => {
    const { id } = await reader.channels.post(news, 'Sun at one');
    await until('the post is stored', async () => (await api.get(`/messages/${id}`)).status === 200);
    expect((await api.get(`/messages/${id}`)).body.message).toMatchObject({
      chat_jid: news,
      content: 'Sun at one',
    });
  });

  test('pages go back from the newest', async () => {
    for (const each of ['one', 'two', 'three']) await reader.channels.post(news, each);
    const newest = await posts(news, '?count=2');
    expect(newest.map(({ content }) => content)).toEqual(['two', 'three']);
    const older = await posts(news, `?count=2&before=${newest[0].server_id}`);
    expect(older.map(({ content }) => content)).toEqual(['Sun at one', 'one']);
  });

  test('in the channel of somebody else is refused, and what makes no sense', async () => {
    const refused = await api.post(`/newsletters/${news}/messages`, { text: 'Buy hats' });
    expect([refused.status, refused.body.error_code]).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    const none = await api.post(`/newsletters/${offers}/media`, { media_type: 'image' });
    expect([none.status, none.body.validation[0].field]).toEqual([400, 'media']);
    const id = await api.post(`/newsletters/${offers}/read`, { server_ids: ['x'] });
    expect([id.status, id.body.validation[0].field]).toEqual([400, 'server_ids.0']);
  });
});

test("another tenant's device is not asked", async () => {
  const stranger = world.as(await world.tenant('elsewhere'));
  const asked = await stranger.get(`/newsletters/${offers}`);
  expect([asked.status, asked.body.error_code]).toEqual([404, 'DEVICE_NOT_FOUND']);
});

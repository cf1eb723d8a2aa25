/** Posts of channels, changed and taken back by all who may, and their counts as they change. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';
import { jpeg } from '../samples.ts';

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let ana: Phone;
/** Ours, made through the API; Ana is an admin of it. */
let offers: string;
/** Ana's, which we follow. */
let news: string;

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 2_000, queryTimeoutMs: 2_000 } });
  token = await world.tenant('changes');
  [shop, ana] = (await Promise.all(
    ['Shop', 'Ana'].map((name, index) =>
      world.sandbox.createPhone({ number: `551199999860${index + 1}`, name }),
    ),
  )) as [Phone, Phone];
  await world.linkByQr(token, shop);
  api = world.as(token);
  offers = (await api.post('/newsletters', { name: 'Offers' })).body.newsletter.id;
  await api.post(`/newsletters/${offers}/admins/invites`, { number: ana.number });
  await ana.channels.acceptAdmin(offers);
  const owner = world.sandbox.network.directory.resolve(ana.jid);
  if (!owner) throw new Error('Ana has an account');
  news = world.sandbox.network.newsletters.create('City news', { owner }).jid;
  await api.post(`/newsletters/${news}/subscribe`);
});
afterAll(() => world.destroy());

const coded = ({ status, body }: { status: number; body: Json }) => [status, body.error_code];
const published = async (text: string): Promise<{ id: string; serverId: number }> => {
  const { status, body } = await api.post(`/newsletters/${offers}/messages`, { text });
  expect(status, JSON.stringify(body)).toBe(200);
  await ana.waitForMessage(({ id }) => id === body.message_id);
  return { id: body.message_id, serverId: body.server_id };
};
const stored = async (id: string): Promise<Json> => (await api.get(`/messages/${id}`)).body.message;
const listed = async (jid: string, serverId: number): Promise<Json> => {
  const { messages } = (await api.get(`/newsletters/${jid}/messages?before=${serverId + 1}&count=1`)).body;
  return messages[0];
};
const eventOf = (name: string, fits: (data: Json) => boolean): Promise<Json> =>
  until(`${name} is told`, async () => {
    const { events } = (await api.get(`/events?event=${name}&limit=100`)).body;
    return events.map(({ data }: Json) => data).find(fits);
  });

describe('a post of ours', () => {
  test('gets another text under its own id, and has its number everywhere', async () => {
    const { id, serverId } = await published('Hats, half price');
    expect((await stored(id)).server_id).toBe(serverId);
    const sent = await eventOf('message.sent', ({ message_id }) => message_id === id);
    expect(sent.server_id).toBe(serverId);
    const edit = await api.put(`/newsletters/${offers}/messages/${id}`, { text: 'Hats, a third off' });
    expect(edit.status, JSON.stringify(edit.body)).toBe(200);
    expect(edit.body).toMatchObject({ success: true, newsletter: offers });
    const got = await ana.waitForMessage((message) => message.id === `${id}/3`);
    // The new content as it is: in a channel nothing is wrapped.
    expect(got.message).toEqual(expect.objectContaining({ conversation: 'Hats, a third off' }));
    expect(got.message.editedMessage).toBeFalsy();
    expect(await listed(offers, serverId)).toMatchObject({ message_id: id, content: 'Hats, a third off' });
    expect(await stored(id)).toMatchObject({ content: 'Hats, a third off', server_id: serverId });
    const { messages } = (await api.get(`/newsletters/${offers}/messages`)).body;
    expect(messages.filter(({ message_id }: Json) => message_id === id)).toHaveLength(1);
    const told = await eventOf('message.edited', ({ message_id }) => message_id === id);
    expect(told).toMatchObject({ content: 'Hats, a third off', chat_jid: offers, is_from_me: true });
  });

  test('is changed at any time within 30 days, many times, also at once', async () => {
    const { id, serverId } = await published('0');
    const edits = ['1', '2', '3', '4', '5'];
    const answers = await Promise.all(
      edits.map((text) => api.put(`/messages/${id}`, { to: offers, message: text })),
    );
    expect(answers.map(({ status }) => status)).toEqual(edits.map(() => 200));
    const { content } = await listed(offers, serverId);
    expect(edits).toContain(content);
  });

  test('keeps its picture, and is shown as one', async () => {
    const media = (await jpeg(120, 80)).toString('base64');
    const body = { media_type: 'image', media, caption: 'Red' };
    const { message_id: id } = (await api.post(`/newsletters/${offers}/media`, body)).body;
    const first = await ana.waitForMessage((message) => message.id === id);
    await api.put(`/newsletters/${offers}/messages/${id}`, { text: 'Blue' });
    const second = await ana.waitForMessage((message) => message.id === `${id}/3`);
    expect(second.message.imageMessage).toMatchObject({ caption: 'Blue' });
    expect(second.message.imageMessage?.directPath).toBe(first.message.imageMessage?.directPath);
    const [post] = world.sandbox.network.newsletters.get(offers)?.posts.all.slice(-1) ?? [];
    expect(post?.content.find(({ tag }) => tag === 'plaintext')?.attrs.mediatype).toBe('image');
  });

  test('is taken back, once', async () => {
    const { id, serverId } = await published('A mistake');
    const path = `/newsletters/${offers}/messages/${id}`;
    const taken = await api.delete(path);
    expect(taken.body).toMatchObject({ success: true, message_id: id, newsletter: offers });
    const got = await ana.waitForMessage((message) => message.id === `${id}/8`);
    expect(got.text).toBeFalsy();
    expect(await listed(offers, serverId)).toMatchObject({ content: null, message_type: null });
    expect((await stored(id)).revoked_at).toEqual(expect.any(String));
    expect(coded(await api.delete(path))).toEqual([409, 'NOT_DELETABLE']);
    expect(coded(await api.put(path, { text: 'again' }))).toEqual([409, 'NOT_EDITABLE']);
  });

  test('that is published, changed and taken back on the phone is here as well', async () => {
    const { id, serverId } = await shop.channels.post(offers, 'By thumb');
    await until('it is here', async () => (await stored(id)) !== undefined);
    expect(await stored(id)).toMatchObject({ is_from_me: true, server_id: serverId });
    await shop.channels.edit(offers, id, 'By both thumbs');
    await until('it is changed', async () => (await stored(id)).content === 'By both thumbs');
    const put = await api.put(`/newsletters/${offers}/messages/${id}`, { text: 'By hand' });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    await shop.channels.revoke(offers, id);
    await until('it is gone', async () => (await stored(id)).revoked_at !== null);
  });

  test('is changed by another admin, and theirs taken back by us', async () => {
    const ours = await published('By us');
    await ana.channels.edit(offers, ours.id, 'Mended by Ana');
    await until('it is changed', async () => (await stored(ours.id)).content === 'Mended by Ana');
    const theirs = await ana.channels.post(offers, 'By Ana');
    await until('it is here', async () => (await stored(theirs.id)) !== undefined);
    const taken = await api.delete(`/newsletters/${offers}/messages/${theirs.id}`);
    expect(taken.status, JSON.stringify(taken.body)).toBe(200);
    expect(await listed(offers, theirs.serverId)).toMatchObject({ content: null });
  });
});

describe('a post that we follow', () => {
  test('is changed back and forth, and told each time with its number', async () => {
    const { id, serverId } = await ana.channels.post(news, 'Rain');
    const come = await eventOf('message.received', ({ message_id }) => message_id === id);
    expect(come).toMatchObject({ chat_jid: news, content: 'Rain', server_id: serverId, is_from_me: false });
    for (const text of ['Sun', 'Rain', 'Sun']) {
      await ana.channels.edit(news, id, text);
      await until(`it says ${text}`, async () => (await stored(id)).content === text);
    }
    const { events } = (await api.get('/events?event=message.edited&limit=100')).body;
    const told = events.map(({ data }: Json) => data).filter(({ message_id }: Json) => message_id === id);
    expect(told.map(({ content, server_id }: Json) => [content, server_id])).toEqual(
      ['Sun', 'Rain', 'Sun'].map((text) => [text, serverId]),
    );
    await ana.channels.revoke(news, id);
    const gone = await eventOf('message.revoked', ({ message_id }) => message_id === id);
    expect(gone).toMatchObject({ chat_jid: news, server_id: serverId });
    expect((await stored(id)).revoked_at).toEqual(expect.any(String));
  });

  test('what came while we were away is the last of it', async () => {
    const { id } = await ana.channels.post(news, 'one');
    await until('it is here', async () => (await stored(id)) !== undefined);
    await api.post('/disconnect');
    await ana.channels.edit(news, id, 'two');
    await ana.channels.edit(news, id, 'three');
    await world.restartGateway();
    api = world.as(token);
    await until('the device is connected', async () => (await api.post('/connect')).status === 200);
    await until('it says three', async () => (await stored(id)).content === 'three');
  });

  test('is not ours to change', async () => {
    const { id } = await ana.channels.post(news, 'Snow');
    await until('it is here', async () => (await stored(id)) !== undefined);
    const path = `/newsletters/${news}/messages/${id}`;
    expect(coded(await api.put(path, { text: 'Sun' }))).toEqual([404, 'MESSAGE_NOT_FOUND']);
    expect(coded(await api.delete(path))).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    const unknown = `/newsletters/${news}/messages/3EB0000000000000000000`;
    expect(coded(await api.put(unknown, { text: 'x' }))).toEqual([404, 'MESSAGE_NOT_FOUND']);
    expect(coded(await api.delete(unknown))).toEqual([404, 'MESSAGE_NOT_FOUND']);
    const other = `/newsletters/${offers}/messages/${id}`;
    expect(coded(await api.delete(other))).toEqual([400, 'VALIDATION_ERROR']);
    expect((await stored(id)).content).toBe('Snow');
  });
});

describe('a reaction', () => {
  const counts = async (serverId: number) => (await listed(news, serverId)).reactions;

  test('by the id of the post counts, and is taken back', async () => {
    const { id, serverId } = await ana.channels.post(news, 'How do you like it?');
    await until('it is here', async () => (await stored(id)) !== undefined);
    const react = (reaction: string) => api.post('/send/reaction', { to: news, message_id: id, reaction });
    const sent = await react('👍');
    expect(sent.status, JSON.stringify(sent.body)).toBe(200);
    expect(await counts(serverId)).toEqual({ '👍': 1 });
    const told = await eventOf('message.reaction', ({ message_id }) => message_id === id);
    expect(told).toMatchObject({ chat_jid: news, reaction: '👍', is_from_me: true });
    expect((await react('')).status).toBe(200);
    expect(await counts(serverId)).toEqual({});
    const unknown = { to: news, message_id: '3EB0000000000000000000', reaction: '👍' };
    expect(coded(await api.post('/send/reaction', unknown))).toEqual([400, 'VALIDATION_ERROR']);
  });
});

describe('counts', () => {
  test('come while they are followed, of views and of reactions', async () => {
    const { serverId } = await published('How is it?');
    const followed = await api.post(`/newsletters/${offers}/live-updates`);
    expect(followed.body).toMatchObject({ success: true, newsletter: offers, seconds: 300 });
    ana.channels.look(offers, [serverId]);
    await ana.channels.react(offers, serverId, '👍');
    const told = await eventOf('newsletter.live_update', ({ newsletter_jid, messages }) => {
      const [first] = messages;
      return newsletter_jid === offers && first.server_id === String(serverId) && first.reactions['👍'] === 1;
    });
    expect(told.messages[0].views).toBe(1);
    const unknown = await api.post('/newsletters/120363499999999999@newsletter/live-updates');
    expect(coded(unknown)).toEqual([404, 'NOT_FOUND']);
  });
});

test("another tenant's posts are nobody's", async () => {
  const { id } = await published('Ours alone');
  const stranger = world.as(await world.tenant('elsewhere'));
  for (const answer of [
    await stranger.put(`/newsletters/${offers}/messages/${id}`, { text: 'taken over' }),
    await stranger.delete(`/newsletters/${offers}/messages/${id}`),
  ]) {
    expect(coded(answer)).toEqual([404, 'MESSAGE_NOT_FOUND']);
  }
});

/** Message ids are chosen by senders: one that is used again never takes the place of what was first under it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

let world: World;
let api: Api;
let shop: Phone;
let till: Phone;
let contact: Phone;
let stranger: Phone;
let shopDevice: string;
let tillDevice: string;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('ids');
  const phone = (number: string, name: string) => world.sandbox.createPhone({ number, name });
  shop = await phone('5511999993001', 'Shop');
  till = await phone('5511999993002', 'Till');
  contact = await phone('5511999993003', 'Contact');
  stranger = await phone('5511999993004', 'Stranger');
  shopDevice = await world.linkByQr(token, shop);
  tillDevice = await world.linkByQr(token, till);
  api = world.as(token);
});
afterAll(() => world.destroy());

/** The `data` of the received message with that id from that phone. */
async function received(id: string, from: Phone): Promise<Json> {
  return until(`${id} of ${from.name} is stored`, async () => {
    const { events } = (await api.get('/events?event=message.received&limit=500')).body;
    const found = events.find(({ data }: Json) => data.message_id === id && data.sender.jid === from.jid);
    return found?.data;
  });
}

const sent = async (kind: string, body: object): Promise<Json> => {
  const answer = await api.post(`/send/${kind}`, { number: contact.number, device_id: shopDevice, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};
const code = ({ status, body }: Answer): string => `${status} ${body.error_code ?? ''}`.trim();
const hashOf = async (path: string): Promise<string> => {
  let answer = await api.get(path);
  await until(`${path} is served`, async () => {
    answer = await api.get(path);
    return answer.status === 200;
  });
  return sha256(answer.bytes);
};

test('a stranger writes under the id of a message that we sent', async () => {
  const ours = await sent('text', { text: 'The price is 10' });
  const id: string = ours.message_id;
  const picture = await jpeg();
  await stranger.sendImage(shop.number, { bytes: picture, caption: 'not ours' }, { id });
  const theirs = await received(id, stranger);
  expect(theirs.record_id).not.toBe(ours.record_id);

  const { message } = (await api.get(`/messages/${id}`)).body;
  expect(message).toMatchObject({ content: 'The price is 10', record_id: ours.record_id, is_from_me: true });
  expect((await api.get(`/messages/${id}/status`)).body).toMatchObject({ record_id: ours.record_id });
  expect((await api.get(`/messages/${id}/receipts`)).body).toMatchObject({ record_id: ours.record_id });
  expect(code(await api.get(`/messages/${id}/media`))).toBe('404 MEDIA_NOT_FOUND');
  expect(code(await api.get(`/messages/${id}/poll`))).toBe('409 NOT_A_POLL');
  const edited = await api.put(`/messages/${id}`, { to: contact.number, message: 'The price is 12' });
  expect(edited.status, JSON.stringify(edited.body)).toBe(200);

  // The stranger's own message, by its chat and by our own id.
  for (const path of [`/messages/${id}?chat=${stranger.number}`, `/messages/${theirs.record_id}`]) {
    expect((await api.get(path)).body.message, path).toMatchObject({
      content: 'not ours',
      is_from_me: false,
    });
  }
  expect(await hashOf(theirs.media.url)).toBe(sha256(picture));
  expect(await hashOf(`/messages/${id}/media?chat=${stranger.number}`)).toBe(sha256(picture));
  expect(code(await api.get(`/messages/${theirs.record_id}/status`))).toBe('404 MESSAGE_NOT_FOUND');
  const chat = `/messages/${id}?chat=${till.number}`;
  expect(code(await api.get(chat))).toBe('404 MESSAGE_NOT_FOUND');

  // Deleted for us, it still keeps its place.
  const deletion = { messageId: id, chatJid: contact.jid, deleteType: 'for_me' };
  const deleted = await api.call('DELETE', '/messages/delete', deletion);
  expect(deleted.body).toMatchObject({ success: true, record_id: ours.record_id });
  expect(code(await api.get(`/messages/${id}`))).toBe('404 MESSAGE_NOT_FOUND');
  expect(code(await api.get(`/messages/${id}/media`))).toBe('404 MESSAGE_NOT_FOUND');
});

test("a stranger writes under the id of another's picture, and of a poll of ours", async () => {
  const [first, second] = [await jpeg(), await jpeg()];
  const { id } = await contact.sendImage(shop.number, { bytes: first });
  const genuine = await received(id, contact);
  await stranger.sendImage(shop.number, { bytes: second }, { id });
  const forged = await received(id, stranger);
  expect(await hashOf(`/messages/${id}/media`)).toBe(sha256(first));
  expect(await hashOf(genuine.media.url)).toBe(sha256(first));
  expect(await hashOf(forged.media.url)).toBe(sha256(second));

  const poll = await sent('poll', {
    question: 'When?',
    options: [{ option_name: 'Monday' }, { option_name: 'Tuesday' }],
  });
  await stranger.sendPoll(shop.number, 'Who pays?', ['You', 'Me'], { id: poll.message_id });
  const trap = await received(poll.message_id, stranger);
  expect((await api.get(`/messages/${poll.message_id}/poll`)).body).toMatchObject({ question: 'When?' });
  expect((await api.get(`/messages/${trap.record_id}/poll`)).body).toMatchObject({ question: 'Who pays?' });
});

test('one sender tells two devices of a tenant different things under one id', async () => {
  const [first, second] = [await jpeg(), await jpeg()];
  const { id } = await stranger.sendImage(shop.number, { bytes: first });
  await received(id, stranger);
  await stranger.sendImage(till.number, { bytes: second }, { id });
  const later = await until('both are stored', async () => {
    const { events } = (await api.get(`/events?event=message.received&device_id=${tillDevice}`)).body;
    return events.find(({ data }: Json) => data.message_id === id)?.data;
  });
  expect(await hashOf(`/messages/${id}/media`)).toBe(sha256(first));
  expect(await hashOf(`/messages/${id}/media?device_id=${tillDevice}`)).toBe(sha256(second));
  expect(await hashOf(later.media.url)).toBe(sha256(second));
  expect((await api.get(`/messages/${id}`)).body.message.device_id).toBe(shopDevice);
});

test('every operation takes our own id, and the network sees its own', async () => {
  const ours = await sent('text', { text: 'a draft' });
  const { record_id: record, message_id: id } = ours;
  const by = { number: contact.number, device_id: shopDevice };
  const reaction = await api.post('/send/reaction', { ...by, messageId: record, reaction: '👍' });
  expect(reaction.status, JSON.stringify(reaction.body)).toBe(200);
  const seen = await contact.waitForMessage((message) => message.id === reaction.body.message_id);
  expect(seen.message.reactionMessage?.key?.id).toBe(id);
  const answer = await api.post('/send/text', { ...by, text: 'and', quoted: { message_id: record } });
  const quoting = await contact.waitForMessage((message) => message.id === answer.body.message_id);
  expect(quoting.message.extendedTextMessage?.contextInfo?.stanzaId).toBe(id);

  const got = await received((await contact.sendText(shop.number, 'an order')).id, contact);
  const own = `/messages/${record}`;
  const other = `/messages/${got.record_id}`;
  const answers = {
    edit: await api.put(own, { to: contact.number, message: 'the text' }),
    pin: await api.post(`${own}/pin`, {}),
    star: await api.post(`${other}/star`),
    forward: await api.post(`${other}/forward`, { number: stranger.number }),
    read: await api.post(`${other}/read`, { chat_jid: contact.jid }),
    revoke: await api.call('DELETE', '/messages/delete', {
      messageId: record,
      chatJid: contact.jid,
      deleteType: 'for_everyone',
    }),
  };
  for (const [name, { status, body }] of Object.entries(answers)) {
    expect(status, `${name}: ${JSON.stringify(body)}`).toBe(200);
  }
  expect(answers.pin.body).toMatchObject({ pinned_message_id: id });
  expect(answers.star.body).toMatchObject({ message_id: got.message_id, record_id: got.record_id });
  expect(answers.read.body.message_ids).toEqual([got.message_id]);
  expect(answers.revoke.body).toMatchObject({ message_id: id, record_id: record });
  const changes = (await api.get('/events?event=message.edited,message.reaction,message.revoked')).body
    .events;
  const about = changes.filter(({ data }: Json) => data.message_id === id);
  expect(about.map(({ data }: Json) => data.record_id)).toEqual([record, record, record]);
});

test('while the device of the first is offline, another of the same id does not step in', async () => {
  const { id } = await stranger.sendText(shop.number, 'for the shop');
  await received(id, stranger);
  await stranger.sendText(till.number, 'for the till', { id });
  const later = `/messages/${id}?device_id=${tillDevice}`;
  await until('both are stored', async () => (await api.get(later)).status === 200);
  expect((await api.post(`/disconnect?device_id=${shopDevice}`)).status).toBe(200);
  const forward = (path: string) => api.post(path, { number: contact.number });
  expect(code(await forward(`/messages/${id}/forward`))).toBe('503 DEVICE_NOT_READY');
  expect(code(await forward(`/messages/${id}/forward?device_id=${tillDevice}`))).toBe('200');
});

/** Reactions to stories, ours and those of contacts, with the phone of the other side as witness. */
import type { Phone } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

const STORIES = 'status@broadcast';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
const sent: BinaryNode[] = [];

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'reacting' }));
  world.sandbox.network.onStanza((node, { device }) => {
    if (device !== 0 && node.tag === 'message') sent.push(node);
  });
});
afterAll(() => world.destroy());

const children = (node: BinaryNode | undefined) =>
  Array.isArray(node?.content) ? (node.content as BinaryNode[]) : [];

async function storyOfContact(text: string): Promise<string> {
  const { id } = await contact.stories.postText(text, { to: [shop, friend] });
  return untilReceived(api, id);
}

test('of ours reach the author alone, each by a key of its own, and can be taken back', async () => {
  const story = await storyOfContact('Good morning');
  for (const reaction of ['💚', '']) {
    const { status, body } = await api.post(`/stories/${story}/reaction`, { reaction });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ success: true, story_id: story, reaction });
    const got = await contact.waitForMessage(({ id }) => id === body.message_id);
    expect(got).toMatchObject({ chat: STORIES, kind: 'reaction' });
    expect(got.message.reactionMessage).toMatchObject({
      key: { remoteJid: STORIES, fromMe: false, id: story, participant: contact.lid },
      text: reaction,
    });
    const stanza = sent.find(({ attrs }) => attrs.id === body.message_id);
    expect(stanza?.attrs).toMatchObject({ to: STORIES, type: 'reaction' });
    expect(stanza?.attrs).not.toHaveProperty('addressing_mode');
    // One that says who sees our stories is refused (479), and so is it with the key of our own stories for the author.
    expect(children(stanza).map(({ tag }) => tag)).not.toContain('meta');
    const [participants] = children(stanza);
    expect(children(participants).map(({ attrs }) => attrs.jid)).toEqual(
      expect.arrayContaining([contact.lid, shop.lid]),
    );
    await friend.idle();
    expect(friend.inbox.map(({ id }) => id)).not.toContain(body.message_id);
    expect((await api.get(`/messages/${body.message_id}/status`)).body.status).toMatch(/sent|delivered/);
  }
  // It is no story.
  const { contacts } = (await api.get('/stories')).body;
  expect(contacts.flatMap(({ stories }: Json) => stories.map(({ content }: Json) => content))).toEqual([
    'Good morning',
  ]);
});

test('of ours that the author cannot read come again, to the author alone', async () => {
  const story = await storyOfContact('Read me');
  await contact.loseKeysOf(shop);
  const { body } = await api.post(`/stories/${story}/reaction`, { reaction: '🎩' });
  const got = await contact.waitForMessage(({ id }) => id === body.message_id);
  expect(got).toMatchObject({ kind: 'reaction', resent: true });
  const device = shop.lid.replace('@', `:${shop.companions[0]}@`);
  sent.length = 0;
  await friend.hostile.forgeReceipt(STORIES, {
    type: 'retry',
    ids: [body.message_id],
    attrs: { participant: device },
  });
  await world.sandbox.waitForAcknowledged(device);
  expect(sent.filter(({ attrs }) => attrs.id === body.message_id)).toEqual([]);
});

test('of contacts to our stories are told, and are no stories', async () => {
  const posted = await api.post('/status/text', { text: 'Open', audience: [contact.number] });
  const story = posted.body.message_id;
  await contact.waitForMessage(({ id }) => id === story);
  await contact.stories.react({ id: story, author: shop }, '😍');
  const event = await until('the reaction is told', async () => {
    const { events } = (await api.get('/events?event=message.reaction&limit=50')).body;
    return events.find(({ data }: Json) => data.reaction === '😍');
  });
  expect(event.data).toMatchObject({
    message_id: story,
    chat_jid: STORIES,
    sender: { phone_number: contact.number },
  });
  const { contacts } = (await api.get(`/stories?contact=${contact.number}`)).body;
  expect(JSON.stringify(contacts)).not.toContain('😍');
});

test.each([
  [{ reaction: 'nice' }, 400, 'INVALID_REQUEST'],
  [{ reaction: '👍👍' }, 400, 'INVALID_REQUEST'],
  [{}, 400, 'INVALID_REQUEST'],
])('is one emoji: %j', async (body, status, code) => {
  const story = await storyOfContact('Once more');
  const answer = await api.post(`/stories/${story}/reaction`, body);
  expect([answer.status, answer.body.error_code]).toEqual([status, code]);
});

test('of what is no story, or was taken back, there is none', async () => {
  const { id } = await contact.sendText(shop, 'no story');
  await untilReceived(api, id);
  const gone = await storyOfContact('A mistake');
  await contact.stories.delete(gone);
  await until('it is gone', async () => (await api.get(`/stories/${gone}`)).status === 404);
  const ours = (await api.post('/status/text', { text: 'Ours', audience: [contact.number] })).body.message_id;
  for (const name of [id, gone, ours, 'unknown-message']) {
    const { status, body } = await api.post(`/stories/${name}/reaction`, { reaction: '💚' });
    expect([status, body.error_code], name).toEqual([404, 'MESSAGE_NOT_FOUND']);
  }
});

/** What phones seal under the secret of the message that it speaks of. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';
import { type Told, toldBy } from './told.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let events: Told['events'];
let shown: Told['shown'];
let told: Told['told'];

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'sealed' }));
  ({ events, shown, told } = toldBy(api));
});
afterAll(() => world.destroy());

/** How often a change was told, once a later message is here. */
async function timesTold(id: string): Promise<number> {
  await untilReceived(api, (await contact.sendText(shop.number, 'and on')).id);
  const names = ['message_id', 'edit_id', 'reaction_id'];
  return (await events()).filter(({ data }) => names.some((name) => data[name] === id)).length;
}

describe('an edit', () => {
  test.each(['lid', 'pn'] as const)('of the contact, with the people named by %s', async (addressing) => {
    const options = { addressing };
    const { id } = await contact.sendText(shop.number, 'Opa', options);
    await untilReceived(api, id);
    const edit = await contact.sendEdit(shop.number, id, 'Opa, deu certo', { ...options, sealed: true });
    expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({
      message_id: id,
      chat_jid: contact.jid,
      content: 'Opa, deu certo',
      is_from_me: false,
      sender: { jid: contact.jid, lid: contact.lid },
    });
    expect(await shown(id)).toMatchObject({ content: 'Opa, deu certo', edited_at: expect.any(String) });
    expect(await timesTold(edit.id)).toBe(1);
  });

  test('of what was sent over the API, made on our phone; and a reaction of the contact to it', async () => {
    const body = { number: contact.number, text: 'Good mornig' };
    const id = (await api.post('/send/text', body)).body.message_id;
    await shop.waitForMessage((message) => message.id === id);
    await contact.waitForMessage((message) => message.id === id);
    const edit = await shop.sendEdit(contact.number, id, 'Good morning', { sealed: true });
    expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({
      message_id: id,
      content: 'Good morning',
      is_from_me: true,
    });
    const seen = contact.conversation(shop).find((message) => message.id === id);
    expect(seen).toMatchObject({ text: 'Good morning', edited: true });
    const reaction = await contact.sendReaction(shop.number, id, '☀️', { sealed: true });
    const data = { message_id: id, reaction: '☀️', target_sender: { jid: shop.jid } };
    expect(await told('message.reaction', 'reaction_id', reaction.id)).toMatchObject(data);
  });

  test('of our own phone', async () => {
    const { id } = await shop.sendText(contact.number, 'Hallo');
    await told('message.sent', 'message_id', id);
    const edit = await shop.sendEdit(contact.number, id, 'Hello', { sealed: true });
    expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({
      message_id: id,
      content: 'Hello',
      is_from_me: true,
    });
  });

  test('in a group, of a caption; nobody else edits it', async () => {
    const group = await contact.createGroup('Sealed', [shop, friend]);
    const { id } = await contact.sendImage(group.jid, { bytes: await jpeg(), caption: 'dor' });
    await untilReceived(api, id);
    await friend.waitForMessage((message) => message.id === id);
    const forged = await friend.sendEdit(group.jid, id, 'forged', { sealed: true });
    const edit = await contact.sendEdit(group.jid, id, 'door', { sealed: true });
    expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({ content: 'door' });
    expect(await shown(id)).toMatchObject({ content: 'door' });
    expect(await timesTold(forged.id)).toBe(0);
  });

  test('that came before its message could be read waits for it', async () => {
    contact.answersRetries = false;
    const { id } = await contact.sendText(shop.number, 'first', { corrupt: true });
    await told('message.undecryptable', 'message_id', id);
    const edit = await contact.sendEdit(shop.number, id, 'second', { sealed: true });
    const reaction = await contact.sendReaction(shop.number, id, '🙂', { sealed: true });
    expect(await timesTold(edit.id)).toBe(0);
    contact.answersRetries = true;
    expect((await api.post(`/messages/${id}/retry`, { chat_jid: contact.jid })).status).toBe(200);
    expect(await told('message.received', 'message_id', id)).toMatchObject({ content: 'first' });
    expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({ content: 'second' });
    expect(await told('message.reaction', 'reaction_id', reaction.id)).toMatchObject({ reaction: '🙂' });
    expect(await shown(id)).toMatchObject({ content: 'second' });
    expect(await timesTold(edit.id)).toBe(1);
  });

  test('whose seal does not open changes nothing and stops nobody', async () => {
    const { id } = await contact.sendText(shop.number, 'stays');
    await untilReceived(api, id);
    const targetMessageKey = { remoteJid: contact.lid, fromMe: true, id };
    const secretEncryptedMessage = {
      targetMessageKey,
      encPayload: new Uint8Array(40),
      encIv: new Uint8Array(12),
      secretEncType: 2,
    };
    const forged = await contact.sendRaw(shop.number, { secretEncryptedMessage });
    expect(await timesTold(forged.id)).toBe(0);
    expect(await shown(id)).toMatchObject({ content: 'stays' });
  });
});

test('a reaction, set and taken back', async () => {
  const group = await contact.createGroup('Announcements', [shop, friend]);
  const { id } = await contact.sendText(group.jid, 'News');
  await untilReceived(api, id);
  await friend.waitForMessage((message) => message.id === id);
  for (const emoji of ['👍', '']) {
    const reaction = await friend.sendReaction(group.jid, id, emoji, { sealed: true });
    expect(await told('message.reaction', 'reaction_id', reaction.id)).toMatchObject({
      message_id: id,
      chat_jid: group.jid,
      reaction: emoji,
      sender: { jid: friend.jid },
    });
  }
});

describe('a comment', () => {
  test.each([true, false])('is a message that names the one it is on; sealed: %s', async (sealed) => {
    const group = await contact.createGroup('Comments', [shop, friend]);
    const { id } = await contact.sendText(group.jid, 'News');
    await untilReceived(api, id);
    await friend.waitForMessage((message) => message.id === id);
    const comment = await friend.sendComment(group.jid, id, 'Nice', { sealed });
    expect(await told('message.received', 'message_id', comment.id)).toMatchObject({
      message_type: 'text',
      content: 'Nice',
      target_message_id: id,
      sender: { jid: friend.jid },
    });
    const bytes = await jpeg();
    const imageMessage = { ...(await friend.uploadMedia('image', bytes)), mimetype: 'image/jpeg' };
    const picture = await friend.sendComment(group.jid, id, { imageMessage }, { sealed });
    const data = await told('message.received', 'message_id', picture.id);
    expect(data).toMatchObject({ message_type: 'image', media: { kind: 'image' } });
    const file = await api.get(data.media.url);
    expect(sha256(file.bytes)).toBe(sha256(bytes));
  });
});

test('a calendar event, its new form, and who comes', async () => {
  const group = await contact.createGroup('Events', [shop, friend]);
  const startTime = 1_800_000_000;
  const { id } = await contact.sendEvent(group.jid, { name: 'Party', startTime });
  expect(await told('message.received', 'message_id', id)).toMatchObject({ message_type: 'event' });
  await friend.waitForMessage((message) => message.id === id);
  const answer = await friend.sendEventResponse(group.jid, id, 'going', { extraGuests: 2 });
  expect(await told('message.received', 'message_id', answer.id)).toMatchObject({
    message_type: 'event_response',
    content: 'going',
    target_message_id: id,
    sender: { jid: friend.jid },
    details: { response: 'going', extra_guest_count: 2 },
  });
  const later = { name: 'Bigger party', startTime: startTime + 3600, description: 'bring friends' };
  const edit = await contact.sendEventEdit(group.jid, id, later);
  const details = {
    name: 'Bigger party',
    description: 'bring friends',
    start_time: '2027-01-15T09:00:00.000Z',
  };
  expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({
    content: 'Bigger party',
    details,
  });
  expect(await shown(id)).toMatchObject({ content: 'Bigger party', details });
});

test('an edit of a poll changes its question and its options, and votes for the new ones count', async () => {
  const { id } = await contact.sendPoll(shop.number, 'When?', ['Today', 'Tomorrow']);
  await untilReceived(api, id);
  const edit = await contact.sendPollEdit(shop.number, id, {
    question: 'When, then?',
    choices: ['Today', 'Friday'],
  });
  expect(await told('message.edited', 'edit_id', edit.id)).toMatchObject({
    message_id: id,
    content: 'When, then?',
  });
  const details = { name: 'When, then?', options: ['Today', 'Friday'] };
  expect(await shown(id)).toMatchObject({ message_type: 'poll', content: 'When, then?', details });
  await contact.sendPollVote(shop.number, id, ['Friday']);
  const { options } = await until('the vote counts', async () => {
    const { body } = await api.get(`/messages/${id}/poll`);
    return body.total_voters === 1 && body;
  });
  expect(options.map(({ name, votes }: Json) => [name, votes])).toEqual([
    ['Today', 0],
    ['Friday', 1],
  ]);
});

describe('an option that a member adds to a poll', () => {
  const options = async (id: string): Promise<[string, number][]> =>
    (await api.get(`/messages/${id}/poll`)).body.options.map(({ name, votes }: Json) => [name, votes]);

  test('made over the API is in its results from then on, and votes for it count', async () => {
    const choices = ['Today', 'Tomorrow'].map((option_name) => ({ option_name }));
    const body = { number: contact.number, question: 'When?', options: choices };
    const id = (await api.post('/send/poll', body)).body.message_id;
    await contact.waitForMessage((message) => message.id === id);
    const added = await contact.sendPollOption(shop.number, id, 'Friday');
    expect(await told('message.poll_option', 'option_id', added.id)).toMatchObject({
      message_id: id,
      option: 'Friday',
      is_from_me: false,
      sender: { jid: contact.jid, lid: contact.lid },
    });
    expect((await shown(id)).details.options).toEqual(['Today', 'Tomorrow', 'Friday']);
    const vote = await contact.sendPollVote(shop.number, id, ['Friday']);
    expect(await told('message.poll_vote', 'vote_id', vote.id)).toMatchObject({
      options: ['Friday'],
      unknown_options: 0,
    });
    expect(await options(id)).toEqual([
      ['Today', 0],
      ['Tomorrow', 0],
      ['Friday', 1],
    ]);
    expect((await shown(id)).edited_at).toBeNull();
  });

  test('that it has already changes nothing, and is not told', async () => {
    const { id } = await contact.sendPoll(shop.number, 'Which?', ['This', 'That']);
    await untilReceived(api, id);
    const again = await contact.sendPollOption(shop.number, id, 'That');
    await untilReceived(api, (await contact.sendText(shop.number, 'after it')).id);
    expect((await events()).filter(({ data }) => data.option_id === again.id)).toEqual([]);
    expect(await options(id)).toEqual([
      ['This', 0],
      ['That', 0],
    ]);
    expect(
      (await api.get('/messages?limit=5')).body.messages.map((each: Json) => each.message_id),
    ).not.toContain(again.id);
  });
});

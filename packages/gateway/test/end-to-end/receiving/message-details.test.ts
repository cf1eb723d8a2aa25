import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'details' }));
});
afterAll(() => world.destroy());

/** Every event so far that speaks of one of these ids, oldest first. */
async function eventsOf(...ids: string[]): Promise<Json[]> {
  const { events } = (await api.get('/events?limit=1000')).body;
  return events.filter(({ data }: Json) =>
    [data.message_id, data.vote_id, data.edit_id, data.revoke_id].some((id) => ids.includes(id)),
  );
}

const untilEvent = (name: string, ...ids: string[]): Promise<Json> =>
  until(`${name} of ${ids}`, async () => (await eventsOf(...ids)).find(({ event }) => event === name));

describe('polls', () => {
  const results = async (id: string): Promise<Json> => (await api.get(`/messages/${id}/poll`)).body;

  test('the results count the latest vote of each voter, ours included', async () => {
    const group = await contact.createGroup('Counted', [shop, friend]);
    const poll = await contact.sendPoll(group.jid, 'Where?', ['here', 'there', 'nowhere']);
    await friend.waitForMessage((m) => m.id === poll.id);
    await shop.waitForMessage((m) => m.id === poll.id);
    await until('the poll is known', async () => (await results(poll.id)).success);
    expect(await results(poll.id)).toMatchObject({
      chat_jid: group.jid,
      question: 'Where?',
      options: ['here', 'there', 'nowhere'].map((name) => ({ name, votes: 0, voters: [] })),
      total_voters: 0,
      unread_votes: 0,
    });
    for (const chosen of [['here'], ['there', 'nowhere']]) {
      const vote = await friend.sendPollVote(group.jid, poll.id, chosen);
      await untilEvent('message.poll_vote', vote.id);
    }
    await untilEvent('message.poll_vote', (await contact.sendPollVote(group.jid, poll.id, ['there'])).id);
    await untilEvent('message.poll_vote', (await shop.sendPollVote(group.jid, poll.id, ['there'])).id);
    const counted = await results(poll.id);
    expect(counted.options.map(({ votes }: Json) => votes)).toEqual([0, 3, 1]);
    expect(counted.options[1].voters.map(({ phone_number }: Json) => phone_number).sort()).toEqual(
      [shop, contact, friend].map(({ number }) => number).sort(),
    );
    expect(counted.options[2].voters).toEqual([
      {
        jid: friend.jid,
        lid: friend.lid,
        phone_number: friend.number,
        push_name: 'Friend',
        voted_at: expect.any(String),
      },
    ]);
    expect(counted).toMatchObject({ total_voters: 3, unread_votes: 0 });
    await untilEvent('message.poll_vote', (await contact.sendPollVote(group.jid, poll.id, [])).id);
    expect(await results(poll.id)).toMatchObject({ total_voters: 2 });
  });

  test('the results of a poll that was sent over the API', async () => {
    const options = ['Monday', 'Friday'].map((option_name) => ({ option_name }));
    const sent = await api.post('/send/poll', { number: contact.number, question: 'When?', options });
    const id = sent.body.message_id;
    await contact.waitForMessage((m) => m.id === id);
    await untilEvent('message.poll_vote', (await contact.sendPollVote(shop.number, id, ['Friday'])).id);
    expect(await results(id)).toMatchObject({
      question: 'When?',
      options: [
        { name: 'Monday', votes: 0 },
        { name: 'Friday', votes: 1, voters: [{ jid: contact.jid }] },
      ],
    });
  });

  test('no results of what is no poll', async () => {
    const sent = await api.post('/send/text', { number: contact.number, text: 'no poll' });
    const answer = await api.get(`/messages/${sent.body.message_id}/poll`);
    expect([answer.status, answer.body.error_code]).toEqual([409, 'NOT_A_POLL']);
    expect((await api.get('/messages/3EB00000000000000000/poll')).body.error_code).toBe('MESSAGE_NOT_FOUND');
  });

  test('a vote in a poll of the contact tells the options by name, and is taken back', async () => {
    const poll = await contact.sendPoll(shop.number, 'When?', ['Monday', 'Tuesday', 'Friday']);
    await shop.waitForMessage((m) => m.id === poll.id);
    const vote = await shop.sendPollVote(contact.number, poll.id, ['Friday', 'Monday']);
    expect((await untilEvent('message.poll_vote', vote.id)).data).toMatchObject({
      message_id: poll.id,
      vote_id: vote.id,
      chat_jid: contact.jid,
      is_from_me: true,
      sender: { jid: shop.jid, lid: shop.lid },
      poll_name: 'When?',
      options: ['Monday', 'Friday'],
      unknown_options: 0,
    });
    const back = await contact.sendPollVote(shop.number, poll.id, []);
    expect((await untilEvent('message.poll_vote', back.id)).data).toMatchObject({
      is_from_me: false,
      sender: { jid: contact.jid, phone_number: contact.number },
      options: [],
    });
  });

  test.each([
    'lid',
    'pn',
  ] as const)("the contact's vote in a poll of our phone, addressed by %s", async (addressing) => {
    const poll = await shop.sendPoll(contact.number, 'Lunch?', ['yes', 'no'], { selectable: 1, addressing });
    await contact.waitForMessage((m) => m.id === poll.id);
    const vote = await contact.sendPollVote(shop.number, poll.id, ['no'], { addressing });
    expect((await untilEvent('message.poll_vote', vote.id)).data).toMatchObject({
      message_id: poll.id,
      sender: { jid: contact.jid, lid: contact.lid },
      options: ['no'],
    });
  });

  test('in a group each voter is told apart', async () => {
    const group = await contact.createGroup('Voters', [shop, friend]);
    const poll = await contact.sendPoll(group.jid, 'Where?', ['here', 'there']);
    await friend.waitForMessage((m) => m.id === poll.id);
    const vote = await friend.sendPollVote(group.jid, poll.id, ['there']);
    const own = await contact.sendPollVote(group.jid, poll.id, ['here']);
    expect((await untilEvent('message.poll_vote', vote.id)).data).toMatchObject({
      chat_jid: group.jid,
      is_group: true,
      sender: { jid: friend.jid },
      options: ['there'],
    });
    expect((await untilEvent('message.poll_vote', own.id)).data).toMatchObject({
      sender: { jid: contact.jid },
      options: ['here'],
    });
  });

  test('a vote whose poll cannot be read yet is reported without names, and again with them', async () => {
    contact.answersRetries = false;
    const poll = await contact.sendPoll(shop.number, 'Colour?', ['red', 'blue'], { corrupt: true });
    await untilEvent('message.undecryptable', poll.id);
    const vote = await contact.sendPollVote(shop.number, poll.id, ['blue']);
    expect((await untilEvent('message.poll_vote', vote.id)).data).toMatchObject({
      poll_name: null,
      options: null,
    });
    contact.answersRetries = true;
    expect((await api.post(`/messages/${poll.id}/retry`, { chat_jid: contact.jid })).status).toBe(200);
    await untilEvent('message.received', poll.id);
    const votes = (await eventsOf(vote.id)).filter(({ event }) => event === 'message.poll_vote');
    expect(votes.map(({ data }) => data.options)).toEqual([null, ['blue']]);
    expect(votes[1].data).toMatchObject({ vote_id: vote.id, poll_name: 'Colour?' });
  });
});

describe('messages that cannot be read', () => {
  test('undecryptable, asked for by itself, then received in its place', async () => {
    const sent = await contact.sendText(shop.number, 'once more', { corrupt: true });
    expect((await untilEvent('message.received', sent.id)).data).toMatchObject({
      content: 'once more',
      sender: { jid: contact.jid },
    });
    const events = await eventsOf(sent.id);
    expect(events.map(({ event }) => event)).toEqual(['message.undecryptable', 'message.received']);
  });

  test('what our own phone sent is asked of it, and then known as sent', async () => {
    shop.answersRetries = false;
    const sent = await shop.sendText(contact.number, 'from the phone', { corrupt: true });
    const { data } = await untilEvent('message.undecryptable', sent.id);
    expect(data).toMatchObject({ is_from_me: true, chat_jid: contact.jid });
    shop.answersRetries = true;
    expect((await api.post(data.retry_url, { chat_jid: contact.jid })).status).toBe(200);
    expect((await untilEvent('message.sent', sent.id)).data.content).toBe('from the phone');
  });

  test('our own phone hands over what the sender does not send again', async () => {
    contact.answersRetries = false;
    const sent = await contact.sendText(shop.number, 'the phone has it', { corrupt: 'companions' });
    await untilEvent('message.undecryptable', sent.id);
    const { data } = await untilEvent('message.received', sent.id);
    expect(data).toMatchObject({
      content: 'the phone has it',
      chat_jid: contact.jid,
      sender: { jid: contact.jid, lid: contact.lid },
      source: 'phone',
    });
    contact.answersRetries = true;
  });

  test('there is nobody to ask for what never arrived', async () => {
    const answer = await api.post('/messages/3EB0UNKNOWN/retry', { chat_jid: contact.jid });
    expect([answer.status, answer.body.error_code]).toEqual([404, 'MESSAGE_NOT_FOUND']);
  });

  test.each(['one-to-one', 'group'])('asked for by the user, %s', async (kind) => {
    const group = kind === 'group' ? await contact.createGroup('Lost', [shop, friend]) : null;
    const chat = group?.jid ?? shop.jid;
    contact.answersRetries = false;
    const sent = await contact.sendText(chat, 'lost', { corrupt: true });
    const { data } = await untilEvent('message.undecryptable', sent.id);
    contact.answersRetries = true;
    const answer = await api.post(data.retry_url, { chat_jid: data.chat_jid });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      success: true,
      chat_jid: group?.jid ?? contact.jid,
      sender_jid: contact.jid,
      message_ids: [sent.id],
      receipt_type: 'retry',
      skipped: [],
    });
    expect((await untilEvent('message.received', sent.id)).data.content).toBe('lost');
    const again = await api.post(data.retry_url, { chat_jid: data.chat_jid });
    expect(again.body.skipped).toEqual([sent.id]);
    expect((await contact.sendText(chat, 'and on')).id).toBeTruthy();
  });
});

describe('receipts of ours', () => {
  test('read and delivered reach the sender, and our phone knows what was read', async () => {
    const first = await contact.sendText(shop.number, 'one');
    const second = await contact.sendText(shop.number, 'two');
    await untilEvent('message.received', second.id);
    const read = await api.post(`/messages/${second.id}/read`, {
      chat_jid: contact.jid,
      sender_jid: contact.jid,
      message_ids: [first.id, second.id],
      timestamp: '2026-06-15T12:00:00Z',
    });
    expect(read.body).toEqual({
      success: true,
      chat_jid: contact.jid,
      sender_jid: contact.jid,
      message_ids: [first.id, second.id],
      receipt_type: 'read',
      timestamp: '2026-06-15T12:00:00.000Z',
    });
    for (const { id } of [first, second]) {
      const receipt = await contact.waitForReceipt((r) => r.messageId === id && r.type === 'read');
      expect(receipt.timestamp).toBe(Date.parse('2026-06-15T12:00:00Z') / 1000);
    }
    await shop.waitForReceipt((r) => r.messageId === second.id && r.type === 'read');
    const ticked = (await contact.sendText(shop.number, 'three')).id;
    await untilEvent('message.received', ticked);
    const before = contact.receivedReceipts.length;
    const delivered = await api.post(`/messages/${ticked}/delivered`, { chat_jid: contact.number });
    expect(delivered.body).toMatchObject({ receipt_type: 'delivered', message_ids: [ticked] });
    await until('the sender has it', async () =>
      contact.receivedReceipts
        .slice(before)
        .some((r) => r.messageId === ticked && r.type === 'delivered' && /:\d+@/.test(r.fromDevice)),
    );
  });

  test('in a group each author gets a receipt of his own; strangers need a sender', async () => {
    const group = await contact.createGroup('Readers', [shop, friend]);
    const one = await contact.sendText(group.jid, 'from contact');
    const two = await friend.sendText(group.jid, 'from friend');
    await Promise.all([one, two].map(({ id }) => untilEvent('message.received', id)));
    const read = await api.post(`/messages/${one.id}/read`, {
      chat_jid: group.jid,
      message_ids: [one.id, two.id],
    });
    expect(read.status).toBe(200);
    await contact.waitForReceipt((r) => r.messageId === one.id && r.type === 'read');
    await friend.waitForReceipt((r) => r.messageId === two.id && r.type === 'read');
    const unknown = await api.post('/messages/3EB0UNKNOWN/read', { chat_jid: group.jid });
    expect([unknown.status, unknown.body.validation[0].field]).toEqual([400, 'sender_jid']);
    const named = await api.post('/messages/3EB0UNKNOWN/read', {
      chat_jid: group.jid,
      sender_jid: friend.jid,
    });
    expect(named.status).toBe(200);
    expect((await api.post('/messages/3EB0UNKNOWN/read', {})).status).toBe(400);
    expect((await api.post('/messages/3EB0UNKNOWN/read', { chat_jid: 'nobody' })).status).toBe(400);
  });
});

describe('edits and deletions', () => {
  test('an edit and a deletion that come before their message are applied when it comes', async () => {
    contact.answersRetries = false;
    const edited = await contact.sendText(shop.number, 'frist', { corrupt: true });
    const revoked = await contact.sendText(shop.number, 'never', { corrupt: true });
    await untilEvent('message.undecryptable', revoked.id);
    await contact.sendEdit(shop.number, edited.id, 'first');
    await contact.sendRevoke(shop.number, revoked.id);
    const marker = await contact.sendText(shop.number, 'after');
    await untilEvent('message.received', marker.id);
    contact.answersRetries = true;
    for (const { id } of [edited, revoked]) {
      expect((await api.post(`/messages/${id}/retry`, { chat_jid: contact.jid })).status).toBe(200);
    }
    const first = (await untilEvent('message.received', edited.id)).data;
    expect(first).toMatchObject({ content: 'first', edited_at: expect.any(String), revoked_at: null });
    const gone = (await untilEvent('message.received', revoked.id)).data;
    expect(gone).toMatchObject({ revoked_at: expect.any(String) });
  });

  test("an admin deletes a member's message; a member cannot", async () => {
    const group = await contact.createGroup('Ruled', [shop, friend]);
    const sent = await friend.sendText(group.jid, 'unruly');
    await untilEvent('message.received', sent.id);
    await contact.waitForMessage((m) => m.id === sent.id);
    await contact.sendRevoke(group.jid, sent.id);
    expect((await untilEvent('message.revoked', sent.id)).data).toMatchObject({
      message_id: sent.id,
      sender: { jid: contact.jid },
    });
    const other = await contact.sendText(group.jid, 'a rule');
    await friend.waitForMessage((m) => m.id === other.id);
    await expect(friend.sendRevoke(group.jid, other.id)).rejects.toThrow();
  });
});

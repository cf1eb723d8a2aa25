/** What the events about messages say, whoever they are of. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'directions' }));
});
afterAll(() => world.destroy());

const events = async (): Promise<Json[]> => (await api.get('/events?limit=1000')).body.events;

/** The event of that name with this id in one of its members. */
const told = (name: string, id: string): Promise<Json> =>
  until(`${name} of ${id}`, async () => {
    const named = (await events()).filter(({ event }) => event === name);
    return named.find(({ data }) => Object.values(data).includes(id))?.data;
  });

const send = async (text: string): Promise<string> =>
  (await api.post('/send/text', { number: contact.number, text })).body.message_id;

const toUs = () => ({ from: contact.jid, to: shop.jid, is_from_me: false });
const byUs = () => ({ from: shop.jid, to: contact.jid, is_from_me: true });

describe('who wrote to whom', () => {
  test('is in receipts of ours', async () => {
    contact.receipts = { delivered: true, read: 'auto' };
    const id = await send('read me');
    for (const name of ['message.sent', 'message.delivered', 'message.read']) {
      expect(await told(name, id)).toMatchObject({ ...byUs(), message_id: id });
    }
  });

  test('is in changes, theirs and those that were made on our phone', async () => {
    const theirs = await contact.sendText(shop.number, 'mine');
    expect(await told('message.received', theirs.id)).toMatchObject(toUs());
    const edit = await contact.sendEdit(shop.number, theirs.id, 'mine, edited');
    expect(await told('message.edited', edit.id)).toMatchObject(toUs());
    const typed = await shop.sendText(contact.number, 'typed');
    expect(await told('message.sent', typed.id)).toMatchObject({ ...byUs(), source: 'phone' });
    const revoke = await shop.sendRevoke(contact.number, typed.id);
    expect(await told('message.revoked', revoke.id)).toMatchObject(byUs());
  });
});

describe('a reaction', () => {
  test('of theirs is a message too, that names its target', async () => {
    const id = await send('like it?');
    await contact.waitForMessage((message) => message.id === id);
    const reaction = await contact.sendReaction(shop.number, id, '👍');
    expect(await told('message.received', reaction.id)).toMatchObject({
      ...toUs(),
      message_id: reaction.id,
      message_type: 'reaction',
      content: '👍',
      target_message_id: id,
    });
    expect(await told('message.reaction', reaction.id)).toMatchObject({ ...toUs(), message_id: id });
  });

  test('of ours was sent', async () => {
    const { id } = await contact.sendText(shop.number, 'like it?');
    await told('message.received', id);
    const body = { number: contact.number, messageId: id, reaction: '❤️' };
    const reaction = (await api.post('/send/reaction', body)).body.message_id;
    expect(await told('message.sent', reaction)).toMatchObject({
      ...byUs(),
      message_type: 'reaction',
      content: '❤️',
      target_message_id: id,
      source: 'api',
    });
    expect(await told('message.reaction', reaction)).toMatchObject(byUs());
  });
});

test('who has read a message is not told to have got it afterwards', async () => {
  contact.receipts = { delivered: false, read: 'manual' };
  const id = await send('read before it was delivered');
  await contact.waitForMessage((message) => message.id === id);
  await contact.markRead(shop.number, [id]);
  await told('message.read', id);
  await contact.hostile.forgeReceipt(shop, { ids: [id] });
  await until('it is stored', async () => {
    const { receipts } = (await api.get(`/messages/${id}/receipts`)).body;
    return receipts.some(({ kind }: Json) => kind === 'delivered');
  });
  const names = (await events()).filter(({ data }) => data.message_id === id).map(({ event }) => event);
  expect(names).toEqual(['message.sent', 'message.read']);
});

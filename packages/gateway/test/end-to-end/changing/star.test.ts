import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { openShopWithGroup } from '../shop.ts';

let world: World;
let api: Api;
let stranger: Api;
let shop: Phone;
let contact: Phone;
let group: string;

beforeAll(async () => {
  ({ world, api, stranger, shop, contact, group } = await openShopWithGroup({ tenant: 'stars' }));
});
afterAll(() => world.destroy());

const starred = async (): Promise<string[]> =>
  (await api.get('/messages?starred=true')).body.messages.map(({ message_id }: Json) => message_id);

const sent = async (text = 'x'): Promise<string> =>
  (await api.post('/send/text', { number: contact.number, text })).body.message_id;

test('on the phone too, in its own words; and away again', async () => {
  const own = await sent('a promise');
  const { id: direct } = await contact.sendText(shop.number, 'an order');
  const { id: inGroup } = await contact.sendText(group, 'an idea');
  for (const id of [direct, inGroup]) await untilReceived(api, id);
  for (const id of [own, direct, inGroup]) {
    const answer = await api.post(`/messages/${id}/star`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body).toMatchObject({ success: true, message_id: id, starred: true });
  }
  expect(await shop.account.stars()).toEqual([
    ['star', contact.lid, own, '1', '0'],
    ['star', contact.lid, direct, '0', '0'],
    ['star', group, inGroup, '0', contact.lid],
  ]);
  expect((await starred()).sort()).toEqual([own, direct, inGroup].sort());
  expect((await api.get('/messages/search?q=order&starred=true')).body.messages).toHaveLength(1);

  expect((await api.delete(`/messages/${direct}/star`)).body).toMatchObject({ starred: false });
  expect((await shop.account.stars()).map((index) => index[2])).toEqual([own, inGroup]);
  expect((await starred()).sort()).toEqual([own, inGroup].sort());
  const { events } = (await api.get('/events?event=message.starred')).body;
  expect(events.map(({ data }: Json) => [data.message_id, data.starred])).toEqual([
    [own, true],
    [direct, true],
    [inGroup, true],
    [direct, false],
  ]);
});

test('what the user stars on the phone', async () => {
  const id = await sent('for later');
  await shop.waitForMessage((message) => message.id === id);
  await shop.account.starMessage(id);
  await until('it is starred here', async () => (await starred()).includes(id));
  const told = await until('it is told', async () => {
    const { events } = (await api.get('/events?limit=1000')).body;
    return events.find(({ event, data }: Json) => event === 'message.starred' && data.message_id === id);
  });
  expect(told.data).toMatchObject({
    chat_jid: contact.jid,
    is_from_me: true,
    sender: { jid: shop.jid },
    starred: true,
  });
  await shop.account.starMessage(id, false);
  await until('it is not any more', async () => !(await starred()).includes(id));
});

test('refusals', async () => {
  const deleted = await sent();
  const deletion = { messageId: deleted, chatJid: contact.jid, deleteType: 'for_everyone' };
  await api.call('DELETE', '/messages/delete', deletion);
  const other = await sent();
  const refused = async (id: string, by = api): Promise<[number, string]> => {
    const answer = await by.post(`/messages/${id}/star`);
    return [answer.status, answer.body.error_code];
  };
  expect(await refused(deleted)).toEqual([409, 'NOT_STARRABLE']);
  expect(await refused(other, stranger)).toEqual([404, 'MESSAGE_NOT_FOUND']);
  await api.post('/disconnect');
  expect(await refused(other)).toEqual([503, 'DEVICE_NOT_READY']);
  await api.post('/connect');
  await until('the device is back', async () => (await api.get('/status')).body.data.connected);
});

/** Copies of a message that could not be read: asked for until one can be, and never said to be delivered before. */
import { proto } from 'baileys';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { until, untilReceived, World } from '../harness.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.destroy());

test('a copy under a counter that was used already is no repetition of what could not be read', async () => {
  const token = await world.tenant('copies');
  const api = world.as(token);
  const shop = await world.sandbox.createPhone({ number: '5511999987101', name: 'Shop' });
  const sender = await world.sandbox.createPhone({ number: '5511999987102', name: 'From a backup' });
  await world.linkByQr(token, shop);
  const posts = vi.spyOn(world.sandbox, 'inject');
  const plaintext = proto.Message.encode({ conversation: 'first' }).finish();
  await sender.hostile.sendPlaintext(shop, plaintext, { id: 'FIRST' });
  const [device, stanza] = posts.mock.calls.find(([to]) => /:[1-9]/.test(to)) ?? [];
  posts.mockRestore();
  if (!device || !stanza) throw new Error('nothing was sent to the companion');
  await untilReceived(api, 'FIRST');

  sender.answersRetries = false;
  const copy = { ...stanza, attrs: { ...stanza.attrs, id: 'UNREAD' } };
  const receipts = () => sender.receivedReceipts.filter(({ messageId }) => messageId === 'UNREAD');
  for (const copies of [1, 2]) {
    world.sandbox.inject(device, copy);
    await until(`copy ${copies} is answered`, async () => receipts().length === copies);
    await until('it is stored', async () => (await api.get('/messages/UNREAD')).status === 200);
  }
  expect(receipts().map(({ type }) => type)).toEqual(['retry', 'retry']);
  const { events } = (await api.get('/events?event=message.undecryptable')).body;
  expect(events).toHaveLength(1);
});

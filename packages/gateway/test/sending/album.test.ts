/** Albums of which not everything arrives, and what a repeated request does then. */
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SendRejected, SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { OutboundMessage } from '../../src/whatsapp/port/messages.ts';
import { type Account, type Reply, SendingWorld } from './sending-world.ts';

let world: SendingWorld;
let account: Account;
let media: { image: string }[];

beforeAll(async () => {
  world = await SendingWorld.create();
  media = await Promise.all(
    [10, 20, 30].map(async (red) => {
      const background = { r: red, g: 0, b: 0 };
      const picture = sharp({ create: { width: 40, height: 30, channels: 3, background } });
      return { image: (await picture.jpeg().toBuffer()).toString('base64') };
    }),
  );
});
beforeEach(async () => {
  account = await world.account();
});
afterAll(() => world.destroy());

const send = (key: string): Promise<Reply> =>
  world.post(
    account,
    '/send/album',
    { number: '5511999990002', media },
    { 'idempotency-key': `${key} of ${account.device.id}` },
  );
const sentIds = () => account.whatsapp.sent.map(({ id }) => id);
const isAlbum = ({ message }: OutboundMessage) => 'albumMessage' in message;
/** What the first request came to is forgotten, as after a crash before its answer. */
const forgetAnswers = () =>
  world.store.db.updateTable('idempotency_keys').set({ status: null, response: null }).execute();

/** WhatsApp answers the so manieth item with that; the album itself it takes. */
function failAt(item: number, error: Error): void {
  let items = -1;
  account.whatsapp.answer = (out) => {
    if (!isAlbum(out)) items += 1;
    return items === item ? Promise.reject(error) : account.whatsapp.takes();
  };
}

test('an item that WhatsApp refuses has failed, the others are sent', async () => {
  failAt(1, new SendRejected(479, 'restricted'));
  const { status, body } = await send('a');
  expect([status, body.status]).toEqual([200, 'partial']);
  expect(body.items).toMatchObject([
    { status: 'sent' },
    { status: 'failed', error_code: 'REJECTED_BY_WHATSAPP' },
    { status: 'sent' },
  ]);
  expect(body.items[1].message_id).toBe(sentIds()[2]);
});

test('an item whose end is not known is pending', async () => {
  failAt(2, new SessionNotOpen('the connection closed'));
  const { status, body } = await send('a');
  expect([status, body.status, body.items[2].status]).toEqual([200, 'partial', 'pending']);
  const told = await world.get(account, `/messages/${body.items[2].message_id}/status`);
  expect(told.body).toMatchObject({ status: 'pending', uncertain: true });
});

test('one that was interrupted goes on where it ended, under the same ids', async () => {
  failAt(1, new SessionNotOpen('the connection closed'));
  const first = await send('a');
  const before = sentIds();
  account.whatsapp.answer = account.whatsapp.takes;
  await forgetAnswers();
  const again = await send('a');
  expect([again.status, again.body.status, again.body.message_id]).toEqual([
    200,
    'sent',
    first.body.message_id,
  ]);
  expect(again.body.items.map((each: { message_id: string }) => each.message_id)).toEqual(before.slice(1));
  // The album and two of its items had arrived: the one that was missing left once more, as it was.
  expect(sentIds().slice(before.length)).toEqual([before[2]]);
  const [once, more] = [2, before.length].map((index) => JSON.stringify(account.whatsapp.content(index)));
  expect(more).toBe(once);
});

test('one that could not begin is begun again under its id', async () => {
  account.whatsapp.answer = () => Promise.reject(new SessionNotOpen('the connection closed'));
  const first = await send('a');
  expect([first.status, first.body.error_code, sentIds().length]).toEqual([503, 'DEVICE_NOT_READY', 1]);
  account.whatsapp.answer = account.whatsapp.takes;
  const again = await send('a');
  expect([again.status, again.body.message_id]).toEqual([200, first.body.message_id]);
  expect(sentIds()).toHaveLength(5);
});

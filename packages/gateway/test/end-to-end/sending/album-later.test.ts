/** An album that leaves after its request, as the receiving phone shows it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../harness.ts';
import { HOUR_MS, LaterShop } from '../later-shop.ts';
import { jpeg, mp4, sha256 } from '../samples.ts';

let later: LaterShop;
beforeAll(async () => {
  later = await LaterShop.open();
});
afterAll(() => later.close());

test('is one album of the accepted files, over a restart of the gateway, once', async () => {
  const { contact, clock, api } = later;
  const files = [await jpeg(), mp4(), await jpeg()];
  const [first, film, last] = files.map((bytes) => bytes.toString('base64'));
  const answer = await api.post('/send/album', {
    to: contact.number,
    media: [{ image: first, caption: 'The front' }, { video: film }, { image: last }],
    send_at: later.inOneHour(),
  });
  expect([answer.status, answer.body.status], JSON.stringify(answer.body)).toEqual([202, 'scheduled']);
  await later.restart();
  clock.advance(HOUR_MS);
  const job = await later.untilJob(answer.body.job_id, 'sent');
  expect(job.items.map((each: Json) => each.status)).toEqual(['sent', 'sent', 'sent']);
  const shown = await contact.waitForAlbum(job.message_id);
  expect(shown.map(({ id, kind, text }) => [id, kind, text])).toEqual([
    [job.items[0].message_id, 'image', 'The front'],
    [job.items[1].message_id, 'video', undefined],
    [job.items[2].message_id, 'image', undefined],
  ]);
  const got = await Promise.all(shown.map((each) => contact.downloadMedia(each)));
  expect(got.map((bytes) => sha256(bytes))).toEqual(files.map((bytes) => sha256(bytes)));
  expect(contact.inbox).toHaveLength(4);
  const [told] = await later.events('job.completed');
  expect(told?.data).toMatchObject({
    type: 'album',
    state: 'sent',
    items: job.items.map((each: Json) => ({
      message_id: each.message_id,
      status: 'sent',
      error_code: null,
      reason: null,
      whatsapp_code: null,
    })),
  });
});

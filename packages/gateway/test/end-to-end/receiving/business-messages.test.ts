/** What businesses send: texts and files that are a level deeper than in other messages. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

let world: World;
let api: Api;
let shop: Phone;
let bank: Phone;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('business');
  shop = await world.sandbox.createPhone({ number: '5511999997001', name: 'Shop' });
  bank = await world.sandbox.createPhone({ number: '5511999997002', name: 'Bank' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());

/** A picture of its own colour, uploaded. */
async function picture(index: number) {
  const bytes = await jpeg(100 + index);
  return { bytes, imageMessage: { ...(await bank.uploadMedia('image', bytes)), mimetype: 'image/jpeg' } };
}

async function told(id: string): Promise<Json> {
  await untilReceived(api, id);
  const { events } = (await api.get('/events?limit=1000&event=message.received')).body;
  return events.find(({ data }: Json) => data.message_id === id).data;
}

describe('a template', () => {
  test('with a picture in its title, a text, a footer and buttons', async () => {
    const { bytes, imageMessage } = await picture(0);
    const hydratedTemplate = {
      imageMessage,
      hydratedContentText: 'Your card was used',
      hydratedFooterText: 'Bank',
      hydratedButtons: [
        { quickReplyButton: { id: 'yes', displayText: 'It was me' } },
        { urlButton: { displayText: 'See', url: 'https://example.com/' } },
      ],
      templateId: '77',
    };
    const { id } = await bank.sendRaw(shop.number, { templateMessage: { hydratedTemplate } });
    const data = await told(id);
    expect(data).toMatchObject({
      message_type: 'template',
      content: 'Your card was used',
      media: { kind: 'image', mime_type: 'image/jpeg', size: bytes.length },
      further_media: [],
      details: {
        template_id: '77',
        footer: 'Bank',
        buttons: [
          { button_id: 'yes', text: 'It was me' },
          { text: 'See', url: 'https://example.com/' },
        ],
      },
    });
    expect(sha256((await api.get(data.media.url)).bytes)).toBe(sha256(bytes));
    expect((await api.get(`/messages/${id}`)).body.message).toMatchObject({
      media: data.media,
      details: data.details,
    });
  });
});

describe('a carousel', () => {
  test('has a file for each card', async () => {
    const pictures = [await picture(1), await picture(2), await picture(3)];
    const cards = pictures.map(({ imageMessage }, index) => ({
      header: { title: `Card ${index}`, imageMessage },
      body: { text: `Text ${index}` },
    }));
    const interactiveMessage = { body: { text: 'Choose' }, carouselMessage: { cards } };
    const { id } = await bank.sendRaw(shop.number, { interactiveMessage });
    const data = await told(id);
    expect(data).toMatchObject({ message_type: 'interactive', content: 'Choose', media: { kind: 'image' } });
    expect(data.details.cards.map(({ title, body }: Json) => [title, body])).toEqual([
      ['Card 0', 'Text 0'],
      ['Card 1', 'Text 1'],
      ['Card 2', 'Text 2'],
    ]);
    expect((await api.get(`/messages/${id}`)).body.message).toMatchObject({
      further_media: data.further_media,
    });
    const urls = [data.media, ...data.further_media].map(({ url }: Json) => url);
    expect(urls.slice(1)).toEqual([1, 2].map((index) => `/messages/${data.record_id}/media?index=${index}`));
    for (const [index, url] of urls.entries()) {
      const file = await api.get(url);
      expect([file.status, sha256(file.bytes)]).toEqual([200, sha256(pictures[index]?.bytes ?? Buffer.of())]);
    }
    // Again, without a host that has it.
    for (const { path } of world.sandbox.cdn.objects()) world.sandbox.cdn.expire(path);
    expect((await api.get(urls[2])).status).toBe(200);
    expect(await api.get(`/messages/${id}/media?index=3`)).toMatchObject({
      status: 404,
      body: { error_code: 'MEDIA_NOT_FOUND' },
    });
  });

  test('whose further file is gone says so, and no phone is asked', async () => {
    const pictures = [await picture(4), await picture(5)];
    const cards = pictures.map(({ imageMessage }) => ({ header: { imageMessage } }));
    const { id } = await bank.sendRaw(shop.number, { interactiveMessage: { carouselMessage: { cards } } });
    await untilReceived(api, id);
    for (const { path } of world.sandbox.cdn.objects()) world.sandbox.cdn.expire(path);
    expect(await api.get(`/messages/${id}/media?index=1`)).toMatchObject({
      status: 410,
      body: { error_code: 'MEDIA_GONE' },
    });
    expect(shop.mediaRetryRequests).toEqual([]);
  });
});

test('the note of a payment request, and its amount', async () => {
  const requestPaymentMessage = {
    noteMessage: { extendedTextMessage: { text: 'for the hat' } },
    currencyCodeIso4217: 'BRL',
    amount1000: 12_500,
  };
  const { id } = await bank.sendRaw(shop.number, { requestPaymentMessage });
  expect(await told(id)).toMatchObject({
    message_type: 'payment',
    content: 'for the hat',
    details: { type: 'request', amount: 12.5, currency: 'BRL' },
  });
});

test('the files of what others may see are not theirs', async () => {
  const { imageMessage } = await picture(6);
  const cards = [{ header: { imageMessage } }, { header: { imageMessage } }];
  const { id } = await bank.sendRaw(shop.number, { interactiveMessage: { carouselMessage: { cards } } });
  await untilReceived(api, id);
  const stranger = world.as(await world.tenant('elsewhere'));
  await until(
    'the owner has it',
    async () => (await api.get(`/messages/${id}/media?index=1`)).status === 200,
  );
  expect((await stranger.get(`/messages/${id}/media?index=1`)).status).toBe(404);
});

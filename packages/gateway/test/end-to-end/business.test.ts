/** What businesses sell and say of themselves, read and changed; with a customer's phone as witness. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, World } from './harness.ts';

const MANY = 100_000;

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let bakery: Phone;
let ana: Phone;

const HAT = {
  id: '5550001',
  name: 'Hat',
  retailerId: 'H-1',
  price: 19_900,
  currency: 'BRL',
  salePrice: 15_000,
};
const COINS = [
  { id: '1', name: 'Rice', price: 1_500_000, currency: 'JPY' },
  { id: '2', name: 'Oil', price: 1_234, currency: 'KWD' },
  { id: '3', name: 'Gift', price: 0, currency: 'XAF' },
  { id: '4', name: 'On request' },
  { id: '5', name: 'Beyond all numbers', price: '99999999999999999999', currency: 'VES' },
  { id: '6', name: 'Kept back', price: 1_000, currency: 'BRL', hidden: true },
];

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 } });
  token = await world.tenant('business');
  [shop, bakery, ana] = (await Promise.all(
    ['Shop', 'Bakery', 'Ana'].map((name, index) =>
      world.sandbox.createPhone({ number: `551199999870${index + 1}`, name }),
    ),
  )) as [Phone, Phone, Phone];
  await shop.becomeBusiness({ name: 'Hats & Co', address: '1 Hat Street' });
  await bakery.becomeBusiness({ name: 'The Bakery' });
  world.sandbox.stock(shop, {
    products: [HAT, ...COINS],
    collections: [
      { id: 'c1', name: 'Summer', products: ['5550001', '2'] },
      { id: 'c2', name: 'Nothing', products: [] },
    ],
  });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());

const named = ({ jid, lid, number }: Phone) => ({ jid, lid, phone_number: number });
const coded = ({ status, body }: { status: number; body: Json }) => [status, body.error_code];

describe('a catalogue', () => {
  test('of our own has everything, with prices in units of any currency', async () => {
    const { status, body } = await api.get('/business/catalog');
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ success: true, business: named(shop), count: 7, next_cursor: null });
    const [hat] = body.products;
    expect(hat).toEqual({
      id: '5550001',
      retailer_id: 'H-1',
      name: 'Hat',
      description: '',
      url: null,
      currency: 'BRL',
      price: 19.9,
      sale_price: 15,
      availability: 'in stock',
      max_available: null,
      hidden: false,
      review_status: 'APPROVED',
      images: [],
    });
    const prices = body.products.map(({ name, price, currency }: Json) => [name, price, currency]);
    expect(prices.slice(1)).toEqual([
      ['Rice', 1500, 'JPY'],
      ['Oil', 1.234, 'KWD'],
      ['Gift', 0, 'XAF'],
      ['On request', null, null],
      ['Beyond all numbers', null, 'VES'],
      ['Kept back', 1, 'BRL'],
    ]);
  });

  test('of 100,000 products comes in pages, the last as fast as the first', async () => {
    const products = Array.from({ length: MANY }, (_, index) => ({
      id: String(index),
      name: `Bun ${index}`,
    }));
    world.sandbox.stock(bakery, { products });
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 20; pages += 1) {
      const query = `number=${bakery.number}&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
      const { body } = await api.get(`/business/catalog?${query}`);
      seen.push(...body.products.map(({ id }: Json) => id));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual(products.slice(0, 2000).map(({ id }) => id));
    const near = Buffer.from(String(MANY - 1)).toString('base64');
    const { body } = await api.get(`/business/catalog?number=${bakery.number}&cursor=${near}`);
    expect([body.products[0].id, body.count, body.next_cursor]).toEqual([String(MANY - 1), 1, null]);
    expect(coded(await api.get('/business/catalog?limit=101'))).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('that is empty, of nobody who sells, and of nobody at all', async () => {
    world.sandbox.stock(bakery, { products: [] });
    const empty = await api.get(`/business/catalog?jid=${bakery.lid}`);
    expect(empty.body).toMatchObject({ business: named(bakery), products: [], count: 0, next_cursor: null });
    expect(coded(await api.get(`/business/catalog?number=${ana.number}`))).toEqual([404, 'NOT_FOUND']);
    const nobody = await api.get('/business/catalog?number=5511900000000');
    expect(coded(nobody)).toEqual([404, 'NOT_ON_WHATSAPP']);
    const group = await api.get('/business/catalog?jid=120363039000000000@g.us');
    expect(coded(group)).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('has one product by its id, and collections with the first of each', async () => {
    expect((await api.get('/business/catalog/2')).body.product).toMatchObject({ name: 'Oil', price: 1.234 });
    expect(coded(await api.get('/business/catalog/none'))).toEqual([404, 'NOT_FOUND']);
    const { body } = await api.get('/business/collections?products=1');
    expect(body.collections).toMatchObject([
      { id: 'c1', name: 'Summer', review_status: 'APPROVED', products: [{ id: '5550001', price: 19.9 }] },
      { id: 'c2', name: 'Nothing', products: [] },
    ]);
    expect((await api.get('/business/collections?limit=1')).body.next_cursor).toEqual(expect.any(String));
  });
});

describe('an order', () => {
  const ordered = async (seller: Phone) => {
    const items = [{ product: HAT, quantity: 3, variant: { Colour: 'red' } }];
    return world.sandbox.placeOrder(seller, items);
  };

  test('is told by its message, and by its token', async () => {
    const { id, token: secret } = await ordered(shop);
    const sent = await ana.sendRaw(shop, {
      orderMessage: {
        orderId: id,
        token: secret,
        sellerJid: shop.lid,
        itemCount: 3,
        orderTitle: 'Three hats',
      },
    });
    const message = await until('the order is here', async () => {
      const answer = await api.get(`/messages/${sent.id}`);
      return answer.status === 200 && answer.body.message;
    });
    const { order_id, token: told } = message.details;
    const { body } = await api.get(`/orders/${order_id}?token=${encodeURIComponent(told)}`);
    expect(body.order).toEqual({
      id,
      created_at: expect.any(String),
      currency: 'BRL',
      subtotal: 59.7,
      total: 59.7,
      products: [
        {
          id: '5550001',
          name: 'Hat',
          price: 19.9,
          currency: 'BRL',
          quantity: 3,
          image_url: null,
          variant: { Colour: 'red' },
        },
      ],
    });
    expect((await api.get(`/messages/${sent.id}/order`)).body).toEqual(body);
  });

  test('is told to whoever writes its token into the address as it is', async () => {
    // Some tokens hold none.
    const written = async (): Promise<{ id: string; token: string }> => {
      const order = await ordered(shop);
      return order.token.includes('+') ? order : written();
    };
    const { id, token: secret } = await written();
    const { status, body } = await api.get(`/orders/${id}?token=${secret}`);
    expect([status, body.order?.id]).toEqual([200, id]);
  });

  test("of another account is nobody else's, and not without its token", async () => {
    world.sandbox.stock(bakery, { products: [HAT] });
    const { id, token: secret } = await ordered(bakery);
    const path = (more: string) => api.get(`/orders/${id}?token=${encodeURIComponent(secret)}${more}`);
    expect(coded(await path(''))).toEqual([404, 'NOT_FOUND']);
    // Who has the token of another shop's order has ordered there.
    expect((await path(`&number=${bakery.number}`)).body.order.total).toBe(59.7);
    expect(coded(await api.get(`/orders/${id}?token=guessed&number=${bakery.number}`))).toEqual([
      404,
      'NOT_FOUND',
    ]);
    expect(coded(await api.get(`/orders/${id}`))).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('is what an order message brings, and no other', async () => {
    const { id } = await ana.sendText(shop, 'three hats, please');
    await until('it is here', async () => (await api.get(`/messages/${id}`)).status === 200);
    expect(coded(await api.get(`/messages/${id}/order`))).toEqual([409, 'NOT_AN_ORDER']);
    const unknown = await api.get('/messages/3EB0000000000000000000/order');
    expect(coded(unknown)).toEqual([404, 'MESSAGE_NOT_FOUND']);
  });
});

describe('a profile', () => {
  const change = (body: Json) => api.put('/business/profile', body);

  test('is changed in what is given, for everybody who looks', async () => {
    const { body } = await change({
      description: 'Hats since 1906',
      email: 'hats@hats.example',
      websites: ['https://hats.example', 'https://caps.example'],
      category_ids: ['629412378414563'],
      hours: {
        timezone: 'America/Sao_Paulo',
        days: [
          { day: 'mon', mode: 'specific_hours', opens_at: '09:05', closes_at: '24:00' },
          { day: 'sun', mode: 'open_24h' },
        ],
      },
    });
    expect(body.profile).toEqual({
      address: '1 Hat Street',
      description: 'Hats since 1906',
      email: 'hats@hats.example',
      websites: ['https://hats.example', 'https://caps.example'],
      categories: [{ id: '629412378414563', name: expect.any(String) }],
      hours: {
        timezone: 'America/Sao_Paulo',
        days: [
          { day: 'mon', mode: 'specific_hours', opens_at: '09:05', closes_at: '24:00' },
          { day: 'sun', mode: 'open_24h', opens_at: null, closes_at: null },
        ],
      },
      options: {},
    });
    const readerToken = await world.tenant('reader');
    await world.linkByQr(readerToken, ana);
    const reader = world.as(readerToken);
    const seen = await reader.get(`/business/profile?number=${shop.number}`);
    expect(seen.body.profile).toEqual(body.profile);
    const whole = await reader.get(`/contacts/profile?number=${shop.number}`);
    expect(whole.body.data.business_profile.BusinessHours[0]).toEqual({
      DayOfWeek: 'mon',
      Mode: 'specific_hours',
      OpenTime: '545',
      CloseTime: '1440',
    });
    // Who is no business has none, and cannot write one.
    expect((await reader.get('/business/profile')).body).toMatchObject({
      business: named(ana),
      profile: null,
    });
    const refused = await reader.put('/business/profile', { description: 'x' });
    expect(coded(refused)).toEqual([422, 'REJECTED_BY_WHATSAPP']);
  });

  test('is emptied by what is empty', async () => {
    const { profile } = (await change({ email: '', websites: [] })).body;
    expect(profile).toMatchObject({ email: '', websites: [], description: 'Hats since 1906' });
    const products = (await api.get('/business/catalog')).body.count;
    expect(products).toBe(7);
  });

  test.each([
    ['nothing', {}, 'body'],
    ['three websites', { websites: ['a', 'b', 'c'] }, 'websites'],
    ['no time zone', { hours: { timezone: 'Mars/North', days: [] } }, 'hours.timezone'],
    [
      'times that are missing',
      { hours: { timezone: 'UTC', days: [{ day: 'mon', mode: 'specific_hours', opens_at: '09:00' }] } },
      'hours.days.0.closes_at',
    ],
    [
      'a day that ends before it begins',
      {
        hours: {
          timezone: 'UTC',
          days: [{ day: 'mon', mode: 'specific_hours', opens_at: '09:00', closes_at: '08:59' }],
        },
      },
      'hours.days.0.closes_at',
    ],
    [
      'a closed day',
      { hours: { timezone: 'UTC', days: [{ day: 'mon', mode: 'closed' }] } },
      'hours.days.0.mode',
    ],
    ['a long description', { description: 'x'.repeat(513) }, 'description'],
  ])('with %s is refused here', async (_what, body, field) => {
    const answer = await change(body);
    expect(coded(answer)).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.validation[0].field).toBe(field);
  });
});

describe('what WhatsApp refuses', () => {
  test.each([
    [401, 422],
    [403, 422],
    [406, 422],
    [410, 404],
    [429, 429],
    [503, 502],
    ['silence', 504],
  ] as const)('with %s is answered %i', async (code, expected) => {
    await until('the device is connected', async () => (await api.post('/connect')).status === 200);
    const asked: [string, () => Promise<{ status: number; body: Json }>][] = [
      ['w:mex', () => api.get('/business/catalog')],
      ['w:mex', () => api.get('/business/catalog/1')],
      ['w:mex', () => api.get('/business/collections')],
      ['w:mex', () => api.get('/orders/1?token=x')],
      ['w:biz', () => api.get('/business/profile')],
      ['w:biz', () => api.put('/business/profile', { address: 'x' })],
    ];
    for (const [xmlns, ask] of code === 'silence' ? asked.slice(0, 1) : asked) {
      world.sandbox.faults.refuseQuestions(code, { xmlns });
      const { status, body } = await ask();
      expect(status, JSON.stringify(body)).toBe(expected);
      world.sandbox.faults.clear();
    }
  });

  test('a line that drops meanwhile is said, and the next question is answered', async () => {
    await until('the device is connected', async () => (await api.post('/connect')).status === 200);
    world.sandbox.faults.refuseQuestions('silence', { xmlns: 'w:mex' });
    const asking = api.get('/business/catalog');
    await until('it was asked', async () => world.sandbox.faults.questionsRefused.length > 0);
    await api.post('/disconnect');
    expect((await asking).status).toBeGreaterThanOrEqual(503);
    world.sandbox.faults.clear();
    await world.restartGateway();
    api = world.as(token);
    await until('the device is connected', async () => (await api.post('/connect')).status === 200);
    await until('it is answered', async () => (await api.get('/business/catalog')).status === 200);
  });

  test("another tenant's device is not asked", async () => {
    const stranger = world.as(await world.tenant('elsewhere'));
    for (const path of ['/business/catalog', '/business/profile', '/orders/1?token=x']) {
      expect(coded(await stranger.get(path))).toEqual([404, 'DEVICE_NOT_FOUND']);
    }
  });
});

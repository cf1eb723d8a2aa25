/** What the server says of businesses and people: shops, orders, profiles. */
import { describe, expect, test } from 'vitest';
import { type BinaryNode, proto } from '../../../src/whatsapp/baileys/library.ts';
import {
  parseCatalog,
  parseCollections,
  parseOneProduct,
  parseOrder,
} from '../../../src/whatsapp/baileys/parse/business.ts';
import { businessIn, profileIn } from '../../../src/whatsapp/baileys/parse/profile.ts';

const node = (
  tag: string,
  attrs: Record<string, string> = {},
  content?: BinaryNode['content'],
): BinaryNode => (content === undefined ? { tag, attrs } : { tag, attrs, content });

const BARE = {
  retailerId: null,
  name: '',
  description: '',
  url: null,
  currency: null,
  price: null,
  salePrice: null,
  availability: null,
  maxAvailable: null,
  hidden: false,
  reviewStatus: null,
  images: [],
};

describe('a shop', () => {
  const hat = {
    id: '7',
    retailer_id: 'HAT',
    name: 'Hat\0',
    description: 'Warm',
    url: 'https://shop.example/hat',
    currency: 'BRL',
    price: '49900',
    sale_price: { price: 39900 },
    product_availability: 'OUT_OF_STOCK',
    max_available: 5,
    is_hidden: true,
    status_info: { status: 'APPROVED' },
    media: { images: [{ id: '1', request_image_url: 'small', original_image_url: 'large' }, null] },
  };
  const HAT = {
    id: '7',
    retailerId: 'HAT',
    name: 'Hat',
    description: 'Warm',
    url: 'https://shop.example/hat',
    currency: 'BRL',
    price: 49_900,
    salePrice: 39_900,
    availability: 'out of stock',
    maxAvailable: 5,
    hidden: true,
    reviewStatus: 'APPROVED',
    images: [
      { id: '1', url: 'small', originalUrl: 'large' },
      { id: '', url: '', originalUrl: '' },
    ],
  };

  test('tells its products page by page, without what has no id', () => {
    const product_catalog = { products: [hat, { name: 'x' }, null, { id: '8' }], paging: { after: 'c2' } };
    expect(parseCatalog({ product_catalog })).toEqual({ items: [HAT, { id: '8', ...BARE }], next: 'c2' });
    expect(parseOneProduct({ product_catalog: { product: hat } })).toEqual(HAT);
    expect(parseOneProduct({})).toBeNull();
    for (const none of [null, {}, { product_catalog: { products: {}, paging: { after: '' } } }]) {
      expect(parseCatalog(none)).toEqual({ items: [], next: null });
    }
  });

  test('and its collections', () => {
    const collections = [
      { id: '1', name: 'Winter', status_info: { status: 'PENDING' }, products: [hat, {}] },
      { id: '2' },
      { name: 'without an id' },
    ];
    expect(parseCollections({ collections, paging: { after: 'c' } })).toEqual({
      items: [
        { id: '1', name: 'Winter', reviewStatus: 'PENDING', products: [HAT] },
        { id: '2', name: '', reviewStatus: null, products: [] },
      ],
      next: 'c',
    });
  });

  test.each([
    [0, 0],
    ['12', 12],
    [' ', null],
    ['', null],
    ['12.5', null],
    [-1, null],
    ['x', null],
    [true, null],
    [null, null],
    [2 ** 53, null],
  ])('a price of %j is %j', (price, expected) => {
    expect(parseOneProduct({ product_catalog: { product: { id: '1', price } } })?.price).toBe(expected);
  });

  test.each([
    [true, true],
    ['ISHIDDEN_TRUE', true],
    ['ISHIDDEN_FALSE', false],
    [false, false],
    ['true', false],
  ])('hidden by %j: %s', (is_hidden, hidden) => {
    expect(parseOneProduct({ product_catalog: { product: { id: '1', is_hidden } } })?.hidden).toBe(hidden);
  });

  test('an order, with what was chosen', () => {
    const products = [
      {
        id: '7',
        name: 'Hat',
        price: 49_900,
        currency: 'BRL',
        quantity: '2',
        media: { images: [{ request_image_url: 'small' }, { request_image_url: 'next' }] },
        variant_info: { variant_properties: [{ name: 'Colour', value: 'red' }] },
      },
      {},
    ];
    const price_details = { currency: 'BRL', subtotal_amount: '99800', total_amount: 109_800 };
    expect(
      parseOrder('O1', { order: { creation_time_stamp: '1760000000', products, price_details } }),
    ).toEqual({
      id: 'O1',
      createdAt: 1_760_000_000_000,
      currency: 'BRL',
      subtotal: 99_800,
      total: 109_800,
      products: [
        {
          id: '7',
          name: 'Hat',
          price: 49_900,
          currency: 'BRL',
          quantity: 2,
          imageUrl: 'small',
          variant: { Colour: 'red' },
        },
        { id: '', name: '', price: null, currency: null, quantity: 0, imageUrl: null, variant: {} },
      ],
    });
    const none = { createdAt: null, currency: null, subtotal: null, total: null, products: [] };
    expect(parseOrder('O2', { order: {} })).toEqual({ id: 'O2', ...none });
    for (const answer of [{}, { order: null }, { order: 'x' }, null])
      expect(parseOrder('O', answer)).toBeNull();
  });
});

describe('the profile of a business', () => {
  test('as far as it tells one', () => {
    const profile = node('profile', { jid: '5511999990001:2@s.whatsapp.net' }, [
      node('address', {}, 'Pier 1'),
      node('email', {}, 'a@shop.example'),
      node('description', {}, 'Hats'),
      node('website', {}, 'https://shop.example'),
      node('website'),
      node('categories', {}, [node('category', { id: '3' }, 'Clothes'), node('category')]),
      node('profile_options', {}, [node('cart_enabled', {}, 'true'), node('commerce')]),
      node('business_hours', { timezone: 'America/Sao_Paulo' }, [
        node('business_hours_config', {
          day_of_week: 'mon',
          mode: 'specific_hours',
          open_time: '540',
          close_time: '1080',
        }),
        node('business_hours_config'),
        node('note'),
      ]),
    ]);
    expect(businessIn(node('business_profile', {}, [profile]))).toEqual({
      jid: '5511999990001@s.whatsapp.net',
      address: 'Pier 1',
      email: 'a@shop.example',
      description: 'Hats',
      websites: ['https://shop.example'],
      categories: [
        { id: '3', name: 'Clothes' },
        { id: '', name: '' },
      ],
      options: { cart_enabled: 'true', commerce: '' },
      timezone: 'America/Sao_Paulo',
      hours: [
        { day: 'mon', mode: 'specific_hours', open: '540', close: '1080' },
        { day: '', mode: '', open: '', close: '' },
      ],
    });
  });

  test('is none where it says nothing', () => {
    expect(businessIn(undefined)).toBeNull();
    expect(businessIn(node('business_profile', {}, [node('profile', { jid: 'x@lid' })]))).toBeNull();
    const email = [node('email', {}, 'a@shop.example')];
    expect(businessIn(node('business_profile', {}, [node('profile', {}, email)]))).toEqual({
      jid: null,
      address: '',
      email: 'a@shop.example',
      description: '',
      websites: [],
      categories: [],
      options: {},
      timezone: '',
      hours: [],
    });
  });
});

describe('the profile of a person', () => {
  const nothing = {
    about: null,
    aboutSetAt: null,
    pictureId: null,
    devices: [],
    lid: null,
    verifiedName: null,
  };
  const ANA = '5511999990002@s.whatsapp.net';

  test('with about, picture, devices and the other name', () => {
    const devices = (ids: string[]) =>
      node('devices', {}, [
        node(
          'device-list',
          {},
          ids.map((id) => node('device', { id })),
        ),
      ]);
    const user = node('user', { jid: ANA }, [
      node('status', { t: '1760000000' }, 'at work'),
      node('picture', { id: '17' }),
      node('lid', { val: '222222222222222:3@lid' }),
      devices(['0', '3', 'x']),
    ]);
    expect(profileIn(user)).toEqual({
      ...nothing,
      about: 'at work',
      aboutSetAt: 1_760_000_000_000,
      pictureId: '17',
      devices: [ANA, '5511999990002:3@s.whatsapp.net', ANA],
      lid: '222222222222222@lid',
    });
    const many = Array.from({ length: 101 }, (_, id) => `${id}`);
    expect(profileIn(node('user', { jid: ANA }, [devices(many)])).devices).toHaveLength(100);
  });

  test('without what is hidden', () => {
    expect(profileIn(node('user', { jid: ANA }))).toEqual(nothing);
    expect(profileIn(node('user', {}, [node('status', { t: '1760000000' }, '')]))).toEqual(nothing);
    const untold = node('user', { jid: ANA }, [node('status', { t: '0' }, 'x')]);
    expect(profileIn(untold)).toEqual({ ...nothing, about: 'x' });
  });

  const named = (content: BinaryNode['content'], attrs: Record<string, string> = {}) =>
    profileIn(node('user', { jid: ANA }, [node('business', {}, [node('verified_name', attrs, content)])]))
      .verifiedName;

  test('a verified name is read out of its certificate', () => {
    const details = proto.VerifiedNameCertificate.Details.encode({
      serial: 42,
      issuer: 'smb:wa',
      verifiedName: 'Hats',
      issueTime: 1_760_000_000,
    }).finish();
    const signed = { details, signature: Buffer.from('s'), serverSignature: Buffer.from('t') };
    const attrs = {
      verified_level: 'high',
      v: '2',
      host_storage: '1',
      actual_actors: '3',
      privacy_mode_ts: '1760000000',
    };
    expect(named(proto.VerifiedNameCertificate.encode(signed).finish(), attrs)).toEqual({
      name: 'Hats',
      issuer: 'smb:wa',
      serial: '42',
      issuedAt: 1_760_000_000,
      details: Buffer.from(details),
      signature: Buffer.from('s'),
      serverSignature: Buffer.from('t'),
      level: 'high',
      version: 2,
      hostStorage: 1,
      actualActors: 3,
      privacyModeAt: 1_760_000_000_000,
    });
  });

  test('one that says nothing, and one that cannot be read', () => {
    const empty = named(Buffer.alloc(0));
    expect(empty).toMatchObject({ name: null, issuer: null, serial: null, issuedAt: null, level: '' });
    expect(empty).toMatchObject({ version: 0, hostStorage: 0, actualActors: 0, privacyModeAt: null });
    expect(named(Buffer.from([0xff]))).toBeNull();
    expect(named('Hats')).toBeNull();
    expect(named(undefined)).toBeNull();
  });
});

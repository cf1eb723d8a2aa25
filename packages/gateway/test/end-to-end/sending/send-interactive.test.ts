/** Buttons, lists, templates and products, as the receiving phone decrypts them and as their stanza says. */
import type { Phone, PhoneMessage } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, type World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';
import { type SendsTo, sendsTo } from './sends-to.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let sent: SendsTo['sent'];
let refused: SendsTo['refused'];

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'interactive' }));
  ({ sent, refused } = sendsTo(api, contact));
});
afterAll(() => world.destroy());

/** The stanza's `<biz>`, which decides whether the apps show the message. */
const biz = (got: PhoneMessage): Json => got.stanza?.nodes.find(({ tag }) => tag === 'biz');

function expectNativeFlow(got: PhoneMessage): void {
  expect(biz(got)).toMatchObject({
    attrs: { actual_actors: '2', host_storage: '2', privacy_mode_ts: expect.stringMatching(/^\d{10}$/) },
    content: [
      {
        tag: 'interactive',
        attrs: { type: 'native_flow', v: '1' },
        content: [{ tag: 'native_flow', attrs: { v: '9', name: 'mixed' } }],
      },
      { tag: 'quality_control', attrs: { decision_id: expect.stringMatching(/^[0-9a-f]{40}$/) } },
    ],
  });
}

describe('buttons', () => {
  const buttons = [
    { id: 'yes', display_text: 'Yes' },
    { id: 'no', display_text: 'No' },
  ];

  test('quick replies, and a tap on one comes in with its id', async () => {
    const { answer, got, message } = await sent('buttons', { message: 'Today?', footer: 'Shop', buttons });
    expect(answer.body).toMatchObject({ success: true, message: 'Buttons message sent successfully' });
    const { body, footer, nativeFlowMessage } = message.interactiveMessage;
    expect([body.text, footer.text]).toEqual(['Today?', 'Shop']);
    expect(
      nativeFlowMessage.buttons.map((each: Json) => [each.name, JSON.parse(each.buttonParamsJson)]),
    ).toEqual(buttons.map((each) => ['quick_reply', each]));
    expectNativeFlow(got);

    const tap = await contact.sendRaw(shop, {
      interactiveResponseMessage: {
        body: { text: 'Yes' },
        nativeFlowResponseMessage: { name: 'quick_reply', paramsJson: '{"id":"yes"}', version: 3 },
        contextInfo: { stanzaId: got.id, participant: shop.jid },
      },
    });
    const event = await until('the tap is reported', async () => {
      const { body } = await api.get('/events?limit=500');
      return body.events.find(({ data }: Json) => data.message_id === tap.id);
    });
    expect(event.data).toMatchObject({
      message_type: 'buttons_response',
      content: 'Yes',
      details: { button_id: 'yes' },
      quoted: { message_id: got.id },
    });
  });

  test('what a tap sends, quoting what was received', async () => {
    const offered = await contact.sendText(shop, 'Tea or coffee?');
    await until('it is stored', async () => {
      const { body } = await api.get('/events?limit=500');
      return body.events.some(({ data }: Json) => data.message_id === offered.id);
    });
    const quoted = { message_id: offered.id, participant: contact.jid, body: 'Tea or coffee?' };
    const { answer, got, message } = await sent('buttons-response', {
      selected_button_id: 'tea',
      selected_display_text: 'Tea',
      quoted,
    });
    expect(answer.body.message).toBe('Buttons response sent successfully');
    expect(message.buttonsResponseMessage).toMatchObject({
      selectedButtonId: 'tea',
      selectedDisplayText: 'Tea',
      contextInfo: { stanzaId: offered.id, participant: contact.jid },
    });
    expect(biz(got)?.content).toMatchObject([{ tag: 'buttons_response' }]);

    const list = await sent('list-response', {
      selected_row_id: 's',
      title: 'Small',
      description: 'Fits',
      quoted,
    });
    expect(list.answer.body.message).toBe('List response sent successfully');
    expect(list.message.listResponseMessage).toMatchObject({
      title: 'Small',
      description: 'Fits',
      singleSelectReply: { selectedRowId: 's' },
      contextInfo: { stanzaId: offered.id },
    });
    expect(biz(list.got)?.content).toMatchObject([{ tag: 'list_response' }]);
  });

  test('refuses what is none', async () => {
    await refused('buttons', { message: 'x', buttons: [] }, 'buttons');
    await refused('buttons', { message: 'x', buttons: [...buttons, ...buttons] }, 'buttons');
    await refused('buttons', { message: 'x', buttons: [buttons[0], buttons[0]] }, 'buttons.1.id');
    await refused('buttons', { message: 'x', buttons: [{ id: '', display_text: 'x' }] }, 'buttons.0.id');
    await refused('buttons', { message: 'x', buttons: [{ id: 'x' }] }, 'buttons.0.display_text');
    await refused('buttons', { message: '', buttons }, 'message');
    await refused('buttons', { buttons }, 'message');
    const tap = { selected_button_id: 'x' };
    await refused('buttons-response', tap, 'quoted');
    await refused(
      'buttons-response',
      { ...tap, quoted: { message_id: 'X', participant: '' } },
      'quoted.participant',
    );
    await refused(
      'buttons-response',
      { ...tap, quoted: { message_id: 'X', participant: 'nobody' } },
      'quoted.participant',
    );
    await refused('list-response', { quoted: { message_id: 'X' } }, 'selected_row_id');
  });
});

describe('lists', () => {
  const list = {
    title: 'Shirts',
    body: 'Which size?',
    footer: 'Shop',
    button_text: 'Sizes',
    sections: [
      {
        title: 'Cotton',
        rows: [
          { id: 's', title: 'Small', description: 'Fits' },
          { id: 'm', title: 'Medium' },
        ],
      },
    ],
  };

  test('rows to choose one of', async () => {
    const { answer, got, message } = await sent('interactive', list);
    expect(answer.body.message).toBe('Interactive list message sent successfully');
    const { header, body, nativeFlowMessage } = message.interactiveMessage;
    expect([header.title, body.text]).toEqual(['Shirts', 'Which size?']);
    const [button] = nativeFlowMessage.buttons;
    expect(button.name).toBe('single_select');
    expect(JSON.parse(button.buttonParamsJson)).toEqual({
      title: 'Sizes',
      sections: [
        {
          title: 'Cotton',
          rows: [
            { id: 's', title: 'Small', description: 'Fits' },
            { id: 'm', title: 'Medium', description: '' },
          ],
        },
      ],
    });
    expectNativeFlow(got);
  });

  test('refuses what is none', async () => {
    const row = { id: 's', title: 'Small' };
    await refused('interactive', { ...list, sections: [] }, 'sections');
    await refused('interactive', { ...list, sections: [{ rows: [] }] }, 'sections.0.rows');
    await refused(
      'interactive',
      { ...list, sections: [{ rows: [row] }, { rows: [row] }] },
      'sections.1.rows.0.id',
    );
    await refused('interactive', { ...list, button_text: ' ' }, 'button_text');
    await refused('interactive', { ...list, body: null }, 'body');
    const many = Array.from({ length: 60 }, (_, n) => ({ id: `${n}`, title: 'x' }));
    const more = many.map(({ id }) => ({ id: `b${id}`, title: 'x' }));
    await refused('interactive', { ...list, sections: [{ rows: many }, { rows: more }] }, 'sections');
  });
});

describe('templates', () => {
  test('picture, text and every kind of button', async () => {
    const picture = await jpeg();
    const { answer, got, message } = await sent('template', {
      body: 'Ready',
      footer: 'Shop',
      header: { type: 'image', image: picture.toString('base64') },
      buttons: [
        { type: 'quick_reply', text: 'Thanks', id: 'thanks' },
        { type: 'url', text: 'Track', url: 'https://example.com/7' },
        { type: 'call', text: 'Call', phone_number: '+55 11 98888-7777' },
      ],
    });
    expect(answer.body).toMatchObject({ status: 'sent', chat_jid: contact.jid });
    const template = message.templateMessage.hydratedTemplate;
    expect(template).toMatchObject({
      hydratedContentText: 'Ready',
      hydratedFooterText: 'Shop',
      hydratedButtons: [
        { index: 1, quickReplyButton: { displayText: 'Thanks', id: 'thanks' } },
        { index: 2, urlButton: { displayText: 'Track', url: 'https://example.com/7' } },
        { index: 3, callButton: { displayText: 'Call', phoneNumber: '+5511988887777' } },
      ],
    });
    expect(template.imageMessage.mediaKey).toHaveLength(32);
    expect(Buffer.from(template.imageMessage.fileSha256).toString('hex')).toBe(sha256(picture));
    expect(got.id).toBe(answer.body.message_id);
    const titled = await sent('template', { body: 'Ready', header: { type: 'text', text: 'News' } });
    expect(titled.message.templateMessage.hydratedTemplate.hydratedTitleText).toBe('News');
  });

  test('refuses what is none', async () => {
    const empty = await refused('template', { body: '' }, 'body');
    expect(empty.body.validation).toEqual([{ field: 'body', message: 'body cannot be empty' }]);
    await refused('template', { body: 'x', header: { type: 'text' } }, 'header.text');
    await refused('template', { body: 'x', header: { type: 'image' } }, 'header.image');
    await refused('template', { body: 'x', header: { type: 'video' } }, 'header.type');
    const button = (each: object) => ({ body: 'x', buttons: [{ text: 'x', ...each }] });
    await refused('template', button({ type: 'url', url: 'javascript:alert(1)' }), 'buttons.0.url');
    await refused('template', button({ type: 'call', phone_number: '1' }), 'buttons.0.phone_number');
    await refused('template', button({ type: 'quick_reply' }), 'buttons.0.id');
    await refused(
      'template',
      { body: 'x', buttons: Array(4).fill({ type: 'quick_reply', text: 'x', id: 'x' }) },
      'buttons',
    );
  });
});

describe('products', () => {
  const business_owner_jid = '5511888888888@s.whatsapp.net';

  test('one product, with its picture', async () => {
    const picture = await jpeg();
    const { answer, message } = await sent('product', {
      business_owner_jid: '5511888888888',
      product: {
        product_id: '7',
        title: 'Shirt',
        description: 'Cotton',
        currency_code: 'BRL',
        price_amount_1000: 49_900,
        sale_price_amount_1000: 39_900,
        retailer_id: 'SKU7',
        url: 'https://example.com/7',
        product_image: picture.toString('base64'),
      },
      body: 'Look',
      footer: 'Shop',
    });
    expect(answer.body.status).toBe('sent');
    const { product, ...rest } = message.productMessage;
    expect(rest).toMatchObject({ businessOwnerJid: business_owner_jid, body: 'Look', footer: 'Shop' });
    expect(product).toMatchObject({
      productId: '7',
      title: 'Shirt',
      currencyCode: 'BRL',
      retailerId: 'SKU7',
      productImageCount: 1,
    });
    expect([Number(product.priceAmount1000), Number(product.salePriceAmount1000)]).toEqual([49_900, 39_900]);
    expect(Buffer.from(product.productImage.fileSha256).toString('hex')).toBe(sha256(picture));
  });

  test('a catalogue in sections', async () => {
    const { answer, got, message } = await sent('catalog', {
      business_owner_jid,
      title: 'Summer',
      description: 'All new',
      footer: 'Shop',
      button_text: 'See all',
      sections: [{ title: 'Shirts', product_ids: ['7', '8'] }],
    });
    expect(answer.body.status).toBe('sent');
    expect(message.listMessage).toMatchObject({
      title: 'Summer',
      description: 'All new',
      footerText: 'Shop',
      buttonText: 'See all',
      listType: 2,
      productListInfo: {
        productSections: [{ title: 'Shirts', products: [{ productId: '7' }, { productId: '8' }] }],
        headerImage: { productId: '7' },
        businessOwnerJid: business_owner_jid,
      },
    });
    expect(biz(got)?.content).toMatchObject([{ tag: 'list', attrs: { type: 'product_list', v: '2' } }]);
  });

  test('refuses what is none', async () => {
    const product = { product_id: '7', title: 'Shirt' };
    await refused('product', { business_owner_jid, product: { ...product, title: '' } }, 'product.title');
    await refused('product', { business_owner_jid, product: { title: 'x' } }, 'product.product_id');
    await refused('product', { business_owner_jid: 'shop', product }, 'business_owner_jid');
    await refused('product', { product }, 'business_owner_jid');
    await refused(
      'product',
      { business_owner_jid, product: { ...product, price_amount_1000: 49.9 } },
      'product.price_amount_1000',
    );
    await refused(
      'product',
      { business_owner_jid, product: { ...product, currency_code: 'R$' } },
      'product.currency_code',
    );
    const catalog = { business_owner_jid, title: 'x', button_text: 'x' };
    const section = (n: number, at = 0) => ({
      title: `s${at}`,
      product_ids: Array.from({ length: n }, (_, i) => `${at}-${i}`),
    });
    await refused('catalog', { ...catalog, sections: [section(1)], button_text: '' }, 'button_text');
    await refused('catalog', { ...catalog, sections: [section(31)] }, 'sections.0.product_ids');
    await refused('catalog', { ...catalog, sections: [0, 1, 2, 3].map((at) => section(30, at)) }, 'sections');
    await refused(
      'catalog',
      { ...catalog, sections: Array.from({ length: 11 }, () => section(1)) },
      'sections',
    );
  });
});

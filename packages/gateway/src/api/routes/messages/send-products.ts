/** Tag `messages`: what a business sells. */
import { Type } from 'typebox';
import { LONGEST_BUTTON_TEXT } from '../../../sending/content/buttons.ts';
import {
  type CatalogInput,
  catalogContent,
  MOST_CATALOG_SECTIONS,
  MOST_PRODUCTS_PER_SECTION,
} from '../../../sending/content/catalog.ts';
import { LONGEST_URL } from '../../../sending/content/location.ts';
import {
  LONGEST_PRODUCT_DESCRIPTION,
  LONGEST_PRODUCT_ID,
  type ProductInput,
  productContent,
} from '../../../sending/content/product.ts';
import { LONGEST_CAPTION } from '../../../sending/content.ts';
import { notBoth, optionalWords, refusing, stated, words } from '../../description/stated.ts';
import { base64Text, fileAddress } from '../../request/bounds.ts';
import { caption, given, type SendRoute } from './send-kind.ts';

const owner = refusing(
  'what is neither',
  Type.String({ description: 'JID or phone number of the business' }),
);
const amount = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }));

export function productKinds(route: SendRoute): void {
  route({
    path: '/send/product',
    operationId: 'sendProduct',
    summary: 'Send a product of a catalogue',
    takesMedia: true,
    fields: {
      business_owner_jid: owner,
      product: stated(
        Type.Object({
          product_id: words(LONGEST_PRODUCT_ID),
          title: words(LONGEST_CAPTION),
          description: optionalWords(LONGEST_PRODUCT_DESCRIPTION, 'At most 5000 characters'),
          currency_code: Type.Optional(
            stated(Type.String({ description: 'ISO 4217, for example BRL' }), { pattern: '^([A-Z]{3})?$' }),
          ),
          price_amount_1000: amount('Price × 1000: 49900 is 49.90'),
          sale_price_amount_1000: amount('Reduced price × 1000'),
          retailer_id: optionalWords(LONGEST_PRODUCT_ID, "The business's own number of it"),
          url: optionalWords(LONGEST_URL, 'Page of the product'),
          product_image: base64Text('Picture, base64. Either this or `product_image_url`'),
          product_image_url: fileAddress('Public URL of it'),
          product_image_count: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
        }),
        { allOf: [notBoth('product_image', 'product_image_url')] },
      ),
      body: caption('At most 1024 characters'),
      footer: caption('At most 1024 characters'),
    },
    example: {
      number: '5511999999999',
      business_owner_jid: '5511888888888@s.whatsapp.net',
      product: { product_id: '7', title: 'Shirt', currency_code: 'BRL', price_amount_1000: 49_900 },
    },
    content: ({ business_owner_jid, product, body, footer }) =>
      productContent({
        business_owner_jid,
        product: given(product) as ProductInput['product'],
        ...given({ body, footer }),
      }),
  });

  route({
    path: '/send/catalog',
    operationId: 'sendCatalog',
    summary: 'Send products of a catalogue in sections',
    takesMedia: true,
    fields: {
      business_owner_jid: owner,
      title: words(LONGEST_CAPTION),
      description: caption('At most 1024 characters'),
      footer: caption('At most 1024 characters'),
      button_text: words(LONGEST_BUTTON_TEXT, 'Opens the list'),
      sections: refusing(
        'more than 100 products in all',
        Type.Array(
          Type.Object({
            title: words(LONGEST_CAPTION),
            product_ids: Type.Array(words(LONGEST_PRODUCT_ID), {
              minItems: 1,
              maxItems: MOST_PRODUCTS_PER_SECTION,
            }),
          }),
          { minItems: 1, maxItems: MOST_CATALOG_SECTIONS, description: 'At most 100 products in all' },
        ),
      ),
      header_product_id: optionalWords(LONGEST_PRODUCT_ID, 'Whose picture is shown; default: the first'),
      thumbnail: base64Text('Picture to show, base64'),
      thumbnail_url: fileAddress('Public URL of it'),
    },
    example: {
      number: '5511999999999',
      business_owner_jid: '5511888888888@s.whatsapp.net',
      title: 'Summer',
      button_text: 'See all',
      sections: [{ title: 'Shirts', product_ids: ['7', '8'] }],
    },
    content: (body) =>
      catalogContent(
        given({
          business_owner_jid: body.business_owner_jid,
          title: body.title,
          description: body.description,
          footer: body.footer,
          button_text: body.button_text,
          sections: body.sections,
          header_product_id: body.header_product_id,
          thumbnail: body.thumbnail,
          thumbnail_url: body.thumbnail_url,
        }) as CatalogInput,
      ),
  });
}

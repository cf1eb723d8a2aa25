import { invalidField } from '../../errors.ts';
import type { Jid } from '../../whatsapp/port/identity.ts';
import { type Content, checkedOptional, checkedRequired, LONGEST_CAPTION, withContext } from '../content.ts';
import { mediaInput } from '../outbound-media.ts';
import { personJid, writtenNames } from '../recipients.ts';
import { LONGEST_URL } from './location.ts';
import { uploadedPicture } from './picture-upload.ts';

export interface ProductInput {
  business_owner_jid: string;
  product: {
    product_id: string;
    title: string;
    description?: string;
    /** ISO 4217, for example BRL. */
    currency_code?: string;
    /** Amount × 1000: 49900 is 49.90. */
    price_amount_1000?: number;
    sale_price_amount_1000?: number;
    retailer_id?: string;
    url?: string;
    product_image?: string;
    product_image_url?: string;
    product_image_count?: number;
  };
  body?: string;
  footer?: string;
}

export const LONGEST_PRODUCT_ID = 256;
export const LONGEST_PRODUCT_DESCRIPTION = 5000;

/** A product of a business's catalogue (waE2E.ProductMessage). */
export function productContent(input: ProductInput): Content {
  const businessOwnerJid = businessOwner(input.business_owner_jid);
  const { product } = input;
  const title = checkedRequired('product.title', product.title, LONGEST_CAPTION);
  const snapshot = {
    productId: checkedRequired('product.product_id', product.product_id, LONGEST_PRODUCT_ID),
    title,
    description: checkedOptional('product.description', product.description, LONGEST_PRODUCT_DESCRIPTION),
    currencyCode: currency(product.currency_code),
    priceAmount1000: product.price_amount_1000,
    salePriceAmount1000: product.sale_price_amount_1000,
    retailerId: checkedOptional('product.retailer_id', product.retailer_id, LONGEST_PRODUCT_ID),
    url: checkedOptional('product.url', product.url, LONGEST_URL),
    productImageCount: product.product_image_count,
  };
  const given = Object.fromEntries(Object.entries(snapshot).filter(([, value]) => value !== undefined));
  const { product_image, product_image_url } = product;
  const picture =
    product_image || product_image_url
      ? mediaInput('product.product_image', product_image, product_image_url)
      : null;
  const body = checkedOptional('body', input.body, LONGEST_CAPTION);
  const footer = checkedOptional('footer', input.footer, LONGEST_CAPTION);
  return {
    chatState: 'composing',
    async compose(context) {
      const image = picture && (await uploadedPicture(context, picture, 'product.product_image'));
      const [owner = businessOwnerJid] = writtenNames(await context.people([businessOwnerJid]));
      return {
        kind: 'product',
        text: title,
        message: {
          productMessage: {
            product: {
              ...given,
              ...(image
                ? { productImage: image.content, productImageCount: given.productImageCount ?? 1 }
                : {}),
            },
            businessOwnerJid: owner,
            ...(body ? { body } : {}),
            ...(footer ? { footer } : {}),
            ...withContext(context.contextInfo),
          },
        },
      };
    },
  };
}

/** The business whose catalogue it is, as a user JID; a phone number does as well. */
export function businessOwner(text: string): Jid {
  const jid = personJid(text);
  if (jid) return jid;
  throw invalidField(
    'business_owner_jid',
    'must be the JID or phone number of a business',
    text.slice(0, 100),
  );
}

function currency(code: string | undefined): string | undefined {
  if (code === undefined || code === '') return undefined;
  if (!/^[A-Z]{3}$/.test(code)) {
    throw invalidField('product.currency_code', 'must be an ISO 4217 code such as BRL', code.slice(0, 20));
  }
  return code;
}

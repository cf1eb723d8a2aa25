import { invalidField } from '../../errors.ts';
import { type Content, checkedOptional, checkedRequired, LONGEST_CAPTION, withContext } from '../content.ts';
import { LONGEST_BUTTON_TEXT } from './buttons.ts';
import { businessOwner, LONGEST_PRODUCT_ID } from './product.ts';
import { jpegThumbnail, type ThumbnailInput, thumbnailInput } from './thumbnail.ts';

export interface CatalogInput extends ThumbnailInput {
  business_owner_jid: string;
  title: string;
  description?: string;
  footer?: string;
  button_text: string;
  sections: { title: string; product_ids: string[] }[];
  /** The product whose picture is shown. Default: the first. */
  header_product_id?: string;
}

export const MOST_CATALOG_SECTIONS = 10;
export const MOST_PRODUCTS_PER_SECTION = 30;
const MOST_PRODUCTS = 100;
/** `PRODUCT_LIST` of waE2E.ListMessage.ListType. */
const PRODUCT_LIST = 2;

/** Products of a business's catalogue, in sections (waE2E.ListMessage of the type PRODUCT_LIST). */
export function catalogContent(input: CatalogInput): Content {
  const businessOwnerJid = businessOwner(input.business_owner_jid);
  const title = checkedRequired('title', input.title, LONGEST_CAPTION);
  const description = checkedOptional('description', input.description, LONGEST_CAPTION);
  const footerText = checkedOptional('footer', input.footer, LONGEST_CAPTION);
  const buttonText = checkedRequired('button_text', input.button_text, LONGEST_BUTTON_TEXT);
  const productSections = checkedSections(input.sections);
  const header =
    checkedOptional('header_product_id', input.header_product_id, LONGEST_PRODUCT_ID) ??
    productSections[0]?.products[0]?.productId;
  const picture = thumbnailInput(input);
  return {
    chatState: 'composing',
    compose: async ({ media, contextInfo }) => ({
      kind: 'list',
      text: title,
      message: {
        listMessage: {
          title,
          ...(description ? { description } : {}),
          ...(footerText ? { footerText } : {}),
          buttonText,
          listType: PRODUCT_LIST,
          productListInfo: {
            productSections,
            businessOwnerJid,
            headerImage: { productId: header, ...(await jpegThumbnail(media, picture)) },
          },
          ...withContext(contextInfo),
        },
      },
      // As whatsmeow has it (send.go `getButtonAttributes`).
      extraNodes: [
        { tag: 'biz', attrs: {}, content: [{ tag: 'list', attrs: { type: 'product_list', v: '2' } }] },
      ],
    }),
  };
}

function checkedSections(sections: CatalogInput['sections']) {
  if (sections.length < 1 || sections.length > MOST_CATALOG_SECTIONS) {
    throw invalidField('sections', `must be 1 to ${MOST_CATALOG_SECTIONS}`);
  }
  const checked = sections.map(({ title, product_ids }, at) => {
    const field = `sections.${at}`;
    if (product_ids.length < 1 || product_ids.length > MOST_PRODUCTS_PER_SECTION) {
      throw invalidField(`${field}.product_ids`, `must be 1 to ${MOST_PRODUCTS_PER_SECTION}`);
    }
    return {
      title: checkedRequired(`${field}.title`, title, LONGEST_CAPTION),
      products: product_ids.map((id, index) => ({
        productId: checkedRequired(`${field}.product_ids.${index}`, id, LONGEST_PRODUCT_ID),
      })),
    };
  });
  const products = checked.reduce((sum, section) => sum + section.products.length, 0);
  if (products > MOST_PRODUCTS) throw invalidField('sections', `must have at most ${MOST_PRODUCTS} products`);
  return checked;
}

/** What messages of businesses say beside their text, in the names of waE2E.Message (WAWebProtobufsE2E.proto). */
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import { parseForeignJson } from '../bounds.ts';
import { member } from './wire-content.ts';
import { list, number, seconds, text, thousandths } from './wire-fields.ts';

type Details = Record<string, unknown>;
type Part = WireMessage | null;

/** PaymentInviteMessage.ServiceType, by number. */
const PAYMENT_SERVICES = ['unknown', 'fbpay', 'novi', 'upi', 'pix'];

/** The readers of these details, by kind of message. */
export const BUSINESS_DETAILS = {
  template: (message: WireMessage) => {
    const sent = member(message, 'templateMessage');
    if (sent) return template(sent);
    const structured = member(message, 'highlyStructuredMessage');
    const hydrated = structured && member(structured, 'hydratedHsm');
    return hydrated ? template(hydrated) : { name: text(structured, 'elementName') };
  },
  interactive: (message: WireMessage) => interactive(member(message, 'interactiveMessage')),
  buttons: (message: WireMessage) => {
    const sent = member(message, 'buttonsMessage');
    return {
      title: text(sent, 'text'),
      footer: text(sent, 'footerText'),
      buttons: list(sent, 'buttons').map((button) => ({
        button_id: text(button, 'buttonId'),
        text: text(member(button, 'buttonText'), 'displayText'),
      })),
    };
  },
  list: (message: WireMessage) => {
    const sent = member(message, 'listMessage');
    return {
      title: text(sent, 'title'),
      footer: text(sent, 'footerText'),
      button_text: text(sent, 'buttonText'),
      sections: list(sent, 'sections').map((section) => ({
        title: text(section, 'title'),
        rows: list(section, 'rows').map((row) => ({
          row_id: text(row, 'rowId'),
          title: text(row, 'title'),
          description: text(row, 'description'),
        })),
      })),
    };
  },
  product: (message: WireMessage) => product(member(message, 'productMessage')),
  order: (message: WireMessage) => {
    const sent = member(message, 'orderMessage');
    return {
      order_id: text(sent, 'orderId'),
      title: text(sent, 'orderTitle'),
      item_count: number(sent, 'itemCount'),
      total: thousandths(sent, 'totalAmount1000'),
      currency: text(sent, 'totalCurrencyCode'),
      seller_jid: text(sent, 'sellerJid'),
      token: text(sent, 'token'),
    };
  },
  payment_invite: (message: WireMessage) => {
    const invite = member(message, 'paymentInviteMessage');
    return {
      service: PAYMENT_SERVICES[number(invite, 'serviceType') ?? 0] ?? 'unknown',
      expires_at: seconds(invite, 'expiryTimestamp'),
    };
  },
  payment: (message: WireMessage) => {
    const request = member(message, 'requestPaymentMessage');
    const [type, answered] = paymentAnswer(message);
    return {
      type: request ? 'request' : type,
      amount: thousandths(request, 'amount1000'),
      currency: text(request, 'currencyCodeIso4217'),
      expires_at: seconds(request, 'expiryTimestamp'),
      request_message_id: text(answered, 'id'),
    };
  },
};

/** What it says of an earlier request, and the key of that. */
function paymentAnswer(message: WireMessage): ['cancel' | 'decline' | 'send', Part] {
  const cancel = member(message, 'cancelPaymentRequestMessage');
  if (cancel) return ['cancel', member(cancel, 'key')];
  const decline = member(message, 'declinePaymentRequestMessage');
  if (decline) return ['decline', member(decline, 'key')];
  const sent = member(message, 'sendPaymentMessage');
  return ['send', sent && member(sent, 'requestMessageKey')];
}

function template(sent: WireMessage): Details {
  const hydrated = member(sent, 'hydratedTemplate') ?? member(sent, 'hydratedFourRowTemplate');
  if (hydrated) {
    return {
      template_id: text(hydrated, 'templateId') ?? text(sent, 'templateId'),
      title: text(hydrated, 'hydratedTitleText'),
      footer: text(hydrated, 'hydratedFooterText'),
      buttons: list(hydrated, 'hydratedButtons').map(hydratedButton),
    };
  }
  const newest = member(sent, 'interactiveMessageTemplate');
  return { template_id: text(sent, 'templateId'), ...(newest ? interactive(newest) : {}) };
}

function hydratedButton(button: WireMessage): Details {
  const reply = member(button, 'quickReplyButton');
  const url = member(button, 'urlButton');
  const call = member(button, 'callButton');
  return {
    button_id: text(reply, 'id'),
    text: text(reply ?? url ?? call, 'displayText'),
    url: text(url, 'url'),
    phone_number: text(call, 'phoneNumber'),
  };
}

function interactive(sent: Part): Details {
  const carousel = sent && member(sent, 'carouselMessage');
  return { ...panel(sent), cards: list(carousel, 'cards').map(panel) };
}

/** A card of a carousel, or the whole of a message without one. */
function panel(sent: Part): Details {
  const header = sent && member(sent, 'header');
  const flow = sent && member(sent, 'nativeFlowMessage');
  return {
    title: text(header, 'title'),
    subtitle: text(header, 'subtitle'),
    body: text(sent && member(sent, 'body'), 'text'),
    footer: text(sent && member(sent, 'footer'), 'text'),
    buttons: list(flow, 'buttons').map((button) => ({
      name: text(button, 'name'),
      params: parseForeignJson(text(button, 'buttonParamsJson') ?? 'null'),
    })),
  };
}

function product(sent: Part): Details {
  const article = sent && member(sent, 'product');
  return {
    product_id: text(article, 'productId'),
    title: text(article, 'title'),
    description: text(article, 'description'),
    price: thousandths(article, 'priceAmount1000'),
    sale_price: thousandths(article, 'salePriceAmount1000'),
    currency: text(article, 'currencyCode'),
    retailer_id: text(article, 'retailerId'),
    url: text(article, 'url'),
    business_jid: text(sent, 'businessOwnerJid'),
    catalog_title: text(sent && member(sent, 'catalog'), 'title'),
    body: text(sent, 'body'),
    footer: text(sent, 'footer'),
  };
}

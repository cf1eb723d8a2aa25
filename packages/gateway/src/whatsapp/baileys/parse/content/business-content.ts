/** What businesses send, and answers to it: texts and files that are a level deeper than in other messages. */
import type { MediaDescriptor } from '../../../port/media.ts';
import type { proto } from '../../library.ts';
import { filesIn } from './media-content.ts';
import type { Parsed } from './parsed.ts';

type Message = proto.IMessage;
type Text = string | null | undefined;
type Interactive = proto.Message.IInteractiveMessage;

/** What a message of a business shows: a text, and files. */
interface TextAndFiles {
  text: Text;
  files: MediaDescriptor[];
}

/** WhatsApp takes ten cards in a carousel. */
const MOST_CARDS = 32;

/** Null for what is none of a business. */
export function parseBusiness(m: Message): Parsed | null {
  return parseOffer(m) ?? parseAnswer(m) ?? parseTrade(m);
}

function parseOffer(m: Message): Parsed | null {
  if (m.templateMessage) {
    const context =
      m.templateMessage.contextInfo ?? m.templateMessage.interactiveMessageTemplate?.contextInfo;
    return { kind: 'template', context, ...template(m.templateMessage) };
  }
  if (m.highlyStructuredMessage) return { kind: 'template', ...structured(m.highlyStructuredMessage) };
  if (m.interactiveMessage) {
    return {
      kind: 'interactive',
      context: m.interactiveMessage.contextInfo,
      ...interactive(m.interactiveMessage),
    };
  }
  if (m.buttonsMessage) {
    const { contentText, text, footerText, locationMessage, contextInfo: context } = m.buttonsMessage;
    const shown = first(contentText, text, locationMessage?.name, footerText);
    return { kind: 'buttons', text: shown, files: filesIn(m.buttonsMessage), context };
  }
  if (m.listMessage) {
    const { title, description, footerText, contextInfo: context } = m.listMessage;
    return { kind: 'list', text: first(description, title, footerText), context };
  }
  return null;
}

function parseAnswer(m: Message): Parsed | null {
  if (m.buttonsResponseMessage) {
    const { selectedDisplayText, selectedButtonId, contextInfo: context } = m.buttonsResponseMessage;
    return { kind: 'buttons_response', text: selectedDisplayText ?? selectedButtonId, context };
  }
  if (m.templateButtonReplyMessage) {
    const { selectedDisplayText, selectedId, contextInfo: context } = m.templateButtonReplyMessage;
    return { kind: 'buttons_response', text: selectedDisplayText ?? selectedId, context };
  }
  if (m.listResponseMessage) {
    const { title, singleSelectReply, contextInfo: context } = m.listResponseMessage;
    return { kind: 'list_response', text: title ?? singleSelectReply?.selectedRowId, context };
  }
  if (m.interactiveResponseMessage) {
    const { body, contextInfo: context } = m.interactiveResponseMessage;
    return { kind: 'buttons_response', text: body?.text, context };
  }
  return null;
}

function parseTrade(m: Message): Parsed | null {
  if (m.productMessage) {
    return { kind: 'product', context: m.productMessage.contextInfo, ...product(m.productMessage) };
  }
  if (m.orderMessage) {
    const { message, orderTitle, contextInfo: context } = m.orderMessage;
    return { kind: 'order', text: first(message, orderTitle), context };
  }
  if (m.groupInviteMessage) {
    const { caption, groupName, contextInfo: context } = m.groupInviteMessage;
    return { kind: 'group_invite', text: first(caption, groupName), context };
  }
  if (m.newsletterAdminInviteMessage) {
    const { caption, newsletterName, contextInfo: context } = m.newsletterAdminInviteMessage;
    return { kind: 'newsletter_invite', text: first(caption, newsletterName), context };
  }
  return null;
}

/** All three forms, and the interactive message that the newest of them holds. */
function template(m: proto.Message.ITemplateMessage): TextAndFiles {
  const hydrated = m.hydratedTemplate ?? m.hydratedFourRowTemplate;
  if (hydrated) {
    const { hydratedContentText, hydratedTitleText, hydratedFooterText, locationMessage } = hydrated;
    const text = first(hydratedContentText, hydratedTitleText, locationMessage?.name, hydratedFooterText);
    return { text, files: filesIn(hydrated) };
  }
  if (m.interactiveMessageTemplate) return interactive(m.interactiveMessageTemplate);
  const { content, footer, highlyStructuredMessage: title } = m.fourRowTemplate ?? {};
  const texts = [content, title, footer].map((each) => each && structured(each).text);
  return { text: first(...texts), files: filesIn(m.fourRowTemplate) };
}

/** The text of a template by its name: hydrated, or with what the parameters say. */
function structured(m: proto.Message.IHighlyStructuredMessage): TextAndFiles {
  if (m.hydratedHsm) return template(m.hydratedHsm);
  const localizable = (m.localizableParams ?? []).flatMap((each) => each.default ?? []);
  const said = localizable.length > 0 ? localizable : (m.params ?? []);
  return { text: first(said.join(' '), m.elementName), files: [] };
}

function interactive(m: Interactive): TextAndFiles {
  const { header, body, footer } = m;
  const cards = (m.carouselMessage?.cards ?? []).slice(0, MOST_CARDS).map(card);
  const bodies = cards.flatMap(({ text }) => text ?? []).join('\n');
  const inHeader = header?.productMessage ? product(header.productMessage) : null;
  return {
    text: first(
      body?.text,
      header?.title,
      header?.subtitle,
      inHeader?.text,
      header?.locationMessage?.name,
      bodies,
      footer?.text,
    ),
    files: [
      ...filesIn(header),
      ...(inHeader?.files ?? []),
      ...filesIn(footer),
      ...cards.flatMap(({ files }) => files),
    ],
  };
}

/** A card has no cards. */
function card(m: Interactive): TextAndFiles {
  return interactive({ ...m, carouselMessage: null });
}

function product(m: proto.Message.IProductMessage): TextAndFiles {
  const { product: article, catalog, body, footer } = m;
  return {
    text: first(article?.title, body, catalog?.title, article?.description, catalog?.description, footer),
    files: [
      ...filesIn({ imageMessage: article?.productImage ?? null }),
      ...filesIn({ imageMessage: catalog?.catalogImage ?? null }),
    ],
  };
}

/** The first that says something. */
function first(...texts: Text[]): Text {
  return texts.find((text) => !!text);
}

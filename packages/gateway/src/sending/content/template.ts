import { invalidField } from '../../errors.ts';
import { normalisePhoneNumber } from '../../identity/phone-number.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import {
  type ComposeContext,
  type Content,
  checkedOptional,
  checkedRequired,
  LONGEST_CAPTION,
  LONGEST_TEXT,
  withContext,
} from '../content.ts';
import { type MediaInput, mediaInput } from '../outbound-media.ts';
import { LONGEST_BUTTON_ID, LONGEST_BUTTON_TEXT, MOST_BUTTONS } from './buttons.ts';
import { uploadedPicture } from './picture-upload.ts';

export interface TemplateInput {
  body: string;
  footer?: string;
  header?: { type: 'text' | 'image'; text?: string; image?: string; image_url?: string };
  buttons?: TemplateButton[];
}

export interface TemplateButton {
  type: 'quick_reply' | 'url' | 'call';
  text: string;
  id?: string;
  url?: string;
  phone_number?: string;
}

/** A hydrated four-row template: title or picture, body, footer, up to three buttons. */
export function templateContent(input: TemplateInput): Content {
  if (input.body.trim() === '') throw invalidField('body', 'body cannot be empty');
  const body = checkedRequired('body', input.body, LONGEST_TEXT);
  const footer = checkedOptional('footer', input.footer, LONGEST_CAPTION);
  const header = readHeader(input.header);
  const given = input.buttons ?? [];
  if (given.length > MOST_BUTTONS) throw invalidField('buttons', `must be at most ${MOST_BUTTONS}`);
  const buttons = given.map((each, index) => ({ index: index + 1, ...readButton(each, `buttons.${index}`) }));
  return {
    chatState: 'composing',
    async compose(context) {
      const template = {
        hydratedContentText: body,
        ...(footer ? { hydratedFooterText: footer } : {}),
        ...(await title(context, header)),
        hydratedButtons: buttons,
      };
      return {
        kind: 'template',
        text: body,
        message: {
          templateMessage: {
            // Older apps read the first, newer ones the second.
            hydratedFourRowTemplate: template,
            hydratedTemplate: template,
            ...withContext(context.contextInfo),
          },
        },
      };
    },
  };
}

type Header = { text: string } | { image: MediaInput } | null;

function readHeader(header: TemplateInput['header']): Header {
  if (!header) return null;
  if (header.type === 'text') {
    return { text: checkedRequired('header.text', header.text ?? '', LONGEST_CAPTION) };
  }
  return { image: mediaInput('header.image', header.image, header.image_url) };
}

async function title(context: ComposeContext, header: Header): Promise<WireMessage> {
  if (!header) return {};
  if ('text' in header) return { hydratedTitleText: header.text };
  return { imageMessage: (await uploadedPicture(context, header.image, 'header.image')).content };
}

function readButton(button: TemplateButton, field: string): WireMessage {
  const displayText = checkedRequired(`${field}.text`, button.text, LONGEST_BUTTON_TEXT);
  switch (button.type) {
    case 'quick_reply':
      return {
        quickReplyButton: {
          displayText,
          id: checkedRequired(`${field}.id`, button.id ?? '', LONGEST_BUTTON_ID),
        },
      };
    case 'url': {
      const url = button.url ?? '';
      if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
        throw invalidField(`${field}.url`, 'must be an http or https address', url.slice(0, 200));
      }
      return { urlButton: { displayText, url } };
    }
    case 'call': {
      const digits = normalisePhoneNumber(button.phone_number ?? '');
      if (!digits) {
        throw invalidField(
          `${field}.phone_number`,
          'must be 10 to 15 digits with country code',
          button.phone_number,
        );
      }
      return { callButton: { displayText, phoneNumber: `+${digits}` } };
    }
  }
}
